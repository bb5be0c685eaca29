package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// provenancePeople bounds the contested set that is read to tell where a
// person's keys come from.
const provenancePeople = 200

// Provenance tells why a person's keys are one person's.
type Provenance struct {
	Keys   []KeyOrigin
	Joined []JoinOrigin
	// Absorbed are people who became this one, oldest number first.
	Absorbed []store.Merged
	// Partial: others are contested with this person, too many to read, so
	// what they have a say in may be missing.
	Partial bool
}

// KeyOrigin is a key and the earliest event that names it.
type KeyOrigin struct {
	Key   lifecycle.Key
	Class lifecycle.KeyClass
	// Event is nil where no event of the person names the key.
	Event *lifecycle.Event
}

// JoinOrigin is what brought a key to the person of another: an event of a
// connection, or somebody's decision.
type JoinOrigin struct {
	Key, With lifecycle.Key
	// Class is that of the weaker key, unless somebody decided.
	Class    lifecycle.KeyClass
	Decision lifecycle.Decision
	Event    *lifecycle.Event
}

// Provenance reads where a person's keys come from. It is worked out from the
// events, as rebuilding would, so it holds whatever order they came in. The
// error is store.ErrNotFound for nobody.
func (a *Admin) Provenance(ctx context.Context, id lifecycle.ProfileID) (*Provenance, error) {
	out, _, err := a.provenance(ctx, id)
	return out, err
}

// provenance also gives the person's events, in order.
func (a *Admin) provenance(ctx context.Context, id lifecycle.ProfileID) (*Provenance, []lifecycle.Event, error) {
	s, guards := a.Registry.o.Store, a.Registry.Config().Guards
	row, err := s.Person(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	out := &Provenance{}
	ids := []lifecycle.ProfileID{row.ID}
	if row.Contested != 0 {
		all, err := s.ContestedWith(ctx, row.Contested, provenancePeople+1)
		if err != nil {
			return nil, nil, err
		}
		if out.Partial = len(all) > provenancePeople; !out.Partial {
			ids = all
		}
	}
	stored := map[lifecycle.ProfileID][]lifecycle.Event{}
	byID := map[lifecycle.EventID]*lifecycle.Event{}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	whole, err := s.PeopleByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range whole {
		stored[w.Person.ID] = w.Events
		for i := range w.Events {
			byID[w.Events[i].ID] = &w.Events[i]
		}
	}
	keys := parseKeys(row.Keys)
	for _, j := range partition(guards, ids, stored, nil).Joined {
		if slices.Contains(keys, j.Key) && slices.Contains(keys, j.With) {
			out.Joined = append(out.Joined, JoinOrigin{j.Key, j.With, guards.Link(j.Key, j.With), j.Decision, byID[j.Edge]})
		}
	}
	out.Keys = origins(guards, keys, stored[row.ID])
	if out.Absorbed, err = s.MergedInto(ctx, row.ID, provenancePeople); err != nil {
		return nil, nil, fmt.Errorf("jobs: provenance: %w", err)
	}
	return out, stored[row.ID], nil
}

// origins finds the earliest event that names each key.
func origins(guards lifecycle.Guards, keys []lifecycle.Key, events []lifecycle.Event) []KeyOrigin {
	first := make(map[lifecycle.Key]*lifecycle.Event, len(keys))
	for i := range events { // in order of time
		for _, k := range events[i].Identity {
			if first[k] == nil {
				first[k] = &events[i]
			}
		}
	}
	all := make([]KeyOrigin, len(keys))
	for i, k := range keys {
		all[i] = KeyOrigin{k, guards.Class(k), first[k]}
	}
	return all
}
