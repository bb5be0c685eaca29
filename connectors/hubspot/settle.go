package hubspot

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// settle matches the parts of a batch's answer, 200 or 207, to the items sent.
func (p *push) settle(ctx context.Context, f form, items []*item, got batchAnswer) {
	if len(got.Results) == 0 && len(got.Errors) == 0 {
		for _, it := range items {
			it.fail(&connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "HubSpot answered well but wrote nothing"})
		}
		return
	}
	byTrace, byKey := map[string]*item{}, map[string]*item{}
	for _, it := range items {
		byTrace[it.update.ID], byKey[f.key(it)] = it, it
	}
	open := map[*item]bool{}
	for _, it := range items {
		open[it] = true
	}
	var strayResults []*object
	for i := range got.Results {
		o := &got.Results[i]
		it := byTrace[o.TraceID]
		if it == nil {
			it = f.itemOf(o, byKey)
		}
		if it == nil || !open[it] {
			strayResults = append(strayResults, o)
			continue
		}
		delete(open, it)
		p.arrived(it, o)
	}
	var strayErrors []apiError
	for _, e := range got.Errors {
		named := f.itemsOf(&e, byTrace, byKey)
		for _, it := range named {
			if open[it] {
				delete(open, it)
				p.partRefused(it, e)
			}
		}
		if len(named) == 0 {
			strayErrors = append(strayErrors, e)
		}
	}
	var left []*item
	for _, it := range items {
		if open[it] {
			left = append(left, it)
		}
	}
	p.settleRest(ctx, f, left, strayResults, strayErrors)
}

// settleRest deals with the items that no part of the answer names.
func (p *push) settleRest(ctx context.Context, f form, left []*item, results []*object, errs []apiError) {
	switch {
	case len(left) == 0:
	case len(errs) == 0 && len(results) == len(left):
		// Written, under ids or addresses we do not know them by.
		for _, it := range left {
			o := &object{}
			if len(left) == 1 {
				o = results[0]
			}
			p.arrived(it, o)
		}
	case len(errs) > 0 && len(left) == 1:
		p.partRefused(left[0], errs[0])
	case len(errs) > 0:
		// One of them is bad; alone it can be told which.
		p.halve(ctx, f, left)
	default:
		for _, it := range left {
			it.fail(&connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "HubSpot's answer does not say what became of this one"})
		}
	}
}

// arrived notes what HubSpot says it holds now.
func (p *push) arrived(it *item, o *object) {
	if digits(o.ID) {
		it.id = o.ID
	}
	it.held, it.told = "", false
	if _, there := o.Properties[p.c.stageProperty]; there {
		it.held, it.told = o.property(p.c.stageProperty), true
	}
	it.noteWritten(it.sendable)
}

// partRefused ends an item with the error of its part of a batch.
func (p *push) partRefused(it *item, e apiError) {
	if e.notFound() {
		it.missing = true
		return
	}
	p.refuse(it, p.c.partError("write contacts", &e), e.Message)
}

// itemOf finds the item that a result is about, by what the vendor knows it by.
func (f form) itemOf(o *object, byKey map[string]*item) *item {
	if f.idProperty == "" {
		if it := byKey[o.ID]; it != nil {
			return it
		}
		return byKey[o.property("domain")] // of a company that was made just now
	}
	for _, address := range addresses(o) {
		if it := byKey[address]; it != nil && address != "" {
			return it
		}
	}
	return nil
}

// itemsOf finds the items that an error names: by trace id, or by the ids that
// HubSpot lists for records it does not have.
func (f form) itemsOf(e *apiError, byTrace, byKey map[string]*item) []*item {
	var named []*item
	for _, id := range e.Context["objectWriteTraceId"] {
		if it := byTrace[id]; it != nil {
			named = append(named, it)
		}
	}
	if len(named) > 0 {
		return named
	}
	for _, member := range []string{"ids", "id"} {
		for _, id := range e.Context[member] {
			if it := byKey[foldEmail(id)]; it != nil {
				named = append(named, it)
			}
		}
	}
	return named
}
