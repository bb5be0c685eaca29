package jobs

import (
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Approve decides that two keys that the guards kept apart are one person's:
// the two people are joined, or a key that nobody has goes to the other's. It
// answers who has them. The error is store.ErrNotFound when there is no such
// review any more.
func (a *Admin) Approve(ctx context.Context, event lifecycle.EventID, key lifecycle.Key, reason, author string) (lifecycle.ProfileID, error) {
	r, err := a.Registry.o.Store.Review(ctx, event, key.String())
	if err != nil {
		return 0, err
	}
	with := parseKeys([]string{r.With})[0]
	if r.Other != 0 && r.Person != 0 {
		return a.Join(ctx, r.Person, key, reason, author)
	}
	err = a.decideIdentity(ctx, func(ctx context.Context, t *store.Tx, e lifecycle.Event) ([]*lifecycle.Event, error) {
		owners, err := t.OwnersTx(ctx, slices.Sorted(slices.Values([]string{key.String(), r.With})))
		if err != nil {
			return nil, err
		}
		id, known := owners[r.With]
		if _, taken := owners[key.String()]; !known || taken {
			return nil, &Invalid{[]error{&connectors.SettingError{Field: "key", Detail: "belongs to somebody else since; look at the list again"}}}
		}
		rows, err := t.PeopleTx(ctx, []lifecycle.ProfileID{id})
		if err != nil {
			return nil, err
		}
		if rows[id] == nil || rows[id].State == nil {
			return nil, store.ErrNotFound
		}
		if e.At, err = behind(rows[id], e.At); err != nil {
			return nil, err
		}
		joined := lifecycle.JoinEvent(e.ID, e.At, lifecycle.SortKeys([]lifecycle.Key{with, key}), signedReason(reason, author))
		return []*lifecycle.Event{&joined}, nil
	}, nil)
	if err != nil {
		return 0, err
	}
	p, err := a.Registry.o.Store.PersonByKey(ctx, r.With)
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// Reject says that two keys are rightly kept apart: nobody is asked about them
// again. Whoever wants them together later may still join the two.
func (a *Admin) Reject(ctx context.Context, event lifecycle.EventID, key lifecycle.Key, reason, author string) error {
	r, err := a.Registry.o.Store.Review(ctx, event, key.String())
	if err != nil {
		return err
	}
	return a.Registry.o.Store.Reject(ctx, r.Key, r.With, author, reason)
}
