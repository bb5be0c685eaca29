package salesforce

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// updatePath ends the path of a write by record id, of contacts and leads
// together.
const updatePath = "/composite/sobjects"

// update writes to records by id. A record stands in one request only once:
// Salesforce refuses a list that names it twice.
func (p *push) update(ctx context.Context, items []*item) {
	for len(items) > 0 && !p.stopped(items) {
		var batch, later []*item
		taken := map[string]bool{}
		for _, it := range items {
			if taken[it.id] || len(batch) == maxBatch {
				later = append(later, it)
				continue
			}
			taken[it.id] = true
			batch = append(batch, it)
		}
		records := make([]record, len(batch))
		for i, it := range batch {
			records[i] = maps.Clone(it.fields)
			records[i]["attributes"] = attributes{it.object()}
			records[i]["id"] = it.id
		}
		p.write(ctx, "update records", p.c.root+updatePath, batch, records)
		items = later
	}
}

// create makes records, or finds those that an answer was lost about: the
// external id makes the same request again harmless.
func (p *push) create(ctx context.Context, items []*item) {
	if len(items) == 0 || p.stopped(items) {
		return
	}
	records := make([]record, len(items))
	for i, it := range items {
		r := record{
			"attributes": attributes{p.c.createAs}, p.c.external: externalID(it.u),
			"Email": strings.TrimSpace(it.u.Email), "LastName": p.c.missing,
		}
		if p.c.createAs == objectLead {
			r["Company"] = p.c.missing
		}
		for name, value := range p.c.differing(it.u, nil) {
			// Required at birth, so that an empty value does not do.
			if _, required := r[name]; !required || value != nil && value != "" {
				r[name] = value
			}
		}
		records[i] = r
	}
	p.write(ctx, "create records", p.c.root+updatePath+"/"+p.c.createAs+"/"+p.c.external, items, records)
}

// write makes the request and reads the row of each item.
func (p *push) write(ctx context.Context, act, path string, items []*item, records []record) {
	var rows []row
	if err := p.c.call(ctx, act, http.MethodPatch, path, collection{Records: records}, &rows); err != nil {
		p.halt(items, err)
		return
	}
	if len(rows) != len(items) {
		p.halt(items, &connectors.PushError{
			Act: "salesforce: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true,
			Message: fmt.Sprintf("%d rows in the answer to %d records", len(rows), len(items)),
		})
		return
	}
	for i, it := range items {
		p.settle(it, rows[i])
	}
}

// settle reads what became of one record.
func (p *push) settle(it *item, r row) {
	if r.Success {
		if isID(r.ID, "") {
			it.id = id18(r.ID)
		}
		it.finish(connectors.Result{Outcome: connectors.OK, VendorID: it.id})
		return
	}
	e := p.c.rowFailure(r)
	switch {
	case len(r.Errors) > 0 && r.Errors[0].Code == "CANNOT_UPDATE_CONVERTED_LEAD" && !it.again:
		it.converted = true
	case e.Reason == connectors.ReasonNotFound && it.id != "" && !it.again:
		// What was known is gone with the record.
		it.id, it.lost, it.fields = "", true, p.c.differing(it.u, nil)
		if foldEmail(it.u.Email) == "" && (it.account == nil || it.account.Domain == "") {
			it.skip(connectors.ReasonNotInVendor, "the record was deleted at Salesforce")
		}
	default:
		it.finish(e.Result())
	}
}

// rowFailure words why a row was refused. A field that the user of the app
// cannot see is refused as though it did not exist.
func (c *Connector) rowFailure(r row) *connectors.PushError {
	if len(r.Errors) == 0 {
		return &connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the row was refused without a reason"}
	}
	first := r.Errors[0]
	e := &connectors.PushError{}
	e.Reason, e.Retryable, _ = reasonOf(first.Code, first.Message)
	words := first.Code + ": " + first.Message
	if e.Reason == connectors.ReasonSettings {
		words += " (is the field there, and may the user of the app see and edit it?)"
	}
	if e.Reason == connectors.ReasonRateLimit {
		e.RetryAfter = quotaPause
	}
	e.Message = connectors.Words(words, c.hide()...)
	return e
}

// followConverted looks for the contacts that converted leads have become, and
// writes to those.
func (p *push) followConverted(ctx context.Context) {
	items := p.open(func(it *item) bool { return it.converted })
	if len(items) == 0 || p.stopped(items) {
		return
	}
	var ids []string
	for _, it := range items {
		ids = append(ids, it.id)
	}
	rows, err := p.c.query(ctx, "follow converted leads", "SELECT Id,ConvertedContactId FROM Lead WHERE Id IN "+quotedList(ids))
	if err != nil {
		p.halt(items, err)
		return
	}
	contacts := map[string]string{}
	for _, row := range rows {
		if id := text(row["ConvertedContactId"]); isID(id, "003") {
			contacts[id18(text(row["Id"]))] = id18(id)
		}
	}
	for _, it := range items {
		// What is known is known of the lead, not of the contact.
		it.id, it.again, it.fields = contacts[it.id], true, p.c.differing(it.u, nil)
		if it.id == "" {
			it.skip(connectors.ReasonNotInVendor, "the lead was converted, and its contact cannot be seen")
		}
	}
	p.update(ctx, items)
}
