package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// RulesEffect is what other events would do to people.
type RulesEffect struct {
	// People there are who would have other events, and whose stage or segments
	// would be others for it.
	People  int64 `json:"people"`
	Changed int64 `json:"changed"`
	// New people would come into being. Joined events name several people or
	// somebody new together with a known one, who would be joined where the
	// guards allow it; their effect is counted at the oldest.
	New    int64        `json:"new_people"`
	Joined int64        `json:"joining_events"`
	Stages []StageFlow  `json:"stages"`
	Parts  []SegmentSum `json:"segments"`
	// Pushes counts people whom each connection would be told of. What becomes of
	// accounts is not foretold.
	Pushes []PushFlow `json:"pushes"`
	// Whole is false when more raw events differ than are looked at for this:
	// then the newest of them are.
	Whole bool `json:"whole"`
}

// maxEffect bounds the raw events whose events are kept until the end.
const maxEffect = 20_000

// rulesEffect gathers the events of raw events that differ.
type rulesEffect struct {
	store *store.Store
	cfg   *Config
	now   lifecycle.Instant
	// derived compares with what people would be under cfg without the events,
	// where a change of the plan comes first.
	derived bool
	rows    map[int64]bool
	fresh   []lifecycle.Event
	lost    map[lifecycle.ProfileID]bool // whose events would go or change
	out     RulesEffect
}

func newRulesEffect(s *store.Store, cfg *Config, now lifecycle.Instant) *rulesEffect {
	return &rulesEffect{store: s, cfg: cfg, now: now, rows: map[int64]bool{}, lost: map[lifecycle.ProfileID]bool{}, out: RulesEffect{Whole: true}}
}

func (e *rulesEffect) note(row int64, stored []store.Stored, events []lifecycle.Event) {
	if len(e.rows) >= maxEffect {
		e.out.Whole = false
		return
	}
	e.rows[row] = true
	e.fresh = append(e.fresh, events...)
	for i := range stored {
		e.lost[stored[i].Person] = true
	}
}

// result gives every event to whom it would belong, and derives them.
func (e *rulesEffect) result(ctx context.Context) (RulesEffect, error) {
	known, strangers, err := e.attach(ctx)
	if err != nil {
		return e.out, err
	}
	t := newTally()
	ids := map[lifecycle.ProfileID]bool{}
	maps.Copy(ids, e.lost)
	for id := range known {
		ids[id] = true
	}
	sorted := slices.Sorted(maps.Keys(ids))
	for chunk := range slices.Chunk(sorted, 500) {
		if err := e.derive(ctx, t, chunk, known); err != nil {
			return e.out, err
		}
	}
	for _, events := range strangers {
		next, _ := e.cfg.Plan.Derive(0, events, e.now)
		e.appears(t, next)
	}
	e.out.People, e.out.New, e.out.Changed = int64(len(sorted)), int64(len(strangers)), t.changed
	e.tell(t)
	return e.out, nil
}

// attach gives the events to the people who own their keys as things stand, and
// those of nobody to strangers, one for keys seen together.
func (e *rulesEffect) attach(ctx context.Context) (map[lifecycle.ProfileID][]lifecycle.Event, map[int][]lifecycle.Event, error) {
	known, strangers := map[lifecycle.ProfileID][]lifecycle.Event{}, map[int][]lifecycle.Event{}
	nobody := map[string]int{} // which stranger a key of nobody names
	for chunk := range slices.Chunk(e.fresh, 1000) {
		all := make([]*lifecycle.Event, len(chunk))
		for i := range chunk {
			all[i] = &chunk[i]
		}
		owners, err := e.store.Owners(ctx, usableKeys(&e.cfg.Guards, all))
		if err != nil {
			return nil, nil, err
		}
		for _, x := range all {
			var people []lifecycle.ProfileID
			var unowned []string
			for _, k := range e.cfg.Guards.Usable(x.Identity) {
				if id, ok := owners[k.String()]; ok {
					people = append(people, id)
				} else {
					unowned = append(unowned, k.String())
				}
			}
			slices.Sort(people)
			people = slices.Compact(people)
			if len(people) > 1 {
				e.out.Joined++
			}
			if len(people) > 0 {
				known[people[0]] = append(known[people[0]], *x)
				continue
			}
			at := e.stranger(nobody, strangers, unowned)
			strangers[at] = append(strangers[at], *x)
		}
	}
	return known, strangers, nil
}

// stranger gives the number of whoever the keys name, and makes one of those
// that they show to be the same.
func (e *rulesEffect) stranger(nobody map[string]int, strangers map[int][]lifecycle.Event, keys []string) int {
	at := len(nobody)
	for _, k := range keys {
		if have, ok := nobody[k]; ok {
			at = have
			break
		}
	}
	for _, k := range keys {
		if have, ok := nobody[k]; ok && have != at {
			for other, n := range nobody {
				if n == have {
					nobody[other] = at
				}
			}
			strangers[at] = append(strangers[at], strangers[have]...)
			delete(strangers, have)
		}
		nobody[k] = at
	}
	return at
}

// derive compares people with what they would be.
func (e *rulesEffect) derive(ctx context.Context, t *tally, ids []lifecycle.ProfileID, known map[lifecycle.ProfileID][]lifecycle.Event) error {
	rest := make(map[lifecycle.ProfileID][]lifecycle.Event, len(ids))
	err := e.store.EachHistory(ctx, ids, func(id lifecycle.ProfileID, events []lifecycle.Event) error {
		for i := range events {
			if !e.rows[events[i].Inbox] {
				rest[id] = append(rest[id], events[i])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	addresses, err := ownAddressesOf(ctx, e.store, &e.cfg.Guards, ids)
	if err != nil {
		return err
	}
	states, err := e.store.StatesOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if states[id] == nil {
			continue
		}
		prof, err := lifecycle.DecodeProfile(states[id])
		if err != nil {
			return err
		}
		if e.derived && len(rest[id]) > 0 {
			prof, _ = e.cfg.PlanOf(id).Derive(id, addresses.own(id, rest[id]), e.now)
		}
		was := remember(e.cfg, prof)
		next := lifecycle.NewProfile(id)
		if events := append(addresses.own(id, rest[id]), known[id]...); len(events) > 0 {
			next, _ = e.cfg.PlanOf(id).Derive(id, events, e.now)
		}
		e.stays(t, id, &was, next, len(rest[id])+len(known[id]) > 0)
	}
	return nil
}

// textOf spells an event for reading; nil for nil.
func textOf(e *lifecycle.Event) *EventText {
	if e == nil {
		return nil
	}
	x := &EventText{Name: string(e.Name), At: e.At.Time().Format(time.RFC3339Nano), Identity: []string{}, Key: e.BusinessKey, Claim: string(e.Claim), Properties: e.Properties}
	for _, k := range e.Identity {
		x.Identity = append(x.Identity, k.String())
	}
	for _, t := range e.Traits {
		if x.Traits == nil {
			x.Traits = map[string]any{}
		}
		x.Traits[t.Name] = t.Value
	}
	if e.Value != nil {
		x.Value = fmt.Sprintf("%.2f %s", float64(e.Value.Micros)/1e6, e.Value.Currency)
	}
	return x
}

// hashOf tells requests apart, so that equal ones share their work.
func hashOf(v any) uint64 {
	h := fnv.New64a()
	b, err := json.Marshal(v)
	if err != nil {
		return 0 // what is asked for always encodes
	}
	h.Write(b)
	return h.Sum64()
}
