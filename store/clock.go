package store

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Several replicas share what is due and what is leased, so they have to agree
// on the time: a machine that is a minute ahead would take leases that others
// still hold, and fire timers before their time. On PostgreSQL the database's
// clock counts. It is asked now and then, never on the way of an event.
const (
	clockEvery = 30 * time.Second
	clockWait  = 5 * time.Second
	// clockSlack is what clocks may differ by before it is corrected: less than
	// that is within what asking can tell on a loaded machine.
	clockSlack = 100 * time.Millisecond
	// clockWorth telling about.
	clockWorth = time.Second
)

// clock is this machine's clock, corrected to another one. Its methods are safe
// for concurrent use.
type clock struct {
	own   func() time.Time
	ask   func(context.Context) (time.Time, error)
	ahead atomic.Int64 // nanoseconds that the own clock is ahead
}

// now is the time by the other clock.
func (c *clock) now() time.Time { return c.own().Add(-time.Duration(c.ahead.Load())) }

// set asks the other clock. The answer may be late by as much as asking took;
// a difference that this could explain changes nothing.
func (c *clock) set(ctx context.Context) error {
	before := c.own()
	at, err := c.ask(ctx)
	if err != nil {
		return err
	}
	took := c.own().Sub(before)
	ahead := before.Add(took / 2).Sub(at)
	change := ahead - time.Duration(c.ahead.Load())
	if change.Abs() > clockSlack+took/2 {
		c.ahead.Store(int64(ahead))
	}
	return nil
}

// followDatabase makes PostgreSQL's clock the store's.
func (s *Store) followDatabase(ctx context.Context) error {
	c := &clock{own: s.now, ask: func(ctx context.Context) (time.Time, error) {
		var at time.Time
		err := s.db.QueryRowContext(ctx, "select clock_timestamp()").Scan(&at)
		return at, err
	}}
	if err := c.set(ctx); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	s.now = c.now
	s.tellClock(c, 0)
	background, cancel := context.WithCancel(context.Background())
	s.wg.Go(func() {
		<-s.closed
		cancel()
	})
	s.wg.Go(func() { s.keepClock(background, c) })
	return nil
}

// keepClock asks again and again until ctx ends.
func (s *Store) keepClock(ctx context.Context, c *clock) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		was := time.Duration(c.ahead.Load())
		asking, done := context.WithTimeout(ctx, clockWait)
		if err := c.set(asking); err != nil {
			s.log.Debug("the database was not asked for the time", "error", err)
		}
		done()
		s.tellClock(c, was)
	}
}

// tellClock warns of a difference that was not there before.
func (s *Store) tellClock(c *clock, was time.Duration) {
	if ahead := time.Duration(c.ahead.Load()); (ahead - was).Abs() > clockWorth {
		s.log.Warn("this machine's clock and the database's differ; the database's counts", "ahead", ahead.Round(time.Millisecond))
	}
}
