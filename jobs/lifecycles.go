package jobs

import (
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// lifecycleCounter names the counter of the people in a stage of a lifecycle
// beside the main one.
func lifecycleCounter(id string, stage lifecycle.Stage) string {
	return store.LifecycleCounter + id + ":" + string(stage)
}

// stageIn gives the stage in a lifecycle beside the main one as it was.
func (b *before) stageIn(id string) lifecycle.Stage {
	for i := range b.lifecycles {
		if b.lifecycles[i].ID == id {
			return b.lifecycles[i].Stage
		}
	}
	return ""
}

// lifecycleIDs gives the lifecycles beside the main one that a person was in or
// is in, sorted and distinct; nil for none.
func lifecycleIDs(b *before, prof *lifecycle.Profile) []string {
	var ids []string
	for i := range b.lifecycles {
		ids = append(ids, b.lifecycles[i].ID)
	}
	for l := range prof.Lifecycles() {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// elsewhere are the announced changes from the stages told so far in the
// lifecycles beside the main one to those that are derived: what difference is
// for the main one.
func elsewhere(b *before, prof *lifecycle.Profile, kind lifecycle.Kind, now lifecycle.Instant) []lifecycle.Transition {
	var all []lifecycle.Transition
	for _, id := range lifecycleIDs(b, prof) {
		from, is := b.stageIn(id), prof.StandingIn(id)
		if from == is.Stage {
			continue
		}
		x := lifecycle.Transition{Lifecycle: id, From: from, To: is.Stage, Kind: kind, At: is.Since, Decided: now, PlanVersion: prof.PlanVersion, Event: is.StageEvent, Inbox: is.StageInbox}
		if is.Stage == "" { // since when is not kept
			x.At = now
		}
		all = append(all, x)
	}
	return all
}

// sameElsewhere compares what two profiles say of the way so far in the
// lifecycles beside the main one.
func sameElsewhere(a, b *lifecycle.Profile) bool {
	return slices.EqualFunc(slices.Collect(a.Lifecycles()), slices.Collect(b.Lifecycles()), func(x, y lifecycle.Lifecycle) bool {
		return x.ID == y.ID && x.Stage == y.Stage && x.Since == y.Since && slices.Equal(slices.Collect(x.Visits()), slices.Collect(y.Visits()))
	})
}

// stand keeps the table and the counts of who stands where in the lifecycles
// beside the main one.
func (f *effects) stand(p *person) {
	for _, l := range p.before.lifecycles {
		if is := p.prof.StandingIn(l.ID); l.Stage != "" && is.Stage != l.Stage {
			f.t.CountTx("", lifecycleCounter(l.ID, l.Stage), -1)
			if is.Stage == "" {
				f.unstanding = append(f.unstanding, store.Standing{Person: p.id, Lifecycle: l.ID})
			}
		}
	}
	for l := range p.prof.Lifecycles() {
		was := lifecycle.Instant(0)
		for i := range p.before.lifecycles {
			if o := &p.before.lifecycles[i]; o.ID == l.ID && o.Stage == l.Stage {
				was = o.Since
			}
		}
		if l.Stage != "" && was != l.Since {
			f.standings = append(f.standings, store.Standing{Person: p.id, Lifecycle: l.ID, Stage: l.Stage, Since: l.Since})
		}
		if l.Stage != "" && p.before.stageIn(l.ID) != l.Stage {
			f.t.CountTx("", lifecycleCounter(l.ID, l.Stage), 1)
		}
	}
}

// leave takes somebody who is no more out of table and counts.
func (f *effects) leave(id lifecycle.ProfileID, lifecycles []lifecycle.Lifecycle) {
	f.unstanding = append(f.unstanding, leaving(f.t, id, lifecycles)...)
}

func leaving(t *store.Tx, id lifecycle.ProfileID, lifecycles []lifecycle.Lifecycle) (gone []store.Standing) {
	for _, l := range lifecycles {
		if l.Stage != "" {
			t.CountTx("", lifecycleCounter(l.ID, l.Stage), -1)
			gone = append(gone, store.Standing{Person: id, Lifecycle: l.ID})
		}
	}
	return gone
}

// addLifecycles adds the stages in further lifecycles to what a connection
// should hold: each is a field like those of traits, and nil, which clears it,
// for somebody who is not in the lifecycle.
func addLifecycles(state *connectors.State, p *connectors.PushConfig, prof *lifecycle.Profile) {
	for id, push := range p.Lifecycles {
		stage := prof.StandingIn(id).Stage
		value, told := push.Theirs(stage)
		if !told {
			continue
		}
		if state.Traits == nil {
			state.Traits = map[string]any{}
		}
		if state.Traits[push.FieldOf(id)] = any(nil); stage != "" {
			state.Traits[push.FieldOf(id)] = value
		}
	}
}

// pushesElsewhere tells whether a change of further lifecycles is one for the
// vendor.
func pushesElsewhere(p *connectors.PushConfig, b *before, prof *lifecycle.Profile) bool {
	for id, push := range p.Lifecycles {
		was, told := push.Theirs(b.stageIn(id))
		is, tell := push.Theirs(prof.StandingIn(id).Stage)
		if tell && (!told || was != is) {
			return true
		}
	}
	return false
}
