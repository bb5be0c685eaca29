package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Split parts keys from a person: they become somebody else's, with the events
// that are anchored at them, and stay apart whatever events say from then on,
// until Join says otherwise. Both people are derived anew and pushed with all
// they have. It answers the person who has the keys now. The error is *Invalid
// for keys that are not the person's, or all of them.
func (a *Admin) Split(ctx context.Context, id lifecycle.ProfileID, apart []lifecycle.Key, reason, author string) (lifecycle.ProfileID, error) {
	if len(apart) == 0 {
		return 0, &Invalid{[]error{&connectors.SettingError{Field: "keys", Detail: "names no key to part from the person"}}}
	}
	err := a.decideIdentity(ctx, func(ctx context.Context, t *store.Tx, e lifecycle.Event) ([]*lifecycle.Event, error) {
		rows, err := t.PeopleTx(ctx, []lifecycle.ProfileID{id})
		if err != nil {
			return nil, err
		}
		row := rows[id]
		if row == nil || row.Merged != 0 {
			return nil, store.ErrNotFound
		}
		if e.At, err = behind(row, e.At); err != nil {
			return nil, err
		}
		keys := parseKeys(row.Keys)
		for _, k := range apart {
			if !slices.Contains(keys, k) {
				return nil, &Invalid{[]error{&connectors.SettingError{Field: "keys", Detail: fmt.Sprintf("%s is no key of this person", k)}}}
			}
		}
		guards := a.Registry.Config().Guards
		keep := slices.DeleteFunc(keys, func(k lifecycle.Key) bool { return slices.Contains(apart, k) })
		if keep = guards.Usable(keep); len(keep) == 0 || len(guards.Usable(apart)) == 0 {
			return nil, &Invalid{[]error{&connectors.SettingError{Field: "keys", Detail: "one side is left without a key that tells people apart"}}}
		}
		// One for each side, so that each has an event of its own: the parted keys
		// may be anchor of none.
		there, here := lifecycle.SortKeys(slices.Clone(apart)), signedReason(reason, author)
		one, two := lifecycle.SplitEvent(e.ID, e.At, keep, there, here), lifecycle.SplitEvent(e.ID, e.At, guards.Usable(there), keep, here)
		two.ID[0] ^= 0xff
		return []*lifecycle.Event{&one, &two}, nil
	}, nil)
	if err != nil {
		return 0, err
	}
	p, err := a.Registry.o.Store.PersonByKey(ctx, a.Registry.Config().Guards.Usable(apart)[0].String())
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// Join decides that the person of a key and a person are one, over every guard.
// It answers the survivor. A split that was decided before is lifted.
func (a *Admin) Join(ctx context.Context, id lifecycle.ProfileID, with lifecycle.Key, reason, author string) (lifecycle.ProfileID, error) {
	var anchor lifecycle.Key
	err := a.decideIdentity(ctx, func(ctx context.Context, t *store.Tx, e lifecycle.Event) ([]*lifecycle.Event, error) {
		events, _, err := a.joinEvents(ctx, t, e, id, with, signedReason(reason, author))
		if err == nil {
			anchor = events[0].Identity[0]
		}
		return events, err
	}, nil)
	if err != nil {
		return 0, err
	}
	p, err := a.Registry.o.Store.PersonByKey(ctx, anchor.String())
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// joinEvents makes the event that joins a person and that of a key, and names
// the two, the older first: that one survives.
func (a *Admin) joinEvents(ctx context.Context, t *store.Tx, e lifecycle.Event, id lifecycle.ProfileID, with lifecycle.Key, reason string) ([]*lifecycle.Event, []lifecycle.ProfileID, error) {
	owners, err := t.OwnersTx(ctx, []string{with.String()})
	if err != nil {
		return nil, nil, err
	}
	other, known := owners[with.String()]
	switch {
	case !known:
		return nil, nil, &Invalid{[]error{&connectors.SettingError{Field: "key", Detail: fmt.Sprintf("nobody has the key %s", with)}}}
	case other == id:
		return nil, nil, &Invalid{[]error{&connectors.SettingError{Field: "key", Detail: fmt.Sprintf("%s is the person's own already", with)}}}
	}
	both := []lifecycle.ProfileID{min(id, other), max(id, other)}
	rows, err := t.PeopleTx(ctx, both)
	if err != nil {
		return nil, nil, err
	}
	if rows[id] == nil || rows[id].Merged != 0 {
		return nil, nil, store.ErrNotFound
	}
	for _, row := range rows {
		if e.At, err = behind(row, e.At); err != nil {
			return nil, nil, err
		}
	}
	// All keys of both, so that every split between them is lifted.
	keys := a.Registry.Config().Guards.Usable(append(parseKeys(rows[id].Keys), parseKeys(rows[other].Keys)...))
	joined := lifecycle.JoinEvent(e.ID, e.At, keys, reason)
	return []*lifecycle.Event{&joined}, both, nil
}

// decideIdentity puts a decision about who is who through what every event goes
// through. fill makes its events, with the id and time given, from what the
// transaction sees; then, when not nil, ends the transaction: its error takes
// everything back.
func (a *Admin) decideIdentity(ctx context.Context, fill func(context.Context, *store.Tx, lifecycle.Event) ([]*lifecycle.Event, error),
	then func(context.Context, *store.Tx, *work) error) error {
	s := a.Registry.o.Store
	p := &Processor{Store: s, Registry: a.Registry, Now: a.Registry.o.Now}
	var id lifecycle.EventID
	_, _ = rand.Read(id[:]) // never fails
	at := lifecycle.At(a.Registry.o.Now())
	for range decideTries {
		if err := a.Registry.Refresh(ctx); err != nil {
			return err
		}
		first, err := s.PersonIDs(ctx, manyIDs)
		if err != nil {
			return err
		}
		w := &work{cfg: a.Registry.Config(), now: at, next: first, end: first + manyIDs}
		err = s.Durable(ctx, func(t *store.Tx) error {
			w.next, w.pushed = first, nil
			version, err := t.ConfigVersionTx(ctx)
			if err != nil {
				return err
			}
			if version != w.cfg.Version {
				return store.ErrRetry
			}
			events, err := fill(ctx, t, lifecycle.Event{ID: id, At: at})
			if err != nil {
				return err
			}
			if err := p.effects(ctx, t, w, events); err != nil {
				return err
			}
			if err := auditDecisions(ctx, t, "identity", events); err != nil || then == nil {
				return err
			}
			return then(ctx, t, w)
		})
		s.ReturnPersonIDs(w.next, w.end)
		if errors.Is(err, store.ErrRetry) {
			continue
		}
		if err != nil {
			return err
		}
		for _, c := range w.pushed {
			a.wake(c)
		}
		return nil
	}
	return fmt.Errorf("jobs: decide who is who: %w", store.ErrAway)
}

// auditDecisions writes down who decided what.
func auditDecisions(ctx context.Context, t *store.Tx, subject string, events []*lifecycle.Event) error {
	for _, e := range events {
		what := map[string]any{"decision": e.Name, "keys": e.Identity, "details": e.Properties}
		if err := t.Audit(ctx, "person.decide", subject, nil, what); err != nil {
			return err
		}
	}
	return nil
}
