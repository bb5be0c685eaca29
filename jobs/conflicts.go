package jobs

import (
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// conflicts keeps the list of conflicts what the profiles say, so that the same
// events give the same list, whatever order they came in.
func (f *effects) conflicts(p *person) {
	now := slices.Collect(p.prof.Conflicts())
	if slices.Equal(p.before.conflicts, now) {
		return
	}
	for _, c := range p.before.conflicts {
		if !slices.ContainsFunc(now, func(o lifecycle.Conflict) bool { return o.At == c.At && o.Event == c.Event }) {
			f.settled = append(f.settled, store.Conflict{Person: p.id, Conflict: c})
		}
	}
	for _, c := range now {
		if !slices.Contains(p.before.conflicts, c) {
			f.conflicting = append(f.conflicting, store.Conflict{Person: p.id, Conflict: c})
		}
	}
}
