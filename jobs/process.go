package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Processor turns pending raw events into everything that follows from them.
type Processor struct {
	Store    *store.Store
	Registry *Registry
	// Batch is how many rows one transaction takes; zero fits the database.
	Batch int
	// Due is told which connections have somebody newly due, after the commit.
	Due func(connections []string)
	// Metrics and Tracer watch; nil: nobody does.
	Metrics *observe.Metrics
	Tracer  *observe.Tracer
	Now     func() time.Time
	// Log is told of what is halved or parked; nil: nobody is.
	Log *slog.Logger

	parked *seldom
	lately *lately
}

// Rows of a transaction: enough to share out what each statement costs, but on
// SQLite few enough that ingest never waits long for the one writer.
const (
	batchSQLite   = 1000
	batchPostgres = 2000
)

// processWorkers is how many batches are under way at once in one process: on
// SQLite one is mapped while another is written. The second one begins when a
// full batch shows that there is enough for two.
const processWorkers = 2

// gather is how long work waits after a batch that was far from full, so that
// under a steady load few large transactions do what many small ones would.
const gather = 15 * time.Millisecond

// pause lets more work gather after a batch of n out of size; it answers
// whether ctx still runs.
func pause(ctx context.Context, n, size int) bool {
	if n > size/2 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(gather):
		return true
	}
}

// Run processes what is due until nothing is left. It may run at any number of
// places at once.
func (p *Processor) Run(ctx context.Context) error {
	return together(processWorkers, func(more func()) error { return p.drain(ctx, more) })
}

// together runs work, and once more beside it each time it calls more, up to
// most at once, and waits for all.
func together(most int, work func(more func()) error) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	running := 0
	var begin func()
	begin = func() {
		mu.Lock()
		defer mu.Unlock()
		if running >= most {
			return
		}
		running++
		wg.Go(func() {
			err := work(begin)
			mu.Lock()
			defer mu.Unlock()
			running--
			errs = append(errs, err)
		})
	}
	begin()
	wg.Wait()
	return errors.Join(errs...)
}

func (p *Processor) drain(ctx context.Context, more func()) error {
	size := p.Batch
	if size == 0 {
		size = batchSQLite
		if p.Store.Postgres() {
			size = batchPostgres
		}
	}
	for ctx.Err() == nil {
		batch, err := p.Store.Take(ctx, "", size)
		if err != nil || batch == nil {
			return err
		}
		n := len(batch.Rows)
		if n == size {
			more()
		}
		if err := p.batch(ctx, batch); err != nil {
			return err
		}
		pause(ctx, n, size)
	}
	return ctx.Err()
}

// manyIDs are more than the people of any contested set.
const manyIDs = 100_000

// batch processes the rows of a batch. When the transaction fails for a reason
// of its own, the rows are taken again in halves until the bad one stands
// alone; that one becomes failed.
func (p *Processor) batch(ctx context.Context, b *store.Batch) error {
	err := p.commit(ctx, b, 1)
	if errors.Is(err, errFewIDs) {
		if b, err = p.Store.TakeAgain(ctx, b.Rows); err != nil || b == nil {
			return err
		}
		err = p.commit(ctx, b, manyIDs)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrRetry):
		return p.Registry.Refresh(ctx) // perhaps that is what changed
	case errors.Is(err, store.ErrAway), ctx.Err() != nil:
		return err
	}
	p.Metrics.Halved()
	p.told().Warn("a batch failed and is halved", "rows", len(b.Rows), "first_receipt", b.Rows[0].ID, "error", err)
	return p.isolate(ctx, b.Rows, err)
}

func (p *Processor) isolate(ctx context.Context, rows []store.Row, cause error) error {
	parts := [][]store.Row{rows[:len(rows)/2], rows[len(rows)/2:]}
	if len(rows) == 1 {
		parts = parts[1:]
	}
	for _, part := range parts {
		b, err := p.Store.TakeAgain(ctx, part)
		if err != nil {
			return err
		}
		if b == nil {
			continue // somebody else has them
		}
		if len(rows) > 1 {
			err = p.batch(ctx, b)
		} else {
			err = b.Commit(ctx, func(t *store.Tx) error {
				return t.FinishTx(ctx, b.Rows, []store.Outcome{{Status: store.Failed, Step: "internal", Reason: "internal", Detail: cause.Error()}})
			})
		}
		if err != nil && !errors.Is(err, store.ErrRetry) {
			return err
		}
	}
	return nil
}

// commit maps outside the transaction, so that on SQLite the writer is not
// held meanwhile, and writes inside.
// spare ids are reserved beside one per event.
func (p *Processor) commit(ctx context.Context, b *store.Batch, spare int) error {
	begun, span := time.Now(), p.observedBatch(ctx, b.Rows)
	work := p.mapAll(p.Registry.Config(), b.Rows)
	ids := work.events + spare
	first, err := p.Store.PersonIDs(ctx, ids)
	if err != nil {
		b.Release()
		p.note(ctx, span, b.Rows, work, 0, err)
		return err
	}
	work.next, work.end = first, first+lifecycle.ProfileID(ids)
	err = b.Commit(ctx, func(t *store.Tx) error { return p.commitRows(ctx, t, b.Rows, work) })
	p.Store.ReturnPersonIDs(work.next, work.end)
	p.note(ctx, span, b.Rows, work, time.Since(begun), err)
	if err == nil && len(work.pushed) > 0 && p.Due != nil {
		p.Tracer.Due(span, work.pushed)
		p.Due(work.pushed)
	}
	return err
}

// work is a batch between mapping and its effects.
type work struct {
	cfg       *Config
	now       lifecycle.Instant
	rows      []mapped
	events    int
	next, end lifecycle.ProfileID
	// retract: rows may have been processed before, so what they gave is taken
	// back first.
	retract []int64
	people  []*person // whom the batch brought up to date
	pushed  []string
}

func (p *Processor) mapAll(cfg *Config, rows []store.Row) *work {
	w := &work{cfg: cfg, now: lifecycle.At(p.Now()), rows: make([]mapped, len(rows))}
	for i := range rows {
		w.rows[i] = mapRow(cfg, &rows[i], w.now)
		w.events += len(w.rows[i].events)
		if rows[i].Replayed {
			w.retract = append(w.retract, rows[i].ID)
		}
	}
	return w
}

// commitRows is the whole transaction of a batch.
func (p *Processor) commitRows(ctx context.Context, t *store.Tx, rows []store.Row, w *work) error {
	version, err := t.ConfigVersionTx(ctx)
	if err != nil {
		return err
	}
	if w.cfg.Version != version {
		return fmt.Errorf("%w: the configuration changed", store.ErrRetry)
	}
	if err := p.echoes(ctx, t, w); err != nil {
		return err
	}
	if err := p.unchanged(ctx, t, w, rows); err != nil {
		return err
	}
	var done, held []store.Row
	var outcomes []store.Outcome
	var until []lifecycle.Instant
	var events []*lifecycle.Event
	for i := range rows {
		m := &w.rows[i]
		if m.hold != 0 {
			held, until = append(held, rows[i]), append(until, m.hold)
			continue
		}
		done, outcomes = append(done, rows[i]), append(outcomes, m.outcome)
		for j := range m.events {
			events = append(events, &m.events[j])
		}
	}
	w.people = nil
	if err := p.effects(ctx, t, w, events); err != nil {
		return err
	}
	if err := p.openErasures(ctx, t, w); err != nil {
		return err
	}
	if err := p.overwritten(ctx, t, w, rows); err != nil {
		return err
	}
	if err := t.PostponeTx(ctx, held, "", until, "future", false); err != nil {
		return err
	}
	if err := t.FinishTx(ctx, done, outcomes); err != nil {
		return err
	}
	return t.AddViolationsTx(ctx, w.violations(rows))
}

// echoes recognises our own writes by the ledger of what was written.
func (p *Processor) echoes(ctx context.Context, t *store.Tx, w *work) error {
	for i := range w.rows {
		m := &w.rows[i]
		if len(m.written) == 0 {
			continue
		}
		echo, err := t.EchoTx(ctx, m.written)
		if err != nil {
			return err
		}
		if echo {
			*m = mapped{outcome: store.Outcome{Status: store.Ignored, Reason: store.ReasonEcho, Detail: "the values are those last written there", Empty: m.outcome.Empty}}
		}
	}
	return nil
}

// effects writes what the events do to people.
func (p *Processor) effects(ctx context.Context, t *store.Tx, w *work, events []*lifecycle.Event) error {
	touched, err := retract(ctx, t, w.retract)
	if err != nil || len(events) == 0 && len(touched) == 0 {
		return err
	}
	slices.SortFunc(events, compareEvents)
	r := newResolver(t, w)
	if err := r.resolve(ctx, events, touched); err != nil {
		return err
	}
	return p.apply(ctx, t, w, r)
}

// apply writes what a resolver found out, and brings whom it concerns up to
// date.
func (p *Processor) apply(ctx context.Context, t *store.Tx, w *work, r *resolver) error {
	w.next = r.next
	f := &effects{t: t, cfg: w.cfg, now: w.now, stored: r.stored, pushed: map[string]bool{}}
	for _, person := range r.people {
		if len(person.fresh) > 0 || person.derive {
			f.people = append(f.people, person)
		}
	}
	slices.SortFunc(f.people, func(a, b *person) int { return int(a.id - b.id) })
	f.deriveAhead()
	if err := r.writeIdentity(ctx); err != nil {
		return err
	}
	if err := f.run(ctx); err != nil {
		return err
	}
	w.people = f.people
	for id := range f.pushed {
		w.pushed = append(w.pushed, id)
	}
	return nil
}

func retract(ctx context.Context, t *store.Tx, rows []int64) ([]lifecycle.ProfileID, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	return t.RetractTx(ctx, rows)
}
