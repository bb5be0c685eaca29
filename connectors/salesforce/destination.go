package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many records one collections request takes (REST API
// Developer Guide, "sObject Collections").
const maxBatch = 200

// Limits implements connectors.Destination. One Push runs at a time: two that
// touch contacts of the same account would lock each other out.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: people without a known record are
// looked up by address, then all are written in as few requests as possible.
// An answer of 200 says nothing; what became of each person is in its row.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.items = append(p.items, c.newItem(&updates[i]))
	}
	if waiting := p.open(func(*item) bool { return true }); len(waiting) > 0 {
		err := c.mayAsk("push people")
		if err == nil {
			err = c.fields.need(ctx, c.objects...)
		}
		if err != nil {
			p.halt(waiting, err)
			return p.results()
		}
	}
	p.lookup(ctx, p.open(func(it *item) bool { return it.id == "" }))
	p.update(ctx, p.open(func(it *item) bool { return it.id != "" }))
	p.followConverted(ctx)
	// Records that are gone: their people may be there under another id.
	p.lookup(ctx, p.open(func(it *item) bool { return it.id == "" && it.lost }))
	p.update(ctx, p.open(func(it *item) bool { return it.id != "" && it.again }))
	p.create(ctx, p.open(func(it *item) bool { return it.id == "" }))
	return p.results()
}

// push is one call of Push on its way.
type push struct {
	c     *Connector
	items []*item
	// stop is the first request that failed as a whole; nothing is sent after it.
	stop *connectors.PushError
}

// item is one update on its way.
type item struct {
	u      *connectors.Update
	id     string // the record, 18 characters; empty: not known
	fields record
	// lost: the record that was known is gone. converted: it is a lead that has
	// become a contact. again: another record was found in its place.
	lost, converted, again bool

	// account is set of an account, with a domain to find it by where one is known.
	account *connectors.AccountUpdate

	done   bool
	whole  bool // failed with a whole request
	result connectors.Result
}

// newItem compares what is wanted with what is known.
func (c *Connector) newItem(u *connectors.Update) *item {
	it := &item{u: u}
	if object := objectOf(u.VendorID); slices.Contains(c.objects, object) {
		it.id = id18(u.VendorID)
	}
	if it.id == "" && foldEmail(u.Email) == "" {
		it.skip(connectors.ReasonNoIdentity, "neither an e-mail address nor a contact or lead is known")
		return it
	}
	if it.fields = c.differing(u, u.Known); len(it.fields) == 0 {
		it.finish(connectors.Result{Outcome: connectors.OK, VendorID: it.id})
	}
	return it
}

// differing gives the fields to write: those that differ from what the record is
// known to hold; all of them for a record of which nothing is known (nil).
func (c *Connector) differing(u *connectors.Update, known *connectors.State) record {
	fields := record{}
	if u.Want.Stage != "" && (known == nil || known.Stage != u.Want.Stage) {
		fields[c.stage] = u.Want.Stage
	}
	if segmentsDiffer(u.Want, known) {
		fields[c.segments] = nil
		if len(u.Want.Segments) > 0 {
			fields[c.segments] = strings.Join(u.Want.Segments, ";")
		}
	}
	for name, value := range u.Want.Traits {
		if known != nil {
			if before, there := known.Traits[name]; there && sameValue(before, value) {
				continue
			}
		}
		fields[name] = fieldValue(value)
	}
	return fields
}

// segmentsDiffer reports whether the field of the segments has to be written.
// It is ours alone and always written whole.
func segmentsDiffer(want connectors.State, known *connectors.State) bool {
	if known == nil {
		return len(want.Segments)+len(want.Absent) > 0
	}
	lacks := func(all, of []string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(of, s) })
	}
	return lacks(want.Segments, known.Segments) || lacks(want.Absent, known.Absent)
}

// fieldValue spells a trait as a field takes it: a list as a multi-select
// picklist does, an object as its JSON.
func fieldValue(v any) any {
	switch v.(type) {
	case []any, map[string]any:
		return plainText(v)
	}
	return v
}

// sameValue compares values whatever number types they travelled in.
func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return plainText(a) == plainText(b)
}

// plainText spells a value as text. A float is written out: fmt would give a
// million as 1e+06.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			words[i] = plainText(one)
		}
		return strings.Join(words, ";")
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// open gives the items that have a way to go and meet the condition.
func (p *push) open(meets func(*item) bool) []*item {
	var open []*item
	for _, it := range p.items {
		if !it.done && meets(it) {
			open = append(open, it)
		}
	}
	return open
}

// finish sets the outcome; the first one stays.
func (it *item) finish(r connectors.Result) {
	if !it.done {
		it.done, it.result = true, r
	}
}

func (it *item) skip(why connectors.Reason, words string) {
	it.finish(connectors.Result{Outcome: connectors.Skipped, Reason: why, Message: words})
}

// halt ends items whose request failed as a whole.
func (p *push) halt(items []*item, err error) {
	e := failure(err)
	if p.stop == nil {
		p.stop = e
	}
	for _, it := range items {
		it.whole = it.whole || !it.done
		it.finish(e.Result())
	}
}

// stopped ends the items of a request that is not made any more.
func (p *push) stopped(items []*item) bool {
	if p.stop == nil {
		return false
	}
	p.halt(items, p.stop)
	return true
}

// results closes the push. Where every single update failed with a whole
// request, that is the push's own failure.
func (p *push) results() ([]connectors.Result, error) {
	all := make([]connectors.Result, len(p.items))
	whole := len(p.items) > 0
	for i, it := range p.items {
		it.finish(connectors.Result{Outcome: connectors.OK})
		all[i] = it.result
		if all[i].VendorID == "" {
			all[i].VendorID = it.id
		}
		whole = whole && it.whole
	}
	if whole {
		return nil, p.stop
	}
	return all, nil
}

// lookup finds the records of people by address and, where that finds none and
// people are created, by the id that an earlier push gave them.
func (p *push) lookup(ctx context.Context, items []*item) {
	if len(items) == 0 || p.stopped(items) {
		return
	}
	var w wanted
	for _, it := range items {
		if email := foldEmail(it.u.Email); email != "" && !slices.Contains(w.emails, email) {
			w.emails = append(w.emails, email)
		}
	}
	f, err := p.c.find(ctx, w)
	if err != nil {
		p.halt(items, err)
		return
	}
	var unknown []*item
	w = wanted{}
	for _, it := range items {
		switch row := f.byEmail[foldEmail(it.u.Email)]; {
		case row != nil:
			it.is(row)
		case p.c.creates(it):
			unknown = append(unknown, it)
			w.externals = append(w.externals, externalID(it.u))
		default:
			it.skip(connectors.ReasonNotInVendor, "Salesforce has neither a contact nor an open lead with this e-mail address, and the push creates none")
		}
	}
	if len(unknown) == 0 {
		return
	}
	if f, err = p.c.find(ctx, w); err != nil {
		e := failure(err)
		if e.Retryable {
			p.halt(unknown, e)
		}
		// Else it is about the external id, which the others do without.
		for _, it := range unknown {
			it.finish(e.Result())
		}
		return
	}
	for _, it := range unknown {
		if row := f.byExternal[externalID(it.u)]; row != nil {
			it.is(row)
		}
	}
}

// is notes the record that was found for an item.
func (it *item) is(row map[string]any) { it.id, it.again = id18(text(row["Id"])), it.lost }

// creates reports whether the push may make a record for somebody.
func (c *Connector) creates(it *item) bool {
	return c.cfg.Push.Create && foldEmail(it.u.Email) != "" && it.u.Person != 0
}

// externalID is what a record that we made is found by again.
func externalID(u *connectors.Update) string { return fmt.Sprint(int64(u.Person)) }
