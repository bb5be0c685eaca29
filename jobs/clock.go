package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// clockBatch is how many people one transaction of the clock takes.
const clockBatch = 500

// Tick applies every timer that is due: whoever changes with time alone, and
// nobody else, is looked at.
func (p *Processor) Tick(ctx context.Context) error {
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
		}
	}
	return ctx.Err()
}

// DeriveNext derives people anew who were last derived under another plan, up
// to a batch after a person; it answers the last one looked at, zero at the
// end. It is how a published plan reaches everybody.
func (p *Processor) DeriveNext(ctx context.Context, after lifecycle.ProfileID) (lifecycle.ProfileID, error) {
	var last lifecycle.ProfileID
	_, err := p.eachDue(ctx, func(t *store.Tx, _ lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error) {
		people, err := t.AfterTx(ctx, after, clockBatch)
		last = 0
		for id := range people {
			last = max(last, id)
		}
		return people, err
	})
	return last, err
}

// eachDue brings the people that take finds up to date in one transaction.
func (p *Processor) eachDue(ctx context.Context, take func(*store.Tx, lifecycle.Instant) (map[lifecycle.ProfileID]*store.Person, error)) (int, error) {
	cfg := p.Registry.Config()
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
