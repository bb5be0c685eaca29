package jobs

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// forgetHistory ends the histories of people who have got new ones. A move that
// the old one had as well goes on to say when it was found first: a late event
// changes what is true, and not when we knew the rest. What somebody who was
// joined to a person had gone through was known of that person, too.
func (f *effects) forgetHistory(ctx context.Context, people []*person) error {
	ids := make([]lifecycle.ProfileID, 0, len(people))
	survivor := map[lifecycle.ProfileID]lifecycle.ProfileID{}
	for _, p := range people {
		ids = append(ids, p.id)
		for _, m := range p.merged {
			ids = append(ids, m.id)
			survivor[m.id] = p.id
		}
	}
	found, err := f.t.ForgetHistoryTx(ctx, ids)
	if err != nil {
		return err
	}
	keep := func(name store.MoveName, when lifecycle.Instant) {
		if first, there := found[name]; !there || when < first {
			found[name] = when
		}
	}
	for name, when := range found {
		if id, merged := survivor[name.Person]; merged {
			name.Person = id
			keep(name, when)
		}
	}
	for i := range f.transitions {
		if x := &f.transitions[i]; x.History {
			if first, there := found[x.Name()]; there {
				x.Decided = first
			}
		}
	}
	return nil
}
