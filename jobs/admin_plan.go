package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// IDs lists the connections.
func (r *Registry) IDs() []string { return slices.Sorted(maps.Keys(r.Config().Connections)) }

// CheckPlan compiles a plan without publishing it. The error is *Invalid and
// lists every mistake.
func (a *Admin) CheckPlan(source []byte) (*lifecycle.Plan, error) {
	plan, err := a.Registry.o.Parse("plan.yaml", source)
	var wrong Invalid
	wrong.add(err)
	return plan, wrong.orNil()
}

// Plan gives the tracking plan in force, as the database has it now; while a
// version is rolled out, the one that the others are under. Version zero is the
// one that was there before any was published.
func (a *Admin) Plan(ctx context.Context) (store.Versioned, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return store.Versioned{}, err
	}
	return a.Registry.Config().PlanSource, nil
}

// PublishPlan puts a plan in force for everybody; was is the version it is
// based on. See RollOutPlan for the errors.
func (a *Admin) PublishPlan(ctx context.Context, was int64, v store.Versioned) (int64, error) {
	version, _, err := a.RollOutPlan(ctx, was, v, store.WholeShare)
	return version, err
}

// RollOutPlan puts a share of all people, in hundredths of a percent, under a
// plan; was is the version that the others are under. People are brought there
// in the background: the record of that work is answered, its zero value where
// none is kept. Errors: *Invalid, store.ErrStale when another version is in
// force by now, store.ErrRollout while another one is being rolled out.
func (a *Admin) RollOutPlan(ctx context.Context, was int64, v store.Versioned, share int64) (int64, store.Work, error) {
	if _, err := a.CheckPlan([]byte(v.Source)); err != nil {
		return 0, store.Work{}, err
	}
	if err := checkShare(share); err != nil {
		return 0, store.Work{}, err
	}
	version, err := a.Registry.o.Store.RollOutPlan(ctx, was, v, share)
	if err != nil {
		return 0, store.Work{}, err
	}
	one, err := a.assigned(ctx, version, v.Author, v.Note)
	return version, one, err
}

func checkShare(share int64) error {
	var wrong Invalid
	if share < 1 || share > store.WholeShare {
		wrong.add(&connectors.SettingError{Field: "percent", Detail: "is out of range, want 0.01 to 100"})
	}
	return wrong.orNil()
}

// assigned follows every change of which plan people are under. The caller may
// go away; the change is made.
func (a *Admin) assigned(ctx context.Context, version int64, author, reason string) (store.Work, error) {
	ctx = context.WithoutCancel(ctx)
	var one store.Work
	if err := a.Registry.Refresh(ctx); err != nil {
		return one, err
	}
	if a.Works != nil {
		now, err := a.Registry.o.Store.Assignment(ctx)
		if err != nil {
			return one, err
		}
		if one, err = a.Works.StartPublish(ctx, now, author, reason); err != nil {
			return one, err
		}
		if err := a.Registry.rejudge(ctx, a.Works, author); err != nil {
			return one, err
		}
	}
	if a.PlanPublished != nil {
		a.PlanPublished(ctx, version)
	}
	return one, nil
}

// Rollout gives the version that is being rolled out, with its share; nil for
// none.
func (a *Admin) Rollout(ctx context.Context) (*Rollout, error) {
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	return a.Registry.Config().Rollout, nil
}

// ErrNoRollout says that no version of the plan is being rolled out.
var ErrNoRollout = fmt.Errorf("no plan is being rolled out: %w", store.ErrNotFound)

// ShareRollout changes the share of the version being rolled out, in hundredths
// of a percent; the whole finishes it. The error is ErrNoRollout where there is
// none, store.ErrStale when the plan was changed meanwhile.
func (a *Admin) ShareRollout(ctx context.Context, share int64, author, reason string) (store.Work, error) {
	if err := checkShare(share); err != nil {
		return store.Work{}, err
	}
	return a.reassign(ctx, author, reason, func(now store.Assigned) store.Assigned { now.Share = share; return now })
}

// WithdrawRollout puts everybody back under the version that was in force
// before the one being rolled out. Errors as ShareRollout.
func (a *Admin) WithdrawRollout(ctx context.Context, author, reason string) (store.Work, error) {
	return a.reassign(ctx, author, reason, func(now store.Assigned) store.Assigned { return store.Assigned{Base: now.Base} })
}

func (a *Admin) reassign(ctx context.Context, author, reason string, to func(store.Assigned) store.Assigned) (store.Work, error) {
	now, err := a.Registry.o.Store.Assignment(ctx)
	if err == nil && now.Next == 0 {
		err = ErrNoRollout
	}
	if err != nil {
		return store.Work{}, err
	}
	if _, err := a.Registry.o.Store.Assign(ctx, now.Epoch, to(now.Assigned)); err != nil {
		return store.Work{}, err
	}
	return a.assigned(ctx, now.Next, author, reason)
}

// PlanVersions lists what was published, newest first.
func (a *Admin) PlanVersions(ctx context.Context) ([]store.Versioned, error) {
	return a.Registry.o.Store.PlanVersions(ctx)
}

// planSource gives the text of a version; zero is the plan that was there
// before any was published.
func (a *Admin) planSource(ctx context.Context, version int64) (string, error) {
	if version == 0 {
		return string(a.Registry.o.DefaultPlan), nil
	}
	v, err := a.Registry.o.Store.PlanVersion(ctx, version)
	if err != nil {
		return "", fmt.Errorf("jobs: plan version %d: %w", version, err)
	}
	return v.Source, nil
}

// Previous tells what RollBack would go back to: the version before the one in
// force, or the one in force where another is being rolled out. store.ErrNotFound:
// there is none.
func (a *Admin) Previous(ctx context.Context) (int64, error) {
	now, err := a.Registry.o.Store.Assignment(ctx)
	if err != nil {
		return 0, err
	}
	if now.Next != 0 {
		return now.Base, nil
	}
	if now.Before.Base != 0 && now.Before.Base != now.Base {
		return now.Before.Base, nil
	}
	all, err := a.PlanVersions(ctx)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(all, func(v store.Versioned) bool { return v.Version < now.Base })
	if i < 0 {
		return 0, fmt.Errorf("jobs: plan: there is no version before %d: %w", now.Base, store.ErrNotFound)
	}
	return all[i].Version, nil
}

// RollbackPlan publishes an earlier version's text again, for everybody; version
// zero is the plan that was there before any was published. Whatever is being
// rolled out meanwhile is withdrawn in the same step; back to the version that
// the others are under is nothing but that.
func (a *Admin) RollbackPlan(ctx context.Context, to int64, author string) (int64, error) {
	version, _, err := a.RollBack(ctx, to, author, "")
	return version, err
}

// RollBack is RollbackPlan with a reason, and answers the work of bringing
// people there. The error is store.ErrNotFound where there is no such version,
// store.ErrStale where the plan was changed meanwhile.
func (a *Admin) RollBack(ctx context.Context, to int64, author, reason string) (int64, store.Work, error) {
	now, err := a.Registry.o.Store.Assignment(ctx)
	if err != nil {
		return 0, store.Work{}, err
	}
	if reason == "" {
		reason = fmt.Sprintf("back to version %d", to)
	}
	if now.Next != 0 && to == now.Base {
		one, err := a.WithdrawRollout(ctx, author, reason)
		return to, one, err
	}
	source, err := a.planSource(ctx, to)
	if err != nil {
		return 0, store.Work{}, err
	}
	if _, err := a.CheckPlan([]byte(source)); err != nil {
		return 0, store.Work{}, err
	}
	version, err := a.Registry.o.Store.RollBackPlan(ctx, now.Epoch, store.Versioned{Source: source, Author: author, Note: reason})
	if err != nil {
		return 0, store.Work{}, err
	}
	one, err := a.assigned(ctx, version, author, reason)
	return version, one, err
}
