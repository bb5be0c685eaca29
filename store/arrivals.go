package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// ArrivalHours is how far back arrivals are kept: five weeks of hours.
const ArrivalHours = 5 * 7 * 24

// maxArriving bounds the connections noted between two flushes.
const maxArriving = 10_000

// arriving counts new raw events by connection between two flushes.
type arriving struct {
	mu  sync.Mutex
	all map[string]int64
}

func (a *arriving) add(connection string, n int) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[string]int64{}
	}
	if _, known := a.all[connection]; known || len(a.all) < maxArriving {
		a.all[connection] += int64(n)
	}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// FlushArrivals writes how many new raw events came since the flush before, into
// the present hour, and forgets hours that are past ArrivalHours. What cannot
// be written is dropped: they are notes about a habit.
func (s *Store) FlushArrivals(ctx context.Context) error {
	s.arrived.mu.Lock()
	all := s.arrived.all
	s.arrived.all = nil
	s.arrived.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	conns := slices.Sorted(maps.Keys(all))
	now := hourOf(s.now())
	hours, events := make([]int64, len(conns)), make([]int64, len(conns))
	for i, c := range conns {
		hours[i], events[i] = now, all[c]
	}
	err := s.in(ctx, derived, func(t *Tx) error {
		if _, err := t.insert(ctx, "arrivals", "on conflict (connection, hour) do update set events = arrivals.events + excluded.events",
			texts("connection", conns), ints("hour", hours), ints("events", events)); err != nil {
			return err
		}
		_, err := t.exec(ctx, "delete from arrivals where hour < ? and "+s.d.oneOf("connection", "text"), now-ArrivalHours, list(s.d, conns))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: arrivals: %w", err)
	}
	return nil
}

// Arrivals gives how many new raw events came by connection and hour (since
// 1970) within ArrivalHours, and the present hour.
func (s *Store) Arrivals(ctx context.Context) (all map[string]map[int64]int64, hour int64, err error) {
	hour = hourOf(s.now())
	all = map[string]map[int64]int64{}
	rows, err := s.query(ctx, "select connection, hour, events from arrivals where hour >= ?", hour-ArrivalHours)
	err = each(rows, err, func(rows *sql.Rows) error {
		var connection string
		var at, n int64
		err := rows.Scan(&connection, &at, &n)
		if all[connection] == nil {
			all[connection] = map[int64]int64{}
		}
		all[connection][at] = n
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store: arrivals: %w", away(err))
	}
	return all, hour, nil
}
