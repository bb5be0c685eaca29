package jobs

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// earlier gives the earlier of two instants, of which zero is never.
func earlier(a, b lifecycle.Instant) lifecycle.Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// accountChange is what a batch changes about one account.
type accountChange struct {
	people int64
	tally  lifecycle.Tally
	// told is the newest name among those who came, lost are the names of those
	// who left or changed.
	told lifecycle.Member
	lost []lifecycle.Member
	// at, event and person are of the newest change.
	at     lifecycle.Instant
	event  lifecycle.EventID
	person lifecycle.ProfileID
	// kind is what the newest change is called where it is more than news: a late
	// event, a join, a plan.
	kind lifecycle.Kind
}

// accounts brings the accounts of everybody who changed up to date: what each
// person adds to one is kept, so that the difference is all that has to be
// added. Where nobody's share differs, no account is touched.
func (f *effects) accounts(ctx context.Context) error {
	if !f.cfg.Accounts {
		return nil
	}
	members, left, changes, err := f.membership(ctx)
	if err != nil || len(changes) == 0 {
		return err
	}
	keys := slices.Sorted(maps.Keys(changes))
	accounts, err := f.t.LockAccountsTx(ctx, keys)
	if err != nil {
		return err
	}
	if err := f.t.ChangeMembersTx(ctx, members, left); err != nil {
		return err
	}
	if err := f.companies(ctx, accounts, changes); err != nil {
		return err
	}
	var moves []store.AccountMove
	var wantConns, wantKeys []string
	all := make([]*store.Account, 0, len(keys))
	for _, key := range keys {
		a := accounts[key]
		was := *a
		move, err := f.account(a, changes[key])
		if err != nil {
			return err
		}
		all = append(all, a)
		if move == nil {
			continue
		}
		moves = append(moves, *move)
		if a.People <= 0 {
			continue // what a vendor holds of it stays there
		}
		for _, c := range f.cfg.Pushing {
			if c.accountsDue(&was, a) {
				wantConns, wantKeys = append(wantConns, c.ID), append(wantKeys, key)
				f.pushed[c.ID] = true
			}
		}
	}
	if err := f.moveKinds(ctx, moves); err != nil {
		return err
	}
	if err := f.t.SaveAccountsTx(ctx, all); err != nil {
		return err
	}
	if err := f.t.AddAccountMovesTx(ctx, moves); err != nil {
		return err
	}
	return f.t.WantAccountsTx(ctx, wantConns, wantKeys, f.now)
}

// membership compares what everybody is to an account with what is kept.
func (f *effects) membership(ctx context.Context) (members []store.AccountMember, left []lifecycle.ProfileID, changes map[string]*accountChange, err error) {
	var ids []lifecycle.ProfileID
	for _, p := range f.people {
		if p.row != nil {
			ids = append(ids, p.id)
		}
		for _, m := range p.merged {
			if m.row != nil {
				ids = append(ids, m.id)
			}
		}
	}
	slices.Sort(ids)
	old, err := f.t.MembersTx(ctx, slices.Compact(ids))
	if err != nil {
		return nil, nil, nil, err
	}
	changes = map[string]*accountChange{}
	for _, p := range f.people {
		var now store.AccountMember
		if m := &p.member; !p.gone && m.Account != "" {
			b, err := m.Tally.AppendBinary(nil)
			if err != nil {
				return nil, nil, nil, err
			}
			now = store.AccountMember{Person: p.id, Account: m.Account, Domain: m.Domain, Company: m.Company, Since: m.Since, Tally: b}
		}
		was := old[p.id]
		delete(old, p.id)
		if sameMember(&was, &now) {
			continue
		}
		if now.Account != "" {
			members = append(members, now)
		} else {
			left = append(left, p.id)
		}
		if err := f.share(changes, p, &was, &now); err != nil {
			return nil, nil, nil, err
		}
	}
	// Whoever is left was merged into somebody.
	for _, id := range slices.Sorted(maps.Keys(old)) {
		was := old[id]
		left = append(left, id)
		if err := f.share(changes, &person{id: id, derive: true, kind: lifecycle.KindMerge}, &was, &store.AccountMember{}); err != nil {
			return nil, nil, nil, err
		}
	}
	return members, left, changes, nil
}

func sameMember(a, b *store.AccountMember) bool {
	return a.Account == b.Account && a.Domain == b.Domain && a.Company == b.Company && a.Since == b.Since && bytes.Equal(a.Tally, b.Tally)
}

// share takes what a person was to an account away and adds what the person is.
func (f *effects) share(changes map[string]*accountChange, p *person, was, now *store.AccountMember) error {
	at, event := f.now, lifecycle.EventID{}
	if n := len(p.fresh); n > 0 {
		at, event = p.fresh[n-1].At, p.fresh[n-1].ID
	}
	for _, side := range []struct {
		m     *store.AccountMember
		times int64
	}{{was, -1}, {now, 1}} {
		if side.m.Account == "" {
			continue
		}
		c := changes[side.m.Account]
		if c == nil {
			c = &accountChange{}
			changes[side.m.Account] = c
		}
		t, err := lifecycle.DecodeTally(side.m.Tally)
		if err != nil {
			return fmt.Errorf("jobs: share of person %d: %w", p.id, err)
		}
		c.people, c.tally = c.people+side.times, c.tally.Plus(t, side.times)
		name := lifecycle.Member{Company: side.m.Company, Since: side.m.Since}
		switch {
		case name.Company == "":
		case side.times < 0:
			c.lost = append(c.lost, name)
		case name.Newer(c.told.Company, c.told.Since):
			c.told = name
		}
		if cmp.Or(cmp.Compare(at, c.at), cmp.Compare(event.String(), c.event.String()), cmp.Compare(p.id, c.person)) >= 0 {
			c.at, c.event, c.person, c.kind = at, event, p.id, ""
			if p.derive {
				c.kind = p.kind
			}
		}
	}
	return nil
}

// companies keeps for each account the name that was told last of any of its
// people, and asks for it only where whoever told it does so no more.
func (f *effects) companies(ctx context.Context, accounts map[string]*store.Account, changes map[string]*accountChange) error {
	var ask []string
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		a, c := accounts[key], changes[key]
		if c.told.Company != "" && (c.told.Newer(a.Name, a.NameAt) || a.Name == "") {
			a.Name, a.NameAt = c.told.Company, c.told.Since
			continue
		}
		if slices.ContainsFunc(c.lost, func(m lifecycle.Member) bool { return m.Company == a.Name && m.Since == a.NameAt }) {
			ask = append(ask, key)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := f.t.CompaniesTx(ctx, ask)
	for _, key := range ask {
		accounts[key].Name, accounts[key].NameAt = found[key].Company, found[key].Since
	}
	return err
}

// account applies a change, and gives the move it leads to; nil for none.
func (f *effects) account(a *store.Account, c *accountChange) (*store.AccountMove, error) {
	sum, err := lifecycle.DecodeTally(a.Tally)
	if err != nil {
		return nil, fmt.Errorf("jobs: account %s: %w", a.Key, err)
	}
	was := *a
	sum = sum.Plus(c.tally, 1)
	a.People += c.people
	if a.Tally, err = sum.AppendBinary(nil); err != nil {
		return nil, err
	}
	plan := f.cfg.AccountPlan(a.People, sum)
	if a.People <= 0 {
		a.Stage, a.Segments = "", nil
		return f.moveOf(&was, a, c, "", plan), nil
	}
	state, settled := plan.AccountState(a.People, sum)
	if !settled {
		return nil, nil
	}
	a.Stage, a.Segments = state.Stage, state.Segments
	if a.Stage != was.Stage {
		a.Found = f.now
	}
	return f.moveOf(&was, a, c, state.Condition, plan), nil
}
