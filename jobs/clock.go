package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// clockBatch is how many people one transaction of the clock takes.
const clockBatch = 2000

// clockWorkers is how many transactions of the clock a process runs at once: on
// PostgreSQL one is written while the next is thought out. SQLite has one writer.
const clockWorkers = 3

// Tick applies every timer that is due: whoever changes with time alone, and
// nobody else, is looked at.
func (p *Processor) Tick(ctx context.Context) error {
	most := 1
	if p.Store.Postgres() {
		most = clockWorkers
	}
	return together(most, func(more func()) error { return p.tick(ctx, more) })
}

// tick is Tick for one of several workers, and calls more where there is enough
// for another.
func (p *Processor) tick(ctx context.Context, more func()) error {
	for ctx.Err() == nil {
		n, err := p.eachDue(ctx, func(t *store.Tx, now lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error) {
			return t.DueTx(ctx, now, clockBatch)
		})
		switch {
		case errors.Is(err, store.ErrRetry):
			if err := p.Registry.Refresh(ctx); err != nil {
				return err
			}
		case err != nil || n == 0:
			return err
		case n == clockBatch:
			more()
		}
	}
	return ctx.Err()
}

// DeriveNext derives people anew who were last derived under another plan than
// theirs, up to a batch after a person; it answers the last one looked at,
// zero at the end. It is how a published plan reaches everybody.
func (p *Processor) DeriveNext(ctx context.Context, after lifecycle.ProfileID) (lifecycle.ProfileID, error) {
	last, _, err := p.deriveNext(ctx, after)
	return last, err
}

// deriveNext is DeriveNext, and counts those looked at.
func (p *Processor) deriveNext(ctx context.Context, after lifecycle.ProfileID) (last lifecycle.ProfileID, n int, err error) {
	cfg := p.Registry.Config()
	_, err = p.eachDueOf(ctx, cfg, func(t *store.Tx, _ lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error) {
		people, err := t.AfterTx(ctx, after, clockBatch)
		last, n = 0, len(people)
		for id, row := range people {
			last = max(last, id)
			// eachDueOf refuses if the configuration is another than cfg by now.
			if under, known := lifecycle.PlanVersionOf(row.State); known && under == cfg.PlanOf(id).Version() {
				delete(people, id)
			}
		}
		return people, err
	})
	return last, n, err
}

// eachDue brings the people that take finds up to date in one transaction.
func (p *Processor) eachDue(ctx context.Context, take func(*store.Tx, lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error)) (int, error) {
	return p.eachDueOf(ctx, p.Registry.Config(), take)
}

// eachDueOf is eachDue under a configuration; store.ErrRetry when that is not
// the one in force.
func (p *Processor) eachDueOf(ctx context.Context, cfg *Config, take func(*store.Tx, lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error)) (int, error) {
	now := lifecycle.At(p.Now())
	var pushed []string
	n := 0
	err := p.Store.Derived(ctx, func(t *store.Tx) error {
		version, err := t.ConfigVersionTx(ctx)
		if err != nil {
			return err
		}
		if version != cfg.Version {
			return store.ErrRetry
		}
		rows, err := take(t, now)
		if err != nil {
			return err
		}
		n = len(rows)
		f := &effects{t: t, cfg: cfg, now: now, pushed: map[string]bool{}}
		for id, row := range rows {
			if row.Merged == 0 && row.State != nil {
				f.people = append(f.people, &person{id: id, row: row, keys: parseKeys(row.Keys), contested: row.Contested})
			}
		}
		slices.SortFunc(f.people, func(a, b *person) int { return int(a.id - b.id) })
		if err := f.run(ctx); err != nil {
			return err
		}
		pushed = pushed[:0]
		for id := range f.pushed {
			pushed = append(pushed, id)
		}
		return nil
	})
	if err == nil && len(pushed) > 0 && p.Due != nil {
		p.Due(pushed)
	}
	return n, err
}
