package hubspot

import (
	"cmp"
	"context"
	"slices"

	gojson "github.com/go-json-experiment/json"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of reading records.
const (
	// crmBatch is the most records of one CRM batch call (developers.hubspot.com,
	// CRM objects guide).
	crmBatch = 100
	// maxContacts is the most contacts that one deal, ticket or company brings.
	maxContacts = 500
)

// Enrich implements connectors.Enricher. Lookups of one object share one read,
// lookups of one kind share batches of 100, and the contacts of all deals,
// tickets and companies are read together with those asked for by themselves:
// two deals and three contacts cost three calls.
//
// Where one kind cannot be read (a scope is missing, say), its records carry
// the error and the others are given; the error is returned only when nothing
// at all could be read.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	subjects := make([]subject, len(lookups))
	changed := make([]string, len(lookups))
	wanted := map[string][]string{} // ids by kind
	asked := map[subject]bool{}
	for i, l := range lookups {
		var n notice
		if gojson.Unmarshal(l.Body, &n) != nil {
			continue
		}
		subjects[i] = subjectOf(stableType(l.Type, string(n.ObjectTypeID)), n)
		changed[i] = string(n.PropertyName)
		if s := subjects[i]; digits(s.id) && !asked[s] {
			asked[s] = true
			wanted[s.kind] = append(wanted[s.kind], s.id)
		}
	}
	found := c.readAll(ctx, wanted)
	records := make([]connectors.Record, len(lookups))
	var failure error
	known := false
	for i, s := range subjects {
		records[i] = found.record(s, changed[i])
		if e := found.failed[s.kind]; e != nil {
			failure = cmp.Or(failure, error(e))
			continue
		}
		known = true
	}
	if failure != nil && !known {
		return nil, failure
	}
	return records, nil
}

// findings is what a round of reading brought.
type findings struct {
	objects map[subject]*object
	// contacts of a deal, ticket or company.
	contacts map[subject][]string
	// failed holds why a kind could not be read.
	failed map[string]*connectors.PushError
	// currency of the account, for deals that name none; noCurrency is why it
	// could not be read.
	currency   string
	noCurrency *connectors.PushError
}

// readAll reads the wanted objects, their associations, then all contacts.
func (c *Connector) readAll(ctx context.Context, wanted map[string][]string) *findings {
	f := &findings{
		objects:  map[subject]*object{},
		contacts: map[subject][]string{},
		failed:   map[string]*connectors.PushError{},
	}
	people := slices.Clone(wanted["contact"])
	for _, kind := range []string{"deal", "ticket", "company"} {
		ids := wanted[kind]
		if len(ids) == 0 {
			continue
		}
		if err := c.readKind(ctx, f, kind, ids); err != nil {
			f.failed[kind] = asPush(err)
			continue
		}
		for _, id := range ids {
			people = append(people, f.contacts[subject{kind, id}]...)
		}
	}
	slices.Sort(people)
	if people = slices.Compact(people); len(people) > 0 {
		objects, err := c.readObjects(ctx, "contact", "", people, c.readContact)
		if err != nil {
			// The others' people are not known either, so all must be asked again.
			for _, kind := range []string{"contact", "deal", "ticket", "company"} {
				f.failed[kind] = cmp.Or(f.failed[kind], asPush(err))
			}
		}
		f.add("contact", objects)
	}
	c.addCurrency(ctx, f)
	return f
}

// readKind reads objects that are not contacts, and whom they concern.
func (c *Connector) readKind(ctx context.Context, f *findings, kind string, ids []string) error {
	properties := map[string][]string{"deal": readDeal, "ticket": readTicket, "company": readCompany}[kind]
	objects, err := c.readObjects(ctx, kind, "", ids, properties)
	if err != nil {
		return err
	}
	f.add(kind, objects)
	there := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return f.objects[subject{kind, id}] == nil })
	return c.readAssociations(ctx, f, kind, there)
}

// add files objects under every id they answer for.
func (f *findings) add(kind string, objects []object) {
	for i := range objects {
		o := &objects[i]
		for _, old := range mergedIDs(o) {
			f.objects[subject{kind, old}] = o
		}
	}
	for i := range objects {
		f.objects[subject{kind, objects[i].ID}] = &objects[i]
	}
}

// record gives the record of a lookup's subject. The zero Record, JSON nil,
// says that it is gone or that there never was one.
func (f *findings) record(s subject, changed string) connectors.Record {
	if s.id != "" && !digits(s.id) {
		return connectors.Record{Err: &connectors.PushError{
			Reason: connectors.ReasonInvalid, Act: "hubspot: read records", Message: "the event's object id is not a number",
		}}
	}
	if e := f.failed[s.kind]; e != nil {
		return connectors.Record{Err: e}
	}
	o := f.objects[s]
	if o == nil {
		return connectors.Record{}
	}
	contacts := []*object{o}
	var extra map[string]any
	if s.kind != "contact" {
		contacts = contacts[:0]
		for _, id := range f.contacts[s] {
			if p := f.objects[subject{"contact", id}]; p != nil && !slices.Contains(contacts, p) {
				contacts = append(contacts, p)
			}
		}
	}
	if s.kind == "deal" && o.property("amount") != "" {
		currency := cmp.Or(o.property("deal_currency_code"), f.currency)
		if currency == "" && f.noCurrency != nil {
			return connectors.Record{Err: f.noCurrency}
		}
		if currency != "" {
			extra = map[string]any{"currency": currency}
		}
	}
	r, err := record(o, contacts, changed, extra)
	if err != nil {
		return connectors.Record{Err: &connectors.PushError{Reason: connectors.ReasonBadAnswer, Act: "hubspot: read records", Err: err}}
	}
	return r
}
