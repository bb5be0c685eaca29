package jobs

import (
	"cmp"
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// write puts everything that changed into the store.
func (f *effects) write(ctx context.Context) error {
	rows := make([]*store.Person, 0, len(f.people))
	var events []store.Stored
	for _, p := range f.people {
		if p.gone {
			continue
		}
		p.member = f.cfg.PlanOf(p.id).Member(p.prof, f.now)
		row, err := p.save()
		if err != nil {
			return err
		}
		rows = append(rows, row)
		for _, e := range p.fresh {
			events = append(events, store.Stored{Person: p.id, Event: *e})
		}
	}
	// One order for all transactions, and neighbours in the tables side by side.
	slices.SortFunc(rows, func(a, b *store.Person) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(events, func(a, b store.Stored) int { return cmp.Compare(a.Person, b.Person) })
	slices.SortFunc(f.transitions, func(a, b store.Transition) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Seq, b.Seq))
	})
	if err := f.t.SavePeopleTx(ctx, rows); err != nil {
		return err
	}
	if err := f.t.AddEventsTx(ctx, events); err != nil {
		return err
	}
	if err := f.t.AddTransitionsTx(ctx, f.transitions); err != nil {
		return err
	}
	if err := f.t.ChangeMembershipsTx(ctx, f.added, f.left); err != nil {
		return err
	}
	if len(f.conflicting)+len(f.settled) > 0 {
		if err := f.t.ChangeConflictsTx(ctx, f.conflicting, f.settled); err != nil {
			return err
		}
	}
	if len(f.standings)+len(f.unstanding) > 0 {
		if err := f.t.ChangeStandingsTx(ctx, f.standings, f.unstanding); err != nil {
			return err
		}
	}
	if len(f.dropped) > 0 {
		if err := f.t.DropPeopleTx(ctx, f.dropped); err != nil {
			return err
		}
	}
	if len(f.forget) > 0 {
		if err := f.t.ForgetKnownTx(ctx, f.forget); err != nil {
			return err
		}
	}
	if len(f.parted) > 0 {
		if err := f.t.ForgetRecordsTx(ctx, f.parted); err != nil {
			return err
		}
	}
	if err := f.t.WantPushTx(ctx, f.wantConns, f.wantPeople, f.now); err != nil {
		return err
	}
	return f.accounts(ctx) // last, since many transactions may want the same account
}

// save gives the row of a person.
func (p *person) save() (*store.Person, error) {
	state, err := p.prof.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(p.keys))
	for i, k := range p.keys {
		keys[i] = k.String()
	}
	return &store.Person{
		ID: p.id, Contested: p.contested, Keys: keys, State: state, Stage: p.prof.Stage, Since: p.prof.Since,
		NextCheck: earlier(p.prof.NextCheck, p.member.NextCheck), LastSeen: p.prof.LastSeen,
	}, nil
}

// writeIdentity puts the resolver's findings into the store. Events move
// before people are merged, since a move names the old owner.
func (r *resolver) writeIdentity(ctx context.Context) error {
	if err := r.t.MoveEventsTx(ctx, r.moves); err != nil {
		return err
	}
	if err := r.writeMerges(ctx); err != nil {
		return err
	}
	if err := writeKeys(r.claimed, func(k []string, p []lifecycle.ProfileID) error { return r.t.ClaimKeysTx(ctx, k, p) }); err != nil {
		return err
	}
	if err := writeKeys(r.moved, func(k []string, p []lifecycle.ProfileID) error { return r.t.MoveKeysTx(ctx, k, p) }); err != nil {
		return err
	}
	if err := r.t.DropKeysTx(ctx, r.orphaned); err != nil {
		return err
	}
	if len(r.contested) == 0 {
		return nil
	}
	return r.t.ReplaceRefusalsTx(ctx, r.contested, r.refusals)
}

func (r *resolver) writeMerges(ctx context.Context) error {
	n := len(r.merges)
	if n == 0 {
		return nil
	}
	losers, survivors, at := make([]lifecycle.ProfileID, n), make([]lifecycle.ProfileID, n), make([]lifecycle.Instant, n)
	var unstanding []store.Standing
	causes, inbox, rows := make([]lifecycle.EventID, n), make([]int64, n), make([]*store.Person, n)
	for i, m := range r.merges {
		losers[i], survivors[i] = m.loser.id, m.survivor.id
		if m.cause != nil {
			at[i], causes[i], inbox[i] = m.cause.At, m.cause.ID, m.cause.Inbox
		}
		rows[i] = &store.Person{ID: m.loser.id, Merged: m.survivor.id}
		r.t.CountTx("", "people", -1)
		r.t.CountTx("", "merges", 1)
		r.t.CountTx("", "stage:"+string(m.loser.row.Stage), -1)
		prof, err := lifecycle.DecodeProfile(m.loser.row.State)
		if err != nil {
			return err
		}
		for _, s := range prof.Segments {
			r.t.CountTx("", "segment:"+string(s.Name), -1)
		}
		unstanding = append(unstanding, leaving(r.t, m.loser.id, slices.Collect(prof.Lifecycles()))...)
	}
	if len(unstanding) > 0 {
		if err := r.t.ChangeStandingsTx(ctx, nil, unstanding); err != nil {
			return err
		}
	}
	if err := r.t.MergeTx(ctx, losers, survivors, at, causes, inbox); err != nil {
		return err
	}
	return r.t.SavePeopleTx(ctx, rows)
}

func writeKeys(all map[string]lifecycle.ProfileID, write func([]string, []lifecycle.ProfileID) error) error {
	if len(all) == 0 {
		return nil
	}
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	people := make([]lifecycle.ProfileID, len(keys))
	for i, k := range keys {
		people[i] = all[k]
	}
	return write(keys, people)
}
