package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSplits is how many batches one push may halve in search of the bad one.
// One in a hundred takes seven; what is left over is sent with the next push,
// without those found bad by then.
const maxSplits = 40

// form is a way to write contacts: by record id, or by e-mail address.
type form struct {
	act, path  string
	idProperty string
	// key is what the vendor knows the item by; each once per batch.
	key func(*item) string
}

var (
	byID    = form{"update contacts", "/crm/v3/objects/contacts/batch/update", "", func(it *item) string { return it.id }}
	byEmail = form{"upsert contacts", "/crm/v3/objects/contacts/batch/upsert", "email", func(it *item) string { return foldEmail(it.update.Email) }}
)

// write brings the changed properties to HubSpot: by record id wherever it is
// known, so that a changed e-mail address finds the same contact; by address for
// the rest, which creates contacts only where the push may.
func (p *push) write(ctx context.Context) {
	p.writeFields(ctx)
	for _, it := range p.open() {
		if it.missing {
			it.skip(connectors.ReasonNotInVendor, "the contact was deleted at HubSpot")
		}
	}
}

func (p *push) writeFields(ctx context.Context) {
	var known, unknown []*item
	for _, it := range p.open() {
		if it.id == "" {
			unknown = append(unknown, it)
		} else if len(it.fields) > 0 {
			known = append(known, it)
		}
	}
	p.send(ctx, byID, known, changedFields)
	for _, it := range known {
		if it.missing && !it.done {
			// The record is gone; the person may be there under another id.
			it.missing, it.id = false, ""
			unknown = append(unknown, it)
		}
	}
	unknown = slices.DeleteFunc(unknown, func(it *item) bool {
		if it.update.Email == "" {
			it.skip(connectors.ReasonNotInVendor, "HubSpot has no contact "+it.update.VendorID)
		}
		return it.done
	})
	if p.c.config.Push.Create {
		p.send(ctx, byEmail, unknown, func(it *item) map[string]string {
			return merged(it.fields, "email", strings.TrimSpace(it.update.Email))
		})
		return
	}
	p.findIDs(ctx, unknown)
	unknown = slices.DeleteFunc(unknown, func(it *item) bool {
		if it.id == "" {
			it.skip(connectors.ReasonNotInVendor, "HubSpot has no contact with this e-mail address, and the push does not create any")
		}
		return it.done || len(it.fields) == 0
	})
	p.send(ctx, byID, unknown, changedFields)
}

func changedFields(it *item) map[string]string { return it.fields }

// findIDs looks record ids up by e-mail address. An address that HubSpot does
// not know leaves the id empty.
func (p *push) findIDs(ctx context.Context, items []*item) {
	wanted := map[string][]*item{}
	for _, it := range items {
		if it.id == "" && !it.done {
			key := foldEmail(it.update.Email)
			wanted[key] = append(wanted[key], it)
		}
	}
	if len(wanted) == 0 {
		return
	}
	objects, err := p.c.readObjects(ctx, "contact", "email", sortedKeys(wanted), []string{"email", "hs_additional_emails"})
	if err != nil {
		p.halt(items, asPush(err))
		return
	}
	for i := range objects {
		for _, address := range addresses(&objects[i]) {
			for _, it := range wanted[address] {
				it.id = objects[i].ID
			}
		}
	}
}

// addresses are the e-mail addresses of a contact, folded: the primary one and
// the others that lead to it.
func addresses(o *object) []string {
	all := []string{foldEmail(o.property("email"))}
	for _, other := range checkboxValues(o.property("hs_additional_emails")) {
		all = append(all, foldEmail(other))
	}
	return all
}

// send writes items in batches that hold each key once.
func (p *push) send(ctx context.Context, f form, items []*item, fields func(*item) map[string]string) {
	for _, it := range items {
		it.sendable = fields(it)
	}
	for len(items) > 0 {
		if p.stop != nil {
			p.fail(items, p.stop)
			return
		}
		var batch, later []*item
		seen := map[string]bool{}
		for _, it := range items {
			switch key := f.key(it); {
			case it.done:
			case seen[key] || len(batch) == crmBatch:
				later = append(later, it)
			default:
				seen[key] = true
				batch = append(batch, it)
			}
		}
		p.sendBatch(ctx, f, batch)
		items = later
	}
}

// sendBatch makes the call for one batch and settles what became of each item.
// A batch that is refused as a whole is halved until the bad one stands alone.
func (p *push) sendBatch(ctx context.Context, f form, items []*item) {
	if len(items) == 0 {
		return
	}
	body := batchWrite{Inputs: make([]writeInput, len(items))}
	for i, it := range items {
		body.Inputs[i] = writeInput{f.idProperty, f.id(it), it.update.ID, it.sendable}
	}
	var got batchAnswer
	answer, err := p.c.call(ctx, f.act, http.MethodPost, f.path, body, &got)
	switch e := asPush(err); {
	case e == nil:
		p.settle(ctx, f, items, got)
	case !contentRefused(e.Reason):
		p.halt(items, e)
	case len(items) == 1 && e.Reason == connectors.ReasonNotFound:
		items[0].missing = true
	case len(items) == 1:
		p.refuse(items[0], e, errorOf(answer).Message)
	default:
		p.halve(ctx, f, items)
	}
}

// id is the item's id in a batch's input.
func (f form) id(it *item) string {
	if f.idProperty == "" {
		return it.id
	}
	return strings.TrimSpace(it.update.Email)
}

// contentRefused reports whether a whole batch was refused for what is in it,
// so that the rest of it may go through without the bad one.
func contentRefused(r connectors.Reason) bool {
	switch r {
	case connectors.ReasonInvalid, connectors.ReasonConflict, connectors.ReasonNotFound, connectors.ReasonTooLarge:
		return true
	}
	return false
}

// halve sends the two halves one after the other. Once a call fails as a whole
// or the splits are used up, the rest waits for the next push.
func (p *push) halve(ctx context.Context, f form, items []*item) {
	if p.splits == 0 {
		for _, it := range items {
			it.finish(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "HubSpot refused the batch for other people in it"})
		}
		return
	}
	p.splits--
	middle := len(items) / 2
	p.sendBatch(ctx, f, items[:middle])
	if p.stop != nil {
		p.fail(items[middle:], p.stop)
		return
	}
	p.sendBatch(ctx, f, items[middle:])
}

// refuse ends an item whose content HubSpot refuses, in the words given. When
// they are about an option of ours that should be there, somebody removed it:
// then it is worth another try, with the options read again.
func (p *push) refuse(it *item, e *connectors.PushError, words string) {
	for _, own := range []string{p.c.stageProperty, ownStageProperty, ownSegmentsProperty} {
		if strings.Contains(words, "INVALID_OPTION") && strings.Contains(words, `"`+own+`"`) {
			p.schema.forget(own)
			it.finish(connectors.Result{Outcome: connectors.Retry, Reason: e.Reason, Message: e.Message})
			return
		}
	}
	it.fail(e)
}
