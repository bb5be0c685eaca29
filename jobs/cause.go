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
		return c, nil
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
