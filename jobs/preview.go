package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// PlanPreview is what publishing a plan would change, found by deriving
// everybody under it without writing anything.
type PlanPreview struct {
	// Version of the plan in force that it was compared with.
	Version int64
	// People and Events that were looked at; Whole is false when the time ran
	// out before everybody was.
	People, Events int64
	Whole          bool
	// Total is how many people there are.
	Total int64
	// Changed people have another stage or other segments.
	Changed int64
	// Flows is the matrix from stage to stage, those who stay included, by the
	// order of people in it, greatest first.
	Flows    []Flow
	Segments []SegmentFlow
	Pushes   []PushFlow
	Took     time.Duration
}

// Flow counts people by their stage now and under the draft.
type Flow struct {
	From, To lifecycle.Stage
	People   int64
	// Sample holds some of them, the smallest ids.
	Sample []lifecycle.ProfileID
}

// SegmentFlow counts who would enter and leave a segment.
type SegmentFlow struct {
	Segment      lifecycle.Segment
	Gained, Lost int64
	// GainedSample and LostSample hold some of them, the smallest ids.
	GainedSample, LostSample []lifecycle.ProfileID
}

// PushFlow counts people that a connection would be told of.
type PushFlow struct {
	Connection string
	People     int64
}

// PreviewOptions of PreviewPlan.
type PreviewOptions struct {
	// Share is of the people who would be under the plan, in hundredths of a
	// percent; zero: everybody.
	Share int64
	// Limit ends it after a time with what was found until then; zero: never.
	Limit time.Duration
	// Progress, when set, is told about once a second.
	Progress func(done, total int64)
}

const (
	previewBatch  = 500
	previewSample = 5
)

// PreviewPlan derives everybody under a draft and compares. It reads beside
// the running work and holds no lock. The error is *Invalid for a plan with
// mistakes.
func (a *Admin) PreviewPlan(ctx context.Context, source []byte, o PreviewOptions) (*PlanPreview, error) {
	draft, err := a.CheckPlan(source)
	if err != nil {
		return nil, err
	}
	if err := a.Registry.Refresh(ctx); err != nil {
		return nil, err
	}
	s, cfg := a.Registry.o.Store, a.Registry.Config()
	if o.Share == 0 {
		o.Share = store.WholeShare
	}
	if err := checkShare(o.Share); err != nil {
		return nil, err
	}
	draft = asInForce(cfg, draft, source)
	last, err := s.LastPerson(ctx)
	if err != nil {
		return nil, err
	}
	counters, err := s.Counters(ctx)
	if err != nil {
		return nil, err
	}
	p := &previewer{store: s, cfg: cfg, draft: draft, now: lifecycle.At(a.Registry.o.Now()), started: time.Now(), o: o, total: counters[""]["people"]}
	return p.run(ctx, last)
}

// asInForce gives the plan being rolled out in place of a draft of the same
// text: whoever is under it already stays there.
func asInForce(cfg *Config, draft *lifecycle.Plan, source []byte) *lifecycle.Plan {
	if cfg.Rollout != nil && cfg.Rollout.Source.Source == string(source) {
		return cfg.Rollout.Plan
	}
	return draft
}

type previewer struct {
	store   *store.Store
	cfg     *Config
	draft   *lifecycle.Plan
	now     lifecycle.Instant
	started time.Time
	o       PreviewOptions
	total   int64

	next   atomic.Int64 // the id after which the next range begins
	people atomic.Int64
	cut    atomic.Bool
	told   sync.Mutex
	toldAt time.Time
}

// run shares ranges of ids among as many workers as there are processors.
func (p *previewer) run(ctx context.Context, last lifecycle.ProfileID) (*PlanPreview, error) {
	g, ctx := errgroup.WithContext(ctx)
	tallies := make([]*tally, max(runtime.GOMAXPROCS(0), 1))
	for i := range tallies {
		t := newTally()
		tallies[i] = t
		g.Go(func() error { return p.work(ctx, t, last) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	whole := tallies[0]
	for _, t := range tallies[1:] {
		whole.add(t)
	}
	return p.result(whole), nil
}

func (p *previewer) work(ctx context.Context, t *tally, last lifecycle.ProfileID) error {
	for {
		after := lifecycle.ProfileID(p.next.Add(previewBatch) - previewBatch)
		if after >= last {
			return nil
		}
		if p.o.Limit > 0 && time.Since(p.started) > p.o.Limit {
			p.cut.Store(true)
			return nil
		}
		people, err := p.store.Scan(ctx, after, after+previewBatch, previewBatch)
		if err != nil {
			return err
		}
		for i := range people {
			if err := p.one(t, &people[i]); err != nil {
				return err
			}
		}
		p.progress(int64(len(people)))
	}
}

// one derives a person under the draft, as publishing would.
func (p *previewer) one(t *tally, w *store.Whole) error {
	if w.Person.State == nil || len(w.Events) == 0 {
		return nil
	}
	prof, err := lifecycle.DecodeProfile(w.Person.State)
	if err != nil {
		return fmt.Errorf("jobs: profile %d: %w", w.Person.ID, err)
	}
	was := remember(p.cfg, prof)
	plan := p.draft
	if !InShare(w.Person.ID, p.o.Share) {
		plan = p.cfg.Plan
	}
	if plan == p.cfg.PlanOf(w.Person.ID) {
		t.people++
		t.flow(was.stage, was.stage, w.Person.ID)
		return nil
	}
	next, _ := plan.Derive(w.Person.ID, w.Events, p.now)
	t.people++
	t.events += int64(len(w.Events))
	x := difference(&was, next, lifecycle.KindPublish, p.now)
	t.flow(was.stage, next.Stage, w.Person.ID)
	if x == nil {
		x = &lifecycle.Transition{}
	} else {
		t.changed++
	}
	for _, name := range x.Entered {
		t.segment(name, w.Person.ID, 1)
	}
	for _, name := range x.Exited {
		t.segment(name, w.Person.ID, -1)
	}
	for _, c := range p.cfg.Pushing {
		if due(c, plan, &was, next, x.From != x.To || len(x.Entered)+len(x.Exited) > 0) {
			t.pushes[c.ID]++
		}
	}
	return nil
}

func (p *previewer) progress(people int64) {
	done := p.people.Add(people)
	if p.o.Progress == nil {
		return
	}
	p.told.Lock()
	defer p.told.Unlock()
	if time.Since(p.toldAt) < time.Second {
		return
	}
	p.toldAt = time.Now()
	p.o.Progress(done, p.total)
}

func (p *previewer) result(t *tally) *PlanPreview {
	r := &PlanPreview{
		Version: p.cfg.PlanSource.Version, People: t.people, Events: t.events, Total: p.total, Whole: !p.cut.Load(), Changed: t.changed,
		Took: time.Since(p.started),
	}
	for _, f := range t.flows {
		r.Flows = append(r.Flows, *f)
	}
	slices.SortFunc(r.Flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, name := range slices.Sorted(maps.Keys(t.segments)) {
		r.Segments = append(r.Segments, *t.segments[name])
	}
	for _, id := range slices.Sorted(maps.Keys(t.pushes)) {
		r.Pushes = append(r.Pushes, PushFlow{id, t.pushes[id]})
	}
	return r
}
