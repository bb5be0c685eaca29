package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Works does long work: what takes more than a request may, such as bringing
// everybody to another plan. Each piece is a record in the store, so it
// survives restarts, any replica may do it, and everybody sees how far it is.
// Kinds are added before anything else; then it is safe for concurrent use.
type Works struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger

	kinds map[string]WorkKind
	woken chan struct{}

	// Elsewhere, when set, tells whether a server of another process is there to
	// do what is queued; Follow leaves it to that then.
	Elsewhere func(context.Context) (bool, error)
}

// workAtOnce is how many pieces one process does beside each other.
const workAtOnce = 2

// NewWorks gives a Works without kinds. Now and Log may be nil.
func NewWorks(s *store.Store, now func() time.Time, log *slog.Logger) *Works {
	if now == nil {
		now = s.Now // on which replicas agree
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Works{store: s, now: now, log: log, kinds: map[string]WorkKind{}, woken: make(chan struct{}, workAtOnce)}
}

// WorkKind is one sort of long work.
type WorkKind struct {
	// Name as the API says it, such as "plan publish".
	Name string
	// Unit of its progress, in the plural: people, raw events.
	Unit string
	// Run does the work, from the task's place on where there is one. It may be
	// run twice, after whatever a run before it did, and its context ends when
	// the work is canceled, the process stops, or another took it over. What it
	// answers is kept as JSON.
	Run func(ctx context.Context, t *Task) (result any, err error)
	// Canceled, when set, runs once somebody canceled the work, whether or not
	// it had begun, and leaves things as the kind promises. It may be run twice.
	Canceled func(ctx context.Context, t *Task) error
}

// A claim on work is renewed each second, with its progress; a process that
// died holds up a piece for workSpan.
const (
	workSpan  = 15 * time.Second
	workRenew = time.Second
	// workTries is how often work that fails is begun again.
	workTries = 5
	// workKept is how long records of what is over are kept.
	workKept = 90 * 24 * time.Hour
)

// ErrPermanent marks an error of WorkKind.Run that trying again does not mend.
var ErrPermanent = errors.New("trying again would not help")

// later is the error of WorkKind.Run by which work that waits for others lets
// go of its turn: it is taken up again after span, with its place.
type later struct{ span time.Duration }

// Error implements error.
func (l *later) Error() string { return "jobs: work: not over yet" }

// errWorkCanceled is the cause of the context's end when work was canceled.
var errWorkCanceled = errors.New("jobs: work: canceled")

// Add makes a kind known. A name that is taken is replaced.
func (w *Works) Add(k WorkKind) { w.kinds[k.Name] = k }

// Unit gives the unit of a kind's progress; empty for one that is not known.
func (w *Works) Unit(kind string) string { return w.kinds[kind].Unit }

// Start adds work to be done; args is kept as JSON. Where work of that kind
// and subject is live already, that is the answer, and fresh is false.
func (w *Works) Start(ctx context.Context, kind, subject string, args any, author, reason string) (_ store.Work, fresh bool, err error) {
	if _, ok := w.kinds[kind]; !ok {
		return store.Work{}, false, fmt.Errorf("jobs: work: there is no kind %q", kind)
	}
	text, err := encode(args)
	if err != nil {
		return store.Work{}, false, err
	}
	one, fresh, err := w.store.StartWork(ctx, store.Work{Kind: kind, Subject: subject, Args: text, Author: author, Reason: reason})
	if err == nil && fresh {
		w.wake()
	}
	return one, fresh, err
}

// Cancel asks to end work; whoever is at it does so within a second or two,
// and else it is ended here. Work that is over is answered as it is.
func (w *Works) Cancel(ctx context.Context, id int64) (store.Work, error) {
	one, err := w.store.CancelWork(ctx, id)
	if err == nil && one.State.Live() {
		w.wake()
	}
	return one, err
}

// wake lets a process that waits for work look at once.
func (w *Works) wake() {
	select {
	case w.woken <- struct{}{}:
	default: // as many looks are due already as there are to look
	}
}

// Serve does work as it comes, workAtOnce pieces beside each other, until ctx
// ends. What nobody here was told of is found within a second.
func (w *Works) Serve(ctx context.Context) {
	var wg sync.WaitGroup
	for range workAtOnce {
		wg.Go(func() { w.serve(ctx) })
	}
	wg.Wait()
}

func (w *Works) serve(ctx context.Context) {
	tick := time.NewTicker(workRenew)
	defer tick.Stop()
	for {
		if err := w.Run(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("long work", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-w.woken:
		case <-tick.C:
		}
	}
}

// Run does the work that is due, one piece after the other, until there is none.
func (w *Works) Run(ctx context.Context) error {
	kinds := w.names()
	for ctx.Err() == nil {
		due, err := w.store.WorkDue(ctx, kinds)
		if err != nil || !due {
			return err
		}
		owner := rand.Text()
		one, err := w.store.TakeWork(ctx, 0, kinds, owner, workSpan)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.do(ctx, one, owner, nil); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *Works) names() []string { return slices.Sorted(maps.Keys(w.kinds)) }

// Follow does one piece here, or waits for the server or whoever else is at it, until it is over;
// tell, when not nil, hears of the progress about once a second. The record is
// the answer also where the work failed or was canceled: see its State. When
// ctx ends the work stays to be done by somebody else.
func (w *Works) Follow(ctx context.Context, id int64, tell func(store.Work)) (store.Work, error) {
	tick := time.NewTicker(workRenew / 4)
	defer tick.Stop()
	for {
		one, err := w.doHere(ctx, id, tell)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return one, err
		}
		if one, err = w.store.WorkByID(ctx, id); err != nil || !one.State.Live() {
			return one, err
		}
		if tell != nil {
			tell(one)
		}
		select {
		case <-ctx.Done():
			return one, ctx.Err()
		case <-tick.C:
		}
	}
}

// doHere does one piece unless a server is there for it. ErrNotFound: somebody
// is at it, or will be.
func (w *Works) doHere(ctx context.Context, id int64, tell func(store.Work)) (store.Work, error) {
	if w.Elsewhere != nil {
		if there, err := w.Elsewhere(ctx); err != nil || there {
			return store.Work{}, cmp.Or(err, store.ErrNotFound)
		}
	}
	owner := rand.Text()
	one, err := w.store.TakeWork(ctx, id, w.names(), owner, workSpan)
	if err == nil {
		err = w.do(ctx, one, owner, tell)
	}
	return one, err
}

// do runs a piece that was taken and writes down how it ended.
func (w *Works) do(ctx context.Context, one store.Work, owner string, tell func(store.Work)) error {
	t := &Task{work: one, from: one.Done, began: time.Now()}
	held, end := context.WithCancelCause(ctx)
	if one.Cancel {
		end(errWorkCanceled)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.keep(held, t, owner, end, tell)
	}()
	kind := w.kinds[one.Kind]
	result, err := any(nil), context.Cause(held)
	if err == nil {
		result, err = kind.Run(held, t)
	}
	if cause := context.Cause(held); err != nil && cause != nil {
		err = cause
	}
	if errors.Is(err, errWorkCanceled) && kind.Canceled != nil {
		if undone := kind.Canceled(ctx, t); undone != nil {
			err = undone
		}
	}
	end(nil)
	<-done
	return w.close(context.WithoutCancel(ctx), t, owner, result, err)
}

// keep renews the claim until held ends, and ends it when the work is canceled
// or the claim was lost.
func (w *Works) keep(held context.Context, t *Task, owner string, end context.CancelCauseFunc, tell func(store.Work)) {
	tick := time.NewTicker(workRenew)
	defer tick.Stop()
	kept := time.Now()
	for {
		select {
		case <-held.Done():
			return
		case <-tick.C:
		}
		one := t.progress()
		if tell != nil {
			tell(one)
		}
		canceled, err := w.store.KeepWork(held, &one, owner, workSpan)
		switch {
		case canceled:
			end(errWorkCanceled)
		case err == nil:
			kept = time.Now()
		case errors.Is(err, store.ErrStale), time.Since(kept) > workSpan-2*workRenew:
			end(fmt.Errorf("jobs: work %d: somebody else is at it: %w", one.ID, err))
		}
	}
}

// close writes down how a run ended.
func (w *Works) close(ctx context.Context, t *Task, owner string, result any, err error) error {
	one := t.progress()
	wait := time.Duration(0)
	var paused *later
	switch {
	case errors.As(err, &paused):
		one.State, wait = store.WorkQueued, paused.span
	case err == nil:
		one.State, one.Error = store.WorkDone, ""
		if one.Result, err = encode(result); err != nil {
			one.State, one.Error = store.WorkFailed, err.Error()
		}
	case errors.Is(err, errWorkCanceled):
		one.State = store.WorkCanceled
	case errors.Is(err, context.Canceled), errors.Is(err, store.ErrAway): // the process stops, or the database is away
		one.State = store.WorkQueued
	default:
		one.Attempts, one.Error, one.State = one.Attempts+1, err.Error(), store.WorkQueued
		wait = time.Second << one.Attempts
		if one.Attempts >= workTries || errors.Is(err, ErrPermanent) {
			one.State = store.WorkFailed
		}
		w.log.Warn("long work failed", "kind", one.Kind, "id", one.ID, "attempt", one.Attempts, "error", err)
	}
	if err := w.store.EndWork(ctx, &one, owner, wait); err != nil && !errors.Is(err, store.ErrStale) {
		return err
	}
	return nil
}

// forget drops the records of what was over long ago.
func (w *Works) forget(ctx context.Context) error {
	return w.store.DropWork(ctx, lifecycle.At(w.now().Add(-workKept)))
}

// Task is a piece of long work in the hands of whoever does it. It is safe for
// concurrent use.
type Task struct {
	mu    sync.Mutex
	work  store.Work
	from  int64 // done before this run
	began time.Time
	paced bool // the kind tells the rate
}

// pace says how many units a second are done, for kinds that are at it for a
// moment at a time.
func (t *Task) pace(rate float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work.Rate, t.paced = rate, true
}

// Record gives the piece as it stands.
func (t *Task) Record() store.Work { return t.progress() }

// Args reads what the work was started with.
func (t *Task) Args(into any) error {
	if err := json.Unmarshal([]byte(t.work.Args), into); err != nil {
		return fmt.Errorf("jobs: work %d: arguments: %w: %w", t.work.ID, err, ErrPermanent)
	}
	return nil
}

// Place reads where a run before this one came to; false at the beginning.
func (t *Task) Place(into any) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.work.Place != "" && json.Unmarshal([]byte(t.work.Place), into) == nil
}

// At notes how many units are done of how many, and where to go on after them;
// place is kept as JSON, nil keeps the one before. It is in memory until the
// next renewal of the claim, within a second: what was done behind the last
// place is done again after a crash.
func (t *Task) At(done, total int64, place any) error {
	text := ""
	if place != nil {
		var err error
		if text, err = encode(place); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.work.Done, t.work.Total = done, max(total, done)
	if text != "" {
		t.work.Place = text
	}
	return nil
}

// progress gives the record with the rate of this run.
func (t *Task) progress() store.Work {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seconds := time.Since(t.began).Seconds(); !t.paced && t.work.Done > t.from && seconds > 0 {
		t.work.Rate = float64(t.work.Done-t.from) / seconds
	}
	return t.work
}

// Remaining estimates how long live work will take from now on; false while
// nothing can be said.
func Remaining(w *store.Work) (time.Duration, bool) {
	if !w.State.Live() || w.Rate <= 0 || w.Total == 0 {
		return 0, false
	}
	return time.Duration(float64(max(w.Total-w.Done, 0)) / w.Rate * float64(time.Second)), true
}
