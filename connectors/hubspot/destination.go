package hubspot

import (
	"context"
	"maps"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Properties and group that belong to Stagebridge.
const (
	ownStageProperty    = "sb_stage"
	ownSegmentsProperty = "sb_segments"
	ownGroup            = "stagebridge"

	// nativeStageProperty is HubSpot's own; it only moves forward by itself.
	nativeStageProperty = "lifecyclestage"
)

// Limits implements connectors.Destination. HubSpot allows 100 requests per 10
// seconds to a private app of the smallest account (developers.hubspot.com,
// "Usage guidelines", read 2026-11); a push makes one request as a rule and a
// few at times, and records are read with the same budget.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: crmBatch, Concurrency: 2, Rate: 50, Per: 10 * time.Second, Takes: connectors.TakesState}
}

// Push implements connectors.Destination. Fields that HubSpot is known to hold
// already are not sent; where nothing is left, no call is made.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	if !c.authenticated() {
		return nil, lacks("push contacts", "the connection has no access token")
	}
	p := &push{c: c, schema: c.schema, splits: maxSplits}
	for i := range updates {
		p.items = append(p.items, c.newItem(&updates[i]))
	}
	p.prepare(ctx)
	p.write(ctx)
	if c.stageProperty == nativeStageProperty {
		p.moveBack(ctx)
	}
	if c.segmentsAs == segmentsAsLists {
		p.membership(ctx)
	}
	return p.results()
}

// push is one call of Push on its way.
type push struct {
	c *Connector
	// schema of what is pushed: contacts or companies.
	schema *schema
	items  []*item
	// failure is the first whole call that did not go through; stop the first
	// one that wrote or read contacts, after which no other is tried.
	failure, stop *connectors.PushError
	// splits left: how many more batches may be halved.
	splits int
}

// item is one update on its way through the calls of a push.
type item struct {
	update *connectors.Update
	id     string // the record's id as far as known

	domain, name string // of a company

	// What is to be written. stageName and segments are ours until prepare
	// has turned them into values of HubSpot's.
	stage    string // in HubSpot's value; empty: not to be written
	segments bool   // the segments are to be written
	join     []string
	leave    []string
	fields   map[string]string // changed properties

	// What came of it.
	done     bool
	whole    bool // failed with its whole call
	missing  bool // HubSpot has no such record
	result   connectors.Result
	held     string // the stage in HubSpot's last answer
	told     bool   // held is known
	written  []connectors.Field
	sendable map[string]string // fields of the call under way
}

// newItem compares what is wanted with what is known.
func (c *Connector) newItem(u *connectors.Update) *item {
	it := &item{update: u, fields: map[string]string{}}
	if digits(u.VendorID) {
		it.id = u.VendorID
	}
	if it.id == "" && u.Email == "" {
		it.skip(connectors.ReasonNoIdentity, "neither an e-mail address nor a HubSpot contact id is known")
		return it
	}
	known := u.Known
	if u.Want.Stage != "" && (known == nil || known.Stage != u.Want.Stage) {
		it.stage = u.Want.Stage
	}
	if managed := len(u.Want.Segments)+len(u.Want.Absent) > 0; managed {
		it.join, it.leave = moved(u.Want, known)
		it.segments = known == nil || len(it.join)+len(it.leave) > 0
	}
	for name, value := range u.Want.Traits {
		text := propertyText(value)
		if known != nil {
			if before, there := known.Traits[name]; there && propertyText(before) == text {
				continue
			}
		}
		it.fields[name] = text
	}
	if it.stage == "" && !it.segments && len(it.fields) == 0 {
		it.finish(connectors.Result{Outcome: connectors.OK, VendorID: it.id})
	}
	return it
}

// finish sets the outcome; the first one stays.
func (it *item) finish(r connectors.Result) {
	if !it.done {
		it.done, it.result = true, r
	}
}

// fail ends an item with an error about it alone.
func (it *item) fail(e *connectors.PushError) { it.finish(e.Result()) }

// skip ends an item that HubSpot has no record for.
func (it *item) skip(why connectors.Reason, words string) {
	it.finish(connectors.Result{Outcome: connectors.Skipped, Reason: why, Message: words})
}

// fail ends every item of a call that did not go through as a whole.
func (p *push) fail(items []*item, e *connectors.PushError) {
	if p.failure == nil {
		p.failure = e
	}
	for _, it := range items {
		it.whole = it.whole || !it.done
		it.fail(e)
	}
}

// halt ends items whose call failed in a way that the next one would share.
func (p *push) halt(items []*item, e *connectors.PushError) {
	if p.stop == nil {
		p.stop = e
	}
	p.fail(items, e)
}

// open gives the items that still have a way to go.
func (p *push) open() []*item {
	var open []*item
	for _, it := range p.items {
		if !it.done {
			open = append(open, it)
		}
	}
	return open
}

// results closes the push. When every single update failed with a whole call,
// that is the push's own failure.
func (p *push) results() ([]connectors.Result, error) {
	all := make([]connectors.Result, len(p.items))
	whole := len(p.items) > 0
	for i, it := range p.items {
		it.finish(connectors.Result{Outcome: connectors.OK})
		all[i] = it.result
		if all[i].VendorID == "" && !it.missing {
			all[i].VendorID = it.id
		}
		all[i].Written = it.written
		whole = whole && it.whole && len(it.written) == 0
	}
	if whole {
		return nil, p.failure
	}
	return all, nil
}

// noteWritten remembers fields that arrived, for the ledger of echoes.
func (it *item) noteWritten(fields map[string]string) {
	if it.id == "" {
		return
	}
	for _, name := range sortedKeys(fields) {
		it.written = append(it.written, connectors.Field{Record: it.id, Name: name, Value: fields[name]})
	}
}

// merged is the item's changed properties with one more.
func merged(fields map[string]string, name, value string) map[string]string {
	all := maps.Clone(fields)
	all[name] = value
	return all
}
