package hubspot

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/connectors"
)

// moveBack finishes the items whose new stage HubSpot did not take. Its own
// lifecycle stage only moves forward: a write of an earlier one is answered with
// success and leaves the value (knowledge.hubspot.com, "Use lifecycle stages").
// So it is cleared, set, and read back, since that answer is the one in doubt.
func (p *push) moveBack(ctx context.Context) {
	var staged []*item
	for _, it := range p.open() {
		if it.stage != "" {
			staged = append(staged, it)
		}
	}
	kept := p.keptOther(ctx, staged)
	if len(kept) == 0 {
		return
	}
	p.send(ctx, byID, kept, func(*item) map[string]string { return map[string]string{nativeStageProperty: ""} })
	p.send(ctx, byID, kept, func(it *item) map[string]string { return map[string]string{nativeStageProperty: it.stage} })
	for _, it := range kept {
		it.told = false
	}
	for _, it := range p.keptOther(ctx, kept) {
		it.finish(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: fmt.Sprintf("HubSpot keeps the lifecycle stage %q after it was cleared and set to %q; a workflow or a sync setting may hold it", it.held, it.stage),
		})
	}
}

// keptOther gives the items of which HubSpot holds another stage than the one
// written. Those whose last answer did not tell are read.
func (p *push) keptOther(ctx context.Context, items []*item) []*item {
	var untold []*item
	for _, it := range items {
		if !it.done && !it.told {
			untold = append(untold, it)
		}
	}
	p.readStages(ctx, untold)
	var kept []*item
	for _, it := range items {
		switch {
		case it.missing:
			it.skip(connectors.ReasonNotInVendor, "the contact was deleted at HubSpot")
		case !it.done && it.held != it.stage:
			kept = append(kept, it)
		}
	}
	return kept
}

// readStages reads the stage that HubSpot holds. An item that cannot be found is
// missing.
func (p *push) readStages(ctx context.Context, items []*item) {
	if len(items) == 0 {
		return
	}
	p.findIDs(ctx, items)
	byRecord := map[string][]*item{}
	for _, it := range items {
		if it.id != "" && !it.done {
			byRecord[it.id] = append(byRecord[it.id], it)
		}
	}
	if len(byRecord) == 0 {
		return
	}
	objects, err := p.c.readObjects(ctx, "contact", "", sortedKeys(byRecord), []string{nativeStageProperty, "hs_merged_object_ids"})
	if err != nil {
		p.halt(items, asPush(err))
		return
	}
	for i := range objects {
		o := &objects[i]
		for _, id := range append(mergedIDs(o), o.ID) {
			for _, it := range byRecord[id] {
				it.held, it.told = o.property(nativeStageProperty), true
			}
		}
	}
	for _, it := range items {
		it.missing = it.missing || !it.told && !it.done
	}
}
