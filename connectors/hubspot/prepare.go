package hubspot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// prepare turns stages and segments into values that HubSpot has, creating
// what is missing where the connection may. Items whose values cannot be had end
// here; the others go on.
func (p *push) prepare(ctx context.Context) {
	p.prepareStages(ctx, p.c.stageDefinition())
	if p.c.segmentsAs == segmentsAsProperty {
		p.prepareSegments(ctx)
	}
}

func (p *push) prepareStages(ctx context.Context, def property) {
	var names []string
	for _, it := range p.open() {
		if it.stage != "" {
			names = append(names, it.stage)
		}
	}
	if len(names) == 0 {
		return
	}
	have, err := p.schema.values(ctx, def, distinct(names), p.c.create)
	for _, it := range p.open() {
		if it.stage == "" {
			continue
		}
		value, ok := have[it.stage]
		if !ok {
			p.unprepared(it, err, fmt.Sprintf("the property %s has no option for the stage %q", def.Name, it.stage))
			continue
		}
		it.stage = value
		it.fields[def.Name] = value
	}
}

func (p *push) prepareSegments(ctx context.Context) {
	var names []string
	for _, it := range p.open() {
		if it.segments {
			names = append(names, it.update.Want.Segments...)
			// An empty set needs the property, not an option.
			if len(it.update.Want.Segments) == 0 {
				names = append(names, "")
			}
		}
	}
	if len(names) == 0 {
		return
	}
	have, err := p.schema.values(ctx, segmentsDefinition(), distinct(names), p.c.create)
	for _, it := range p.open() {
		if !it.segments {
			continue
		}
		lacking := slices.IndexFunc(it.update.Want.Segments, func(s string) bool { return have[s] == "" })
		_, there := have[""]
		switch {
		case lacking >= 0:
			p.unprepared(it, err, fmt.Sprintf("the property %s has no option for the segment %q", ownSegmentsProperty, it.update.Want.Segments[lacking]))
		case len(it.update.Want.Segments) == 0 && !there:
			p.unprepared(it, err, "there is no property "+ownSegmentsProperty)
		default:
			values := make([]string, len(it.update.Want.Segments))
			for i, s := range it.update.Want.Segments {
				values[i] = have[s]
			}
			slices.Sort(values)
			// Replaces the whole set: the property is ours alone.
			it.fields[ownSegmentsProperty] = strings.Join(values, ";")
		}
	}
}

// unprepared ends an item that lacks something at HubSpot: with the error met
// on the way to create it, else with what a person has to do.
func (p *push) unprepared(it *item, err error, what string) {
	if failure := asPush(err); failure != nil {
		p.fail([]*item{it}, failure)
		return
	}
	hint := "create it, or let the connection do so (create_properties)"
	if p.c.stageProperty == nativeStageProperty && strings.Contains(what, nativeStageProperty) {
		hint = "name one of HubSpot's own stages for it under push.stages"
	}
	it.finish(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: what + "; " + hint})
}

// moved lists the segments to join and to leave, seen from what is known; all
// of them where nothing is.
func moved(want connectors.State, known *connectors.State) (join, leave []string) {
	if known == nil {
		return want.Segments, want.Absent
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			join = append(join, s)
		}
	}
	for _, s := range want.Absent {
		if !slices.Contains(known.Absent, s) {
			leave = append(leave, s)
		}
	}
	return join, leave
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
