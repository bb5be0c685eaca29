package jobs

import (
	"context"
	"errors"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Cause is what brought a person where they stand, and what they belong to.
type Cause struct {
	// Event is nil where the passing of time did it, or where the event is gone.
	Event *lifecycle.Event
	// Clock is the event that the time was counted from where its passing did it;
	// nil where that is not known.
	Clock *lifecycle.Event
	// Raw is the raw event behind it; nil for a decision, or where it is gone.
	Raw *store.RawEvent
	// Account is whom the person belongs to; nil for nobody.
	Account *store.Account
	// PlanVersion is the version that the person is under. RollingOut: others are
	// still under the one before. Derived is false while the person is still to
	// be brought to it; what is explained then is what that will give, but for
	// what only deriving anew can tell.
	PlanVersion int64
	RollingOut  bool
	Derived     bool
}

// Cause finds what is behind an explanation of a person.
func (a *Admin) Cause(ctx context.Context, id lifecycle.ProfileID, prof *lifecycle.Profile, x *lifecycle.Explanation) (Cause, error) {
	s, cfg := a.Registry.o.Store, a.Registry.Config()
	plan := cfg.PlanOf(id)
	c := Cause{PlanVersion: plan.Version(), RollingOut: cfg.Rollout != nil && plan == cfg.Rollout.Plan, Derived: prof.PlanVersion == plan.Version()}
	key, err := s.AccountOf(ctx, id)
	if err == nil && key != "" {
		c.Account, err = s.Account(ctx, key)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, err
	}
	if x.Event == (lifecycle.EventID{}) {
		c.Clock, err = clockOf(ctx, s, plan, id, x)
		return c, err
	}
	c.Event, err = s.PersonEvent(ctx, id, x.Event)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return c, err
	}
	if x.Inbox == 0 {
		return c, nil
	}
	c.Raw, err = s.RawEvent(ctx, x.Inbox)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return c, err
}

// clockOf finds the event that the time was counted from which brought somebody
// into their stage; nil where there is none, or it is gone.
func clockOf(ctx context.Context, s *store.Store, plan *lifecycle.Plan, id lifecycle.ProfileID, x *lifecycle.Explanation) (*lifecycle.Event, error) {
	from, name, ok := x.Clock()
	if !ok {
		return nil, nil
	}
	var found *lifecycle.Event
	specs := plan.Events()
	err := s.EachHistory(ctx, []lifecycle.ProfileID{id}, func(_ lifecycle.ProfileID, events []lifecycle.Event) error {
		for _, e := range lifecycle.Effective(events) {
			if e.At != from || e.IsDecision() || name != "" && e.Name != name {
				continue
			}
			// Of several at one instant an activity is what a time without any began with.
			if found == nil || name == "" && !specs[found.Name].Activity && specs[e.Name].Activity {
				found = &e
			}
		}
		return nil
	})
	return found, err
}
