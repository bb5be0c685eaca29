package jobs

import (
	"context"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
)

// WorkSummaries is the kind of long work that sums everybody up for the
// reports: after an upgrade, or when what is kept of a person has changed.
const WorkSummaries = "report summaries"

// When summaries follow those who changed. Reports sum up the last few thousand
// themselves, so nothing is lost by waiting until a block is written for many of
// its people at once; but not for ever, since an erased person is in the blocks
// until then.
const (
	foldTick = 5 * time.Second
	// foldPeople who changed are enough.
	foldPeople = 2_000
	// foldAge is how long a few wait for others.
	foldAge = 5 * time.Minute
	// foldAside is how long everybody waits while raw events do.
	foldAside = 3 * time.Minute
	// foldStep is how many people are summed up before looking whether raw
	// events wait.
	foldStep = 20_000
)

// SummariesKind is the kind WorkSummaries.
func SummariesKind(s *store.Store, r *Registry, now func() time.Time) WorkKind {
	return WorkKind{Name: WorkSummaries, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		k := keeper(s, r, now)
		if err := k.Build(ctx, func(done, total int64) error { return t.At(done, total, nil) }); err != nil {
			return nil, err
		}
		return nil, foldAll(ctx, s, k, t)
	}}
}

// StartSummaries adds the work of summing everybody up, unless it is live already.
func (w *Works) StartSummaries(ctx context.Context, author string) (store.Work, error) {
	one, _, err := w.Start(ctx, WorkSummaries, "", struct{}{}, author, "")
	return one, err
}

// SummariesBehind tells whether a report asked for now would have to wait for
// WorkSummaries, or tell of an earlier moment.
func SummariesBehind(ctx context.Context, s *store.Store) (bool, error) {
	k := summary.Keeper{Store: s}
	return k.Behind(ctx)
}

func keeper(s *store.Store, r *Registry, now func() time.Time) *summary.Keeper {
	return &summary.Keeper{
		Store: s,
		Plans: func() summary.PlanOf { return r.Config().PlanOf },
		Now:   func() lifecycle.Instant { return lifecycle.At(now()) },
	}
}

// foldAll folds until few are left: while events come in there are always some.
func foldAll(ctx context.Context, s *store.Store, k *summary.Keeper, t *Task) error {
	waiting, _, err := s.ChangesWaiting(ctx)
	if err != nil {
		return err
	}
	for done := int64(0); ; {
		n, err := k.Fold(ctx, foldStep)
		if err != nil || n < foldPeople {
			return err
		}
		done += int64(n)
		if err := t.At(done, max(done, waiting), nil); err != nil {
			return err
		}
	}
}

// keepSummaries looks now and then whether summaries have to be made or to
// follow, until the pipeline stops.
func (p *Pipeline) keepSummaries() {
	tick := time.NewTicker(foldTick)
	defer tick.Stop()
	for {
		if err := p.summaries(p.ctx); err != nil && p.ctx.Err() == nil {
			p.o.Log.Warn("report summaries", "error", err)
		}
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *Pipeline) summaries(ctx context.Context) error {
	k := keeper(p.o.Store, p.o.Registry, p.o.Now)
	built, err := k.Built(ctx)
	if err != nil {
		return err
	}
	if !built {
		last, err := p.o.Store.LastPerson(ctx)
		if err != nil {
			return err
		}
		if last < foldPeople || p.o.Works == nil {
			return k.Build(ctx, nil)
		}
		_, err = p.o.Works.StartSummaries(ctx, "stagebridge")
		return err
	}
	for ctx.Err() == nil {
		if due, err := p.foldDue(ctx); err != nil || !due {
			return err
		}
		err := p.o.Store.Exclusive(ctx, "summaries", func(ctx context.Context) error {
			if due, err := p.foldDue(ctx); err != nil || !due {
				return err // another process was faster
			}
			_, err := k.Fold(ctx, foldStep)
			return err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// foldDue tells whether enough people wait, or long enough, and nothing more
// urgent does.
func (p *Pipeline) foldDue(ctx context.Context) (bool, error) {
	people, since, err := p.o.Store.ChangesWaiting(ctx)
	if err != nil || people == 0 {
		return false, err
	}
	age := p.o.Now().Sub(since.Time())
	if people < foldPeople && age < foldAge {
		return false, nil
	}
	if age >= foldAside {
		return true, nil
	}
	due, err := p.o.Store.DueNow(ctx, nil)
	return !due.Process, err
}
