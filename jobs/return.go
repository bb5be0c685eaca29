package jobs

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// returned tells whether a version of the plan brings back a text that was in
// force before.
func (r *Registry) returned(ctx context.Context, v store.Versioned) (bool, error) {
	if old := r.current.Load(); old != nil && old.PlanSource.Version == v.Version {
		return old.Returned, nil
	}
	if v.Version > 1 && v.Source == string(r.o.DefaultPlan) {
		return true, nil
	}
	return r.o.Store.PlanKnownBefore(ctx, v)
}

// changeKind is what a change is called that comes of somebody having been
// derived under another version of the plan.
func (c *Config) changeKind(id lifecycle.ProfileID, was int64) lifecycle.Kind {
	now := c.PlanOf(id).Version()
	if now < was || now == c.Plan.Version() && c.Returned {
		return lifecycle.KindRollback
	}
	return lifecycle.KindPublish
}
