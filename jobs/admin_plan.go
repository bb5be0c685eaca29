package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// IDs lists the connections, sorted.
func (r *Registry) IDs() []string { return slices.Sorted(maps.Keys(r.Config().Connections)) }

// CheckPlan compiles a plan without publishing it. The error is *Invalid and
// lists every mistake.
func (a *Admin) CheckPlan(source []byte) (*lifecycle.Plan, error) {
	plan, err := a.Registry.o.Parse("plan.yaml", source)
	var wrong Invalid
	wrong.add(err)
	return plan, wrong.orNil()
}

// Plan gives the tracking plan in force, as the database has it now. Version
// zero is the one that was there before any was published.
func (a *Admin) Plan(ctx context.Context) (store.Versioned, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return store.Versioned{}, err
	}
	return a.Registry.Config().PlanSource, nil
}

// PublishPlan puts a plan in force; was is the version it is based on, and
// store.ErrStale the answer when another one is in force by now.
func (a *Admin) PublishPlan(ctx context.Context, was int64, v store.Versioned) (int64, error) {
	if _, err := a.CheckPlan([]byte(v.Source)); err != nil {
		return 0, err
	}
	version, err := a.Registry.o.Store.PublishPlan(ctx, was, v)
	if err != nil {
		return 0, err
	}
	if err := a.Registry.Refresh(ctx); err != nil {
		return version, err
	}
	if a.PlanPublished != nil {
		a.PlanPublished(context.WithoutCancel(ctx), version)
	}
	return version, nil
}

// PlanVersions lists what was published, newest first.
func (a *Admin) PlanVersions(ctx context.Context) ([]store.Versioned, error) {
	return a.Registry.o.Store.PlanVersions(ctx)
}

// RollbackPlan publishes an earlier version's text again; version zero is the
// plan that was there before any was published.
func (a *Admin) RollbackPlan(ctx context.Context, to int64, author string) (int64, error) {
	now, err := a.Plan(ctx)
	if err != nil {
		return 0, err
	}
	source := string(a.Registry.o.DefaultPlan)
	if to != 0 {
		all, err := a.PlanVersions(ctx)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(all, func(v store.Versioned) bool { return v.Version == to })
		if i < 0 {
			return 0, fmt.Errorf("jobs: plan version %d: %w", to, store.ErrNotFound)
		}
		source = all[i].Source
	}
	return a.PublishPlan(ctx, now.Version, store.Versioned{Source: source, Author: author, Note: fmt.Sprintf("back to version %d", to)})
}
