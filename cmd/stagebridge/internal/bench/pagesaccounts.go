package bench

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// peoplePerAccount is how many people belong to each account of the pages. It
// divides peoplePerTx, so that one transaction makes an account whole.
const peoplePerAccount = 20

// FillAccounts lets the people that FillPeople stored belong to accounts, with a
// share, a stage and a move each, as processing would have left them.
func FillAccounts(ctx context.Context, s *store.Store, plan *lifecycle.Plan, z PagesSize, now lifecycle.Instant) error {
	var sum lifecycle.Tally
	prof, _ := plan.Derive(1, nil, now)
	one := plan.Member(prof, now).Tally
	for range peoplePerAccount {
		sum = sum.Plus(one, 1)
	}
	share, err := one.AppendBinary(nil)
	if err != nil {
		return err
	}
	whole, err := sum.AppendBinary(nil)
	if err != nil {
		return err
	}
	stages := plan.AccountStages()
	for from := 1; from <= z.People; from += peoplePerTx {
		var members []store.AccountMember
		var moves []store.AccountMove
		var keys []string
		for i := from; i < min(from+peoplePerTx, z.People+1); i++ {
			n := (i - 1) / peoplePerAccount
			m := store.AccountMember{Person: lifecycle.ProfileID(i), Account: accountKey(n), Domain: accountDomain(n), Since: now, Tally: share}
			if (i-1)%peoplePerAccount == 0 {
				keys = append(keys, m.Account)
				moves = append(moves, store.AccountMove{Account: m.Account, Seq: 1, To: lifecycle.Stage(stages[n%len(stages)].Name), At: now, Decided: now, Person: m.Person})
			}
			members = append(members, m)
		}
		err := s.Derived(ctx, func(t *store.Tx) error {
			locked, err := t.LockAccountsTx(ctx, slices.Sorted(slices.Values(keys)))
			if err != nil {
				return err
			}
			var all []*store.Account
			for i, key := range keys {
				a := locked[key]
				a.Stage, a.Found, a.People, a.Moves, a.Tally = moves[i].To, now, peoplePerAccount, 1, whole
				all = append(all, a)
			}
			if err := t.SaveAccountsTx(ctx, all); err != nil {
				return err
			}
			if err := t.ChangeMembersTx(ctx, members, nil); err != nil {
				return err
			}
			return t.AddAccountMovesTx(ctx, moves)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func accountDomain(n int) string { return fmt.Sprintf("c%d.example.com", n) }

func accountKey(n int) string { return "domain:" + accountDomain(n) }
