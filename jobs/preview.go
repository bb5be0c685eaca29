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
	Version int64 `json:"version"`
	// People that were looked at, of whom the facts of Decided were enough;
	// Events were read of the others. Whole is false when the time ran out
	// before everybody was.
	People  int64 `json:"people"`
	Decided int64 `json:"decided_by_facts"`
	Events  int64 `json:"events"`
	Whole   bool  `json:"whole"`
	// Total is how many people there are.
	Total int64 `json:"total"`
	// Changed people have another stage or other segments.
	Changed int64 `json:"changed"`
	// Flows is the matrix from stage to stage, those who stay included, the main
	// lifecycle first, then by the order of people in it, greatest first.
	Flows    []Flow        `json:"flows"`
	Segments []SegmentFlow `json:"segments"`
	Pushes   []PushFlow    `json:"pushes"`
	// Accounts is nil where neither plan has any.
	Accounts *AccountsPreview `json:"accounts"`
	// Beyond is what the figures above do not count; nil where that is nothing.
	Beyond *PlanBeyond   `json:"beyond"`
	Took   time.Duration `json:"nanoseconds"`
	// PublishRate is how many people per second the last publishing brought to
	// their plan; zero where none was measured here yet.
	PublishRate float64 `json:"publish_rate"`
}

// Flow counts people by their stage now and under the draft.
type Flow struct {
	// Lifecycle is the one of the plan's further lifecycles that it is about, where
	// people who are in it neither now nor then are left out; empty: the main one.
	Lifecycle string          `json:"lifecycle,omitempty"`
	From      lifecycle.Stage `json:"from"`
	To        lifecycle.Stage `json:"to"`
	People    int64           `json:"people"`
	// Sample holds some of them, the smallest ids.
	Sample []lifecycle.ProfileID `json:"sample"`
}

// SegmentFlow counts who would enter and leave a segment.
type SegmentFlow struct {
	Segment lifecycle.Segment `json:"segment"`
	Gained  int64             `json:"gained"`
	Lost    int64             `json:"lost"`
	// GainedSample and LostSample hold some of them, the smallest ids.
	GainedSample []lifecycle.ProfileID `json:"sample_gained"`
	LostSample   []lifecycle.ProfileID `json:"sample_lost"`
}

// PushFlow counts people that a connection would be told of.
type PushFlow struct {
	Connection string `json:"connection"`
	People     int64  `json:"people"`
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
	previewBatch  = 2000
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
	preview, err := p.run(ctx, last)
	if err != nil {
		return nil, err
	}
	if preview.Beyond, err = p.beyond(ctx); err != nil {
		return nil, err
	}
	preview.PublishRate, err = measuredRate(ctx, s, WorkPublish)
	return preview, err
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
	// accounted: one of the plans is about accounts.
	accounted bool

	next   atomic.Int64 // the id after which the next range begins
	done   atomic.Int64
	cut    atomic.Bool
	told   sync.Mutex
	toldAt time.Time
}

// run shares ranges of ids among as many workers as there are processors.
func (p *previewer) run(ctx context.Context, last lifecycle.ProfileID) (*PlanPreview, error) {
	p.accounted = p.cfg.Accounts || p.draft.HasAccounts()
	g, working := errgroup.WithContext(ctx)
	tallies := make([]*tally, max(runtime.GOMAXPROCS(0), 1))
	for i := range tallies {
		t := newTally()
		tallies[i] = t
		g.Go(func() error { return p.work(working, t, last) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	whole := tallies[0]
	for _, t := range tallies[1:] {
		whole.add(t)
	}
	r := p.result(whole)
	if p.accounted {
		var err error
		r.Accounts, err = p.accounts(ctx, &whole.sums)
		return r, err
	}
	return r, nil
}

// work looks at one range of ids after the other: at everybody's facts first,
// and then at the events of those for whom these are not enough.
func (p *previewer) work(ctx context.Context, t *tally, last lifecycle.ProfileID) error {
	w := &previewing{previewer: p, tally: t}
	for {
		after := lifecycle.ProfileID(p.next.Add(previewBatch) - previewBatch)
		if after >= last {
			return nil
		}
		if p.o.Limit > 0 && time.Since(p.started) > p.o.Limit {
			p.cut.Store(true)
			return nil
		}
		if err := w.batch(ctx, after); err != nil {
			return err
		}
	}
}

// previewing is one worker's part of a preview.
type previewing struct {
	*previewer
	*tally
	foretellers []foreteller
	asked       []lifecycle.ProfileID
	was         []before // of those asked
}

// foreteller is for one pair of plans; nil where facts are never enough.
type foreteller struct {
	from, to *lifecycle.Plan
	of       *lifecycle.Foreteller
}

func (w *previewing) foretell(from, to *lifecycle.Plan) *lifecycle.Foreteller {
	for i := range w.foretellers {
		if f := &w.foretellers[i]; f.from == from && f.to == to {
			return f.of
		}
	}
	w.foretellers = append(w.foretellers, foreteller{from, to, to.Foretell(from)})
	return w.foretellers[len(w.foretellers)-1].of
}

func (w *previewing) batch(ctx context.Context, after lifecycle.ProfileID) error {
	w.asked, w.was = w.asked[:0], w.was[:0]
	people := int64(0)
	err := w.store.EachState(ctx, after, after+previewBatch, func(id lifecycle.ProfileID, state []byte) error {
		people++
		return w.person(id, state)
	})
	if err == nil {
		var addresses ownAddresses
		if addresses, err = ownAddressesOf(ctx, w.store, &w.cfg.Guards, w.asked); err != nil {
			return err
		}
		err = w.store.EachHistory(ctx, w.asked, func(id lifecycle.ProfileID, events []lifecycle.Event) error {
			i, _ := slices.BinarySearch(w.asked, id)
			plan := w.planOf(id)
			next, _ := plan.Derive(id, addresses.own(id, events), w.now)
			w.events += int64(len(events))
			w.outcome(id, plan, &w.was[i], next)
			return nil
		})
	}
	w.progress(people)
	return err
}

// planOf gives the plan that a person would be under.
func (w *previewing) planOf(id lifecycle.ProfileID) *lifecycle.Plan {
	if InShare(id, w.o.Share) {
		return w.draft
	}
	return w.cfg.Plan
}

// person decides from the facts, or asks for the events.
func (w *previewing) person(id lifecycle.ProfileID, state []byte) error {
	prof, err := lifecycle.DecodeProfile(state)
	if err != nil {
		return fmt.Errorf("jobs: profile %d: %w", id, err)
	}
	from, to := w.cfg.PlanOf(id), w.planOf(id)
	if from == to {
		w.people++
		w.flow(flowKey{"", prof.Stage, prof.Stage}, id)
		for l := range prof.Lifecycles() {
			w.flowIn(l.ID, l.Stage, l.Stage, id)
		}
		w.member(to, prof)
		return nil
	}
	was := remember(w.cfg, prof)
	// What accounts ask of a person may be the way there, which only events tell.
	if f := w.foretell(from, to); f != nil && !to.HasAccounts() {
		if next, ok := f.Decide(prof, w.now); ok {
			w.decided++
			w.outcome(id, to, &was, next)
			return nil
		}
	}
	w.asked, w.was = append(w.asked, id), append(w.was, was)
	return nil
}

// outcome counts what would become of somebody.
func (w *previewing) outcome(id lifecycle.ProfileID, plan *lifecycle.Plan, was *before, next *lifecycle.Profile) {
	w.people++
	w.member(plan, next)
	x := difference(was, next, lifecycle.KindPublish, w.now)
	w.flow(flowKey{"", was.stage, next.Stage}, id)
	for _, other := range lifecycleIDs(was, next) {
		w.flowIn(other, was.stageIn(other), next.StandingIn(other).Stage, id)
	}
	moved := len(elsewhere(was, next, lifecycle.KindPublish, w.now)) > 0
	if x != nil || moved {
		w.changed++
	}
	if x == nil {
		x = &lifecycle.Transition{}
	}
	for _, name := range x.Entered {
		w.segment(name, id, 1)
	}
	for _, name := range x.Exited {
		w.segment(name, id, -1)
	}
	for _, c := range w.cfg.Pushing {
		if due(c, plan, was, next, moved || x.From != x.To || len(x.Entered)+len(x.Exited) > 0) {
			w.pushes[c.ID]++
		}
	}
}

// flowIn counts in the matrix of a further lifecycle.
func (w *previewing) flowIn(of string, from, to lifecycle.Stage, id lifecycle.ProfileID) {
	if from != "" || to != "" {
		w.flow(flowKey{of, from, to}, id)
	}
}

func (p *previewer) progress(people int64) {
	done := p.done.Add(people)
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
		Version: p.cfg.PlanSource.Version, People: t.people, Decided: t.decided, Events: t.events, Total: p.total, Whole: !p.cut.Load(), Changed: t.changed,
		Took: time.Since(p.started),
	}
	for _, f := range t.flows {
		r.Flows = append(r.Flows, *f)
	}
	slices.SortFunc(r.Flows, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Lifecycle, b.Lifecycle), cmp.Compare(b.People, a.People), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, name := range slices.Sorted(maps.Keys(t.segments)) {
		r.Segments = append(r.Segments, *t.segments[name])
	}
	for _, id := range slices.Sorted(maps.Keys(t.pushes)) {
		r.Pushes = append(r.Pushes, PushFlow{id, t.pushes[id]})
	}
	return r
}
