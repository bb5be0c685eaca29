package lifecycle

import (
	"cmp"
	"errors"
	"slices"
)

// ErrLate says that an event is not newer than everything that was applied to
// a person, be it an event or a change by time alone. The person has to be
// derived anew from all events.
var ErrLate = errors.New("lifecycle: event is older than what was applied already")

// Apply brings a person forward by events, and then to now. The events must be
// sorted by Before, newer than all that was applied, and effective: no two of
// one name and business key, counting those applied before (see Effective).
// Before each event every timer due before it is applied with its own time; a
// timer due at the event's own instant is looked at together with it.
//
// It gives the transitions in order, nil when nothing changed. When an event
// is not newer it gives ErrLate, and the profile is as it was.
//
// The outcome depends on the set of events, the plan and the greatest now
// alone: applying the same events in several calls, with Advance between them,
// gives the same profile and the same transitions but for Decided.
func (p *Plan) Apply(prof *Profile, events []Event, now Instant) ([]Transition, error) {
	at, id := prof.NewestAt, prof.NewestID
	for i := range events {
		e := &events[i]
		if e.At < at || e.At == at && string(e.ID[:]) <= string(id[:]) || prof.timed != 0 && e.At <= prof.timed {
			return nil, ErrLate
		}
		at, id = e.At, e.ID
	}
	r := p.start(prof, now)
	for i := range events {
		r.event(&events[i])
	}
	r.through(now)
	return r.out, nil
}

// Advance applies the timers due up to now, each with its own time, and gives
// the transitions in order. Nothing changes when none is due.
func (p *Plan) Advance(prof *Profile, now Instant) []Transition {
	if prof.NextCheck == 0 || prof.NextCheck > now {
		return nil
	}
	r := p.start(prof, now)
	r.through(now)
	return r.out
}

// Derive makes a person from nothing: from all events, in any order and with
// duplicates. It leaves the events as they are.
func (p *Plan) Derive(id ProfileID, events []Event, now Instant) (*Profile, []Transition) {
	prof := NewProfile(id)
	r := p.start(prof, now)
	for _, i := range effective(events) {
		r.event(&events[i])
	}
	r.through(now)
	return prof, r.out
}

// Effective gives the events that count, sorted by Before: of several with one
// id, and of several with one name and business key, only the earliest by (At,
// Connection, ID). The others are evidence of the same thing.
func Effective(events []Event) []Event {
	order := effective(events)
	list := make([]Event, len(order))
	for i, place := range order {
		list[i] = events[place]
	}
	return list
}

// effective gives the places of the events that count, in order.
func effective(events []Event) []int32 {
	order := make([]int32, len(events))
	keyed := false
	for i := range events {
		order[i] = int32(i)
		keyed = keyed || events[i].BusinessKey != ""
	}
	slices.SortFunc(order, func(a, b int32) int { return compareEvents(&events[a], &events[b]) })
	order = slices.CompactFunc(order, func(a, b int32) bool {
		return events[a].ID == events[b].ID && events[a].At == events[b].At
	})
	return dropEvidence(events, order, keyed)
}

// compareEvents is Event.Before with the connection as the last resort, so
// that of two copies of one event always the same is taken.
func compareEvents(a, b *Event) int {
	if c := cmp.Compare(a.At, b.At); c != 0 {
		return c
	}
	if a.ID != b.ID {
		return cmp.Compare(string(a.ID[:]), string(b.ID[:]))
	}
	return cmp.Compare(a.Connection, b.Connection)
}

// dropEvidence keeps the earliest of what shares an id or a business key.
func dropEvidence(events []Event, order []int32, keyed bool) []int32 {
	type business struct {
		name EventName
		key  string
	}
	ids := make(map[EventID]bool, len(order))
	var first map[business]int32
	if keyed {
		first = make(map[business]int32)
		for _, i := range order {
			e := &events[i]
			if e.BusinessKey == "" {
				continue
			}
			key := business{e.Name, e.BusinessKey}
			if have, ok := first[key]; !ok || e.At == events[have].At && e.Connection < events[have].Connection {
				first[key] = i
			}
		}
	}
	kept := order[:0]
	for _, i := range order {
		e := &events[i]
		if e.BusinessKey != "" && first[business{e.Name, e.BusinessKey}] != i || ids[e.ID] {
			continue
		}
		ids[e.ID] = true
		kept = append(kept, i)
	}
	return kept
}

// run is one call of Apply, Advance or Derive.
type run struct {
	view
	course           // the main lifecycle
	others  []course // the further ones that the person is in, by id
	decided Instant
	lost    int // conflicts of the present step
	out     []Transition
}

func (p *Plan) start(prof *Profile, now Instant) *run {
	r := &run{view: view{plan: p, prof: prof}, decided: now, course: course{track: &p.track, at: &prof.Standing, path: p.PathIndex(prof.Path)}}
	if len(p.others)+len(prof.lifecycles) > 0 {
		r.follow()
	}
	prof.PlanVersion = p.version
	r.locate()
	return r
}

// through applies the timers due up to an instant.
func (r *run) through(until Instant) {
	for r.prof.NextCheck != 0 && r.prof.NextCheck <= until {
		r.step(r.prof.NextCheck, nil)
	}
}

// event applies the timers due before an event and then the event.
func (r *run) event(e *Event) {
	prof := r.prof
	for prof.NextCheck != 0 && prof.NextCheck < e.At {
		r.step(prof.NextCheck, nil)
	}
	newcomer := prof.NewestAt == 0 && prof.NewestID == EventID{}
	prof.NewestAt, prof.NewestID = e.At, e.ID
	touched := r.absorb(e)
	// A check one microsecond away may be stage conditions that have yet to see
	// the stage another event of this instant led to: this event shows it to them.
	due := prof.NextCheck != 0 && prof.NextCheck <= e.At.after(1)
	if !touched && !due && !newcomer && prof.idle == 0 {
		return // nothing that a condition reads has changed
	}
	prof.idle = 0
	r.step(e.At, e)
}

// absorb adds an event to the facts. It tells whether anything changed that
// the plan looks at.
func (r *run) absorb(e *Event) (touched bool) {
	prof, p := r.prof, r.plan
	if e.IsDecision() {
		if len(p.others) > 0 {
			r.attend(e)
		}
		r.decision(e)
		r.setTraits(e, false)
		return true
	}
	if prof.Events == 0 {
		prof.Source, prof.FirstSeen = cutText(e.Connection, MaxNameBytes), e.At
		touched = true
	}
	prof.Events++
	prof.LastSeen = e.At
	if p.activity[e.Name] {
		prof.LastActivity = e.At
		touched = touched || p.activeRead
	}
	planned := p.readsEvent(e.Name)
	if prof.countEvent(e, planned, p.keep[e.Name]) {
		r.locate()
	}
	if len(p.scores) > 0 {
		prof.scoreEvent(p, e)
	}
	if len(p.others) > 0 && r.attend(e) {
		touched = true
	}
	read := r.setTraits(e, true)
	return touched || planned || read || e.Claim != ""
}
