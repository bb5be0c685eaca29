package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// A claim of Exclusive is renewed well before it ends. A process that died
// holding one keeps others waiting for exclusiveSpan.
const (
	exclusiveSpan  = 15 * time.Second
	exclusiveRenew = 4 * time.Second
	exclusivePoll  = 200 * time.Millisecond
)

// Exclusive runs fn while nobody else, in this process or another, runs one
// under the same name. It waits for its turn until ctx ends. The context given
// to fn ends when the claim was lost, because the database could not be reached
// in time to renew it. No transaction is held, so fn may use the store freely.
func (s *Store) Exclusive(ctx context.Context, name string, fn func(context.Context) error) error {
	row, owner := "exclusive "+name, rand.Text()
	for {
		mine, err := s.claimRow(ctx, row, owner)
		if err != nil {
			return fmt.Errorf("store: exclusive %s: %w", name, err)
		}
		if mine {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("store: exclusive %s: another process is at it: %w", name, ctx.Err())
		case <-time.After(exclusivePoll):
		}
	}
	held, lost := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.keepRow(held, row, owner, lost)
	}()
	err := fn(held)
	lost(nil)
	<-done
	// The claim is given back although the caller may have gone.
	return errors.Join(err, s.freeRow(context.WithoutCancel(ctx), row, owner))
}

// claimRow takes or renews a claim. Its value is the end in microseconds, as
// many digits for the next two centuries, and the owner.
func (s *Store) claimRow(ctx context.Context, row, owner string) (bool, error) {
	now, err := s.ServerTime(ctx)
	if err != nil {
		return false, err
	}
	var n int64
	err = s.in(ctx, durable, func(t *Tx) error {
		value := fmt.Sprintf("%016d %s", int64(now)+exclusiveSpan.Microseconds(), owner)
		var err error
		n, err = t.exec(ctx, `insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value
			where substr(state.value, 1, 16) < ? or substr(state.value, 18) = ?`, row, value, fmt.Sprintf("%016d", int64(now)), owner)
		return err
	})
	return n > 0, err
}

// keepRow renews a claim until held ends, and ends it when that fails for too long.
func (s *Store) keepRow(held context.Context, row, owner string, lost context.CancelCauseFunc) {
	tick := time.NewTicker(exclusiveRenew)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-held.Done():
			return
		case <-tick.C:
		}
		mine, err := s.claimRow(held, row, owner)
		switch {
		case mine:
			renewed = time.Now()
		case err == nil, time.Since(renewed) > exclusiveSpan-exclusiveRenew:
			lost(errors.Join(errors.New("store: the exclusive claim was lost"), err))
			return
		}
	}
}

func (s *Store) freeRow(ctx context.Context, row, owner string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from state where name = ? and substr(value, 18) = ?", row, owner)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: %s: %w", row, err)
	}
	return nil
}
