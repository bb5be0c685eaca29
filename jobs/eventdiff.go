package jobs

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// EventDifference counts canonical events of one name.
type EventDifference struct {
	Name    string `json:"name"`
	Added   int64  `json:"added"`
	Removed int64  `json:"removed"`
	Changed int64  `json:"changed"`
	// Samples are some of them, the newest first; none of what was done already.
	Samples []EventSample `json:"samples,omitempty"`
}

// EventSample is one canonical event before and after; one of the two is nil
// where it is added or removed.
type EventSample struct {
	RawEvent int64      `json:"raw_event"`
	Was      *EventText `json:"was"`
	Is       *EventText `json:"is"`
}

// OutcomeFlow counts raw events by what became of them and what would.
type OutcomeFlow struct {
	From      string `json:"from"`
	To        string `json:"to"`
	RawEvents int64  `json:"raw_events"`
}

// eventDiffs adds up how what raw events give differs from what they gave.
type eventDiffs struct {
	samples  int // of each name
	events   map[string]*EventDifference
	outcomes map[[2]string]int64
}

func newEventDiffs(samples int) *eventDiffs {
	return &eventDiffs{samples: samples, events: map[string]*EventDifference{}, outcomes: map[[2]string]int64{}}
}

// compare counts the events of a row that differ.
func (d *eventDiffs) compare(row int64, stored []store.Stored, events []lifecycle.Event) {
	now := make(map[lifecycle.EventID]*lifecycle.Event, len(events))
	for i := range events {
		now[events[i].ID] = &events[i]
	}
	for i := range stored {
		was := &stored[i].Event
		is := now[was.ID]
		switch {
		case is != nil && is.Name == was.Name:
			delete(now, was.ID)
			if !store.SameEvent(was, is) {
				d.of(was.Name).Changed++
				d.sample(row, was, is)
			}
		default:
			d.of(was.Name).Removed++
			d.sample(row, was, nil)
		}
	}
	for i := range events {
		if is := now[events[i].ID]; is != nil {
			d.of(is.Name).Added++
			d.sample(row, nil, is)
		}
	}
}

// outcome counts a raw event that ends otherwise.
func (d *eventDiffs) outcome(from, to string) {
	if from != to {
		d.outcomes[[2]string{from, to}]++
	}
}

func (d *eventDiffs) of(name lifecycle.EventName) *EventDifference {
	one := d.events[string(name)]
	if one == nil {
		one = &EventDifference{Name: string(name)}
		d.events[string(name)] = one
	}
	return one
}

func (d *eventDiffs) sample(row int64, was, is *lifecycle.Event) {
	name := lifecycle.EventName("")
	if name = cmp.Or(nameOf(was), nameOf(is)); d.samples > len(d.of(name).Samples) {
		one := d.of(name)
		one.Samples = append(one.Samples, EventSample{row, textOf(was), textOf(is)})
	}
}

func nameOf(e *lifecycle.Event) lifecycle.EventName {
	if e == nil {
		return ""
	}
	return e.Name
}

// add takes in what was counted before.
func (d *eventDiffs) add(events []EventDifference, outcomes []OutcomeFlow) {
	for _, e := range events {
		one := d.of(lifecycle.EventName(e.Name))
		one.Added, one.Removed, one.Changed = one.Added+e.Added, one.Removed+e.Removed, one.Changed+e.Changed
	}
	for _, o := range outcomes {
		d.outcomes[[2]string{o.From, o.To}] += o.RawEvents
	}
}

// list gives the events by name and the outcomes, greatest first.
func (d *eventDiffs) list() (events []EventDifference, outcomes []OutcomeFlow) {
	for _, name := range slices.Sorted(maps.Keys(d.events)) {
		events = append(events, *d.events[name])
	}
	for pair, n := range d.outcomes {
		outcomes = append(outcomes, OutcomeFlow{pair[0], pair[1], n})
	}
	slices.SortFunc(outcomes, func(a, b OutcomeFlow) int {
		return cmp.Or(cmp.Compare(b.RawEvents, a.RawEvents), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return events, outcomes
}
