package jobs

import (
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// derived gives a person made anew from all events; no profile where there is
// no event.
type derived func() (*lifecycle.Profile, []lifecycle.Transition)

// manyEvents is from how many on it pays to derive beside the statements that
// the database works on.
const manyEvents = 1_000

// deriveAhead begins with those who have a long past that is loaded, while the
// caller writes who is who: a derivation reads nothing that is written there.
func (f *effects) deriveAhead() {
	for _, p := range f.people {
		if !p.derive || p.gone || len(f.stored[p.id]) < manyEvents {
			continue
		}
		d := f.derivation(p, nil)
		done := make(chan struct{})
		var prof *lifecycle.Profile
		var moves []lifecycle.Transition
		go func() {
			defer close(done)
			prof, moves = d()
		}()
		if f.ahead == nil {
			f.ahead = map[*person]derived{}
		}
		f.ahead[p] = func() (*lifecycle.Profile, []lifecycle.Transition) {
			<-done
			return prof, moves
		}
	}
}

// derivation gathers a person's events, of which loaded holds those that the
// resolver did not need.
func (f *effects) derivation(p *person, loaded map[lifecycle.ProfileID][]lifecycle.Event) derived {
	events := f.stored[p.id]
	if events == nil {
		events = loaded[p.id]
		for _, m := range p.merged {
			events = append(events, loaded[m.id]...)
		}
	}
	all := slices.Grow(slices.Clip(events), len(p.fresh)) // what the resolver holds stays as it is
	for _, e := range p.fresh {
		all = append(all, *e)
	}
	if len(all) == 0 {
		return func() (*lifecycle.Profile, []lifecycle.Transition) { return nil, nil }
	}
	return func() (*lifecycle.Profile, []lifecycle.Transition) {
		return f.cfg.PlanOf(p.id).Derive(p.id, f.own(p, all), f.now)
	}
}
