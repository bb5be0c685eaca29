package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// againBatch is a transaction of a replay. Raw events that give what they gave
// are not written at all.
type againBatch struct {
	*replay
	cfg  *Config
	rows []store.Row
	next string // where to go on behind these

	work   *work
	was    []store.Outcome // of work.rows
	place  replayPlace
	people []lifecycle.ProfileID
}

// run processes the rows; spare ids are reserved beside one per event.
func (b *againBatch) run(ctx context.Context, spare int) error {
	p := b.p
	for i := range b.rows {
		b.rows[i].Replayed = true
	}
	mapped := p.mapAll(b.cfg, b.rows)
	first, err := p.Store.PersonIDs(ctx, mapped.events+spare)
	if err != nil {
		return err
	}
	end := first + lifecycle.ProfileID(mapped.events+spare)
	tries := 0
	err = p.Store.Derived(ctx, func(t *store.Tx) error {
		if tries++; tries > 1 { // what a try before this one left off is half done
			mapped = p.mapAll(b.cfg, b.rows)
		}
		mapped.next, mapped.end = first, end
		b.work = mapped
		return b.commit(ctx, t)
	})
	if b.work != nil {
		p.Store.ReturnPersonIDs(b.work.next, end)
	}
	if err != nil {
		return err
	}
	b.at = b.place
	for _, id := range b.people {
		if len(b.replay.people) < replayPeople {
			b.replay.people[id] = true
		}
	}
	if len(b.work.pushed) > 0 && p.Due != nil {
		p.Due(b.work.pushed)
	}
	return nil
}

// commit is the whole transaction.
func (b *againBatch) commit(ctx context.Context, t *store.Tx) error {
	version, err := t.ConfigVersionTx(ctx)
	if err != nil {
		return err
	}
	if b.cfg.Version != version {
		return fmt.Errorf("%w: the configuration changed", store.ErrRetry)
	}
	rows, err := b.choose(ctx, t)
	if err != nil {
		return err
	}
	diffs := newEventDiffs(0)
	diffs.add(b.at.Events, b.at.Outcomes)
	b.place = b.at
	b.place.After, b.place.End = b.next, b.next == ""
	if err := b.differing(ctx, t, rows, diffs); err != nil {
		return err
	}
	b.people = b.people[:0]
	for _, person := range b.work.people {
		if !b.replay.people[person.id] {
			b.people = append(b.people, person.id)
		}
	}
	b.place.People += int64(len(b.people))
	b.place.Events, b.place.Outcomes = diffs.list()
	b.place.Retracted = 0
	for i := range b.place.Events {
		b.place.Retracted += b.place.Events[i].Removed
	}
	text, err := json.Marshal(b.place)
	if err != nil {
		return fmt.Errorf("jobs: replay: %w", err)
	}
	return t.SetNoteTx(ctx, b.note, string(text))
}

// choose locks the outcomes of the rows and leaves out those that are pending
// by now, and our own echoes: the ledger of what we wrote is not asked twice.
func (b *againBatch) choose(ctx context.Context, t *store.Tx) ([]store.Row, error) {
	ids := make([]int64, len(b.rows))
	for i := range b.rows {
		ids[i] = b.rows[i].ID
	}
	was, err := t.OutcomesTx(ctx, ids)
	if err != nil {
		return nil, err
	}
	w := b.work
	all := w.rows
	rows := make([]store.Row, 0, len(b.rows))
	w.rows, w.retract, b.was = w.rows[:0:0], w.retract[:0], b.was[:0]
	for i := range b.rows {
		o, there := was[b.rows[i].ID]
		if !there || o.Reason == store.ReasonEcho && b.filter.Reason != store.ReasonEcho {
			continue
		}
		m := all[i]
		if o.Status == store.Done || o.Status == store.Ignored {
			m.written = nil
		}
		rows, w.rows, b.was = append(rows, b.rows[i]), append(w.rows, m), append(b.was, o)
		w.retract = append(w.retract, b.rows[i].ID)
	}
	return rows, b.p.echoes(ctx, t, w)
}

// differing writes what the rows give where that is not what they gave.
func (b *againBatch) differing(ctx context.Context, t *store.Tx, rows []store.Row, diffs *eventDiffs) error {
	w := b.work
	w.people, w.pushed = nil, nil
	stored, err := t.EventsOfRowsTx(ctx, w.retract)
	if err != nil {
		return err
	}
	var write []store.Row
	var at []int // of write in w.rows
	var events []*lifecycle.Event
	w.retract = w.retract[:0]
	for i := range rows {
		m, had := &w.rows[i], stored[rows[i].ID]
		b.place.RawEvents++
		to := store.StatusName(m.outcome.Status)
		if m.hold != 0 {
			to, m.events = "pending", nil
		}
		same := sameEvents(had, m.events)
		if same && m.hold == 0 && m.outcome == b.was[i] {
			continue
		}
		b.place.Changed++
		diffs.outcome(store.StatusName(b.was[i].Status), to)
		write, at = append(write, rows[i]), append(at, i)
		if same {
			continue
		}
		diffs.compare(rows[i].ID, had, m.events)
		w.retract = append(w.retract, rows[i].ID)
		for j := range m.events {
			events = append(events, &m.events[j])
		}
	}
	if err := t.AgainTx(ctx, write); err != nil {
		return err
	}
	if err := b.p.effects(ctx, t, w, events); err != nil {
		return err
	}
	var done, held []store.Row
	var outcomes []store.Outcome
	var until []lifecycle.Instant
	for n, i := range at {
		if m := &w.rows[i]; m.hold != 0 {
			held, until = append(held, write[n]), append(until, m.hold)
		} else {
			done, outcomes = append(done, write[n]), append(outcomes, m.outcome)
		}
	}
	if err := t.PostponeTx(ctx, held, "", until, "future", false); err != nil {
		return err
	}
	if len(done) > 0 {
		if err := t.FinishTx(ctx, done, outcomes); err != nil {
			return err
		}
	}
	return t.AddViolationsTx(ctx, w.violations(rows))
}
