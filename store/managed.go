package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Manage adds segment names to those a connection ever pushed and gives all of
// them, sorted.
func (s *Store) Manage(ctx context.Context, connection string, names []string) ([]string, error) {
	var all []string
	rows, err := s.query(ctx, "select segment from managed_segments where connection = ? order by segment", connection)
	err = each(rows, err, func(rows *sql.Rows) error {
		var n string
		err := rows.Scan(&n)
		all = append(all, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: segments of %s: %w", connection, away(err))
	}
	var fresh, conns []string
	for _, n := range names {
		if !slices.Contains(all, n) {
			fresh, conns = append(fresh, n), append(conns, connection)
		}
	}
	if len(fresh) == 0 {
		return all, nil
	}
	err = s.in(ctx, durable, func(t *Tx) error {
		_, err := t.insert(ctx, "managed_segments", "on conflict (connection, segment) do nothing", texts("connection", conns), texts("segment", fresh))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: segments of %s: %w", connection, err)
	}
	all = append(all, fresh...)
	slices.Sort(all)
	return all, nil
}

// Derived runs fn in a transaction whose work can be done again from what is
// durable.
func (s *Store) Derived(ctx context.Context, fn func(*Tx) error) error { return s.in(ctx, derived, fn) }

// Durable runs fn in a transaction that a person was promised: nothing else
// holds what it writes.
func (s *Store) Durable(ctx context.Context, fn func(*Tx) error) error { return s.in(ctx, durable, fn) }
