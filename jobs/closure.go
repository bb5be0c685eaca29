package jobs

import (
	"context"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// close reads the past of everybody in sets that are to be rebuilt, and brings in
// whom it names: a key that was kept apart while nobody had it may be somebody's
// by now, and belongs to the connected set all the same. Without them a rebuild
// could give that key to one of its own, while somebody else has it. It goes on
// until nobody new is named; every set is decided after that.
func (r *resolver) close(ctx context.Context) error {
	for {
		ids := r.unread()
		if len(ids) == 0 {
			return nil
		}
		stored, err := r.t.EventsTx(ctx, ids)
		if err != nil {
			return err
		}
		tell := make([][]*lifecycle.Event, len(ids))
		for i, id := range ids {
			r.past[id], tell[i] = stored[id], distinct(stored[id])
		}
		if err := r.adoptNamed(ctx, slices.Concat(tell...)); err != nil {
			return err
		}
		for i, id := range ids {
			for _, e := range tell[i] {
				r.connectStored(r.people[id], e)
			}
		}
	}
}

// unread lists, in order, who is in a set that is to be rebuilt and has a past
// that was not read yet.
func (r *resolver) unread() []lifecycle.ProfileID {
	var ids []lifecycle.ProfileID
	for id, p := range r.people {
		if _, read := r.past[id]; !read && p.row != nil && p.set.root().rebuild {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// distinct leaves out events that name the same keys as one before: most do.
func distinct(events []lifecycle.Event) []*lifecycle.Event {
	var all []*lifecycle.Event
	seen := map[string]bool{}
	for i := range events {
		e := &events[i]
		if !e.DecidesIdentity() {
			keys := named(e.Identity)
			if seen[keys] {
				continue
			}
			seen[keys] = true
		}
		all = append(all, e)
	}
	return all
}

// adoptNamed loads the owners of keys that events name and that are not known
// here.
func (r *resolver) adoptNamed(ctx context.Context, events []*lifecycle.Event) error {
	strange := map[string]bool{}
	for _, e := range events {
		for _, k := range concerned(&r.guards, e) {
			if text := k.String(); r.byKey[text] == nil {
				strange[text] = true
			}
		}
	}
	if len(strange) == 0 {
		return nil
	}
	owners, err := r.t.OwnersTx(ctx, slices.Sorted(maps.Keys(strange)))
	if err != nil || len(owners) == 0 {
		return err
	}
	return r.loadPeople(ctx, slices.Collect(maps.Values(owners)))
}
