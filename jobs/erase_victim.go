package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// victim is an erasure under way inside its transaction.
type victim struct {
	t       *store.Tx
	w       *work
	p       *Processor
	until   lifecycle.Instant
	removed *Removed

	row *store.Person
	// gone are the person and whoever became them; others are contested with
	// them, so that taking the keys away decides about them, too.
	gone   []lifecycle.ProfileID
	others []lifecycle.ProfileID
	blocks *Blocks
}

func (v *victim) erase(ctx context.Context, id lifecycle.ProfileID, e *store.Erasure) error {
	if err := v.load(ctx, id); err != nil {
		return err
	}
	if e == nil {
		if due, err := v.due(ctx); err != nil || !due {
			return err
		}
	}
	if err := v.block(ctx); err != nil {
		return err
	}
	if e != nil {
		if err := v.certify(ctx, e.ID); err != nil {
			return err
		}
	}
	rest, err := v.events(ctx)
	if err != nil {
		return err
	}
	if err := v.forget(ctx); err != nil {
		return err
	}
	if len(rest)+len(v.others) == 0 {
		return nil
	}
	return v.rejoin(ctx, rest)
}

// rejoin tells anew what the person did since, which makes a new person, and
// finds out who the others are by what is left of their events: the set that
// they were contested in may fall apart, or be contested no more.
func (v *victim) rejoin(ctx context.Context, rest []*lifecycle.Event) error {
	stored, err := v.t.EventsTx(ctx, v.others)
	if err != nil {
		return err
	}
	events := slices.Clone(rest)
	for _, id := range v.others {
		for i := range stored[id] {
			events = append(events, &stored[id][i])
		}
	}
	r := newResolver(v.t, v.w)
	if err := r.load(ctx, events, v.others); err != nil {
		return err
	}
	r.touch(v.others)
	for _, id := range v.others {
		for i := range stored[id] {
			r.connectStored(r.people[id], &stored[id][i])
		}
	}
	for _, e := range rest {
		r.connect(e)
	}
	for _, s := range r.sets() {
		s.rebuild = s.rebuild || r.disputed(s)
	}
	if err := r.decide(ctx); err != nil {
		return err
	}
	return v.p.apply(ctx, v.t, v.w, r)
}

// load locks the person, and finds who else is concerned.
func (v *victim) load(ctx context.Context, id lifecycle.ProfileID) error {
	rows, err := v.t.PeopleTx(ctx, []lifecycle.ProfileID{id})
	if err != nil {
		return err
	}
	if v.row = rows[id]; v.row == nil || v.row.State == nil {
		return store.ErrNotFound
	}
	if v.row.Merged != 0 {
		return fmt.Errorf("%w: %d was merged", store.ErrRetry, id)
	}
	if v.row.Contested != 0 {
		set, err := v.t.ContestedTx(ctx, []int64{v.row.Contested})
		if err != nil {
			return err
		}
		for other := range set {
			if other != id {
				v.others = append(v.others, other)
			}
		}
		slices.Sort(v.others)
	}
	merged, err := v.t.MergedTx(ctx, id)
	v.gone = append([]lifecycle.ProfileID{id}, merged...)
	return err
}

// due tells whether anything of the person is from before the erasure. Whoever
// came back since is left alone.
func (v *victim) due(ctx context.Context) (bool, error) {
	stored, err := v.t.EventsTx(ctx, v.gone[:1])
	return slices.ContainsFunc(stored[v.row.ID], func(e lifecycle.Event) bool { return v.w.cfg.Blocks.drops(&e) }), err
}

// block keeps the hashes of the person's keys. Batches under way see that the
// configuration changed and begin again.
func (v *victim) block(ctx context.Context) error {
	hashes := v.w.cfg.Blocks.of(parseKeys(v.row.Keys), v.until)
	if err := v.t.AddBlocksTx(ctx, hashes, true); err != nil {
		return err
	}
	version, err := v.t.ConfigVersionTx(ctx)
	if err != nil {
		return err
	}
	if version != v.w.cfg.Version+1 {
		return fmt.Errorf("%w: the configuration changed", store.ErrRetry)
	}
	v.blocks = v.w.cfg.Blocks.with(hashes, 0)
	return nil
}

// events takes away what may not stay, the raw events included, and gives what
// the person did since.
func (v *victim) events(ctx context.Context) (rest []*lifecycle.Event, err error) {
	id := v.row.ID
	stored, err := v.t.EventsTx(ctx, append([]lifecycle.ProfileID{id}, v.others...))
	if err != nil {
		return nil, err
	}
	var out []store.Stored
	var rows []int64
	for owner, events := range stored {
		for i := range events {
			e := &events[i]
			drop := v.blocks.drops(e)
			if owner == id && !drop {
				rest = append(rest, e)
			}
			if owner != id && !drop {
				continue
			}
			out = append(out, store.Stored{Person: owner, Event: *e})
			if drop {
				v.removed.Events++
				rows = append(rows, e.Inbox)
			}
		}
	}
	slices.SortFunc(rest, compareEvents)
	if err := v.t.RemoveEventsTx(ctx, out); err != nil {
		return nil, err
	}
	slices.Sort(rows)
	rows = slices.DeleteFunc(slices.Compact(rows), func(id int64) bool { return id == 0 })
	v.removed.RawEvents, err = v.t.EraseRowsTx(ctx, rows)
	return rest, err
}

// forget takes the person out of everything that is kept beside the events.
func (v *victim) forget(ctx context.Context) error {
	if v.row.Contested != 0 {
		if err := v.t.SettleTx(ctx, v.row.Contested); err != nil {
			return err
		}
	}
	f := &effects{t: v.t, cfg: v.w.cfg, now: v.w.now, pushed: map[string]bool{}, people: []*person{
		{id: v.row.ID, row: v.row, gone: true, derive: true, kind: lifecycle.KindCorrection},
	}}
	if err := f.run(ctx); err != nil {
		return err
	}
	for c := range f.pushed {
		v.w.pushed = append(v.w.pushed, c)
	}
	if err := v.t.ForgetPeopleTx(ctx, v.gone, v.row.Keys); err != nil {
		return err
	}
	v.removed.People = int64(len(v.gone))
	var err error
	v.removed.AuditBlanks, err = v.t.ForgetDecisionsTx(ctx, v.gone)
	return err
}
