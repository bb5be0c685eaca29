package store

import (
	"context"
	"fmt"
)

// countParked counts the people that a filter of a state takes: failed, skipped,
// unconfirmed or submitted, which have an index. It costs as much as there are.
func (s *Store) countParked(ctx context.Context, f *SyncFilter) (int64, error) {
	q := "select count(*) from sync where "
	if !s.d.postgres {
		q = "select count(*) from sync indexed by sync_parked where " // see syncFrom
	}
	q, args := q+s.d.oneOf("connection", "text")+" and state = ? and state not in ('synced', 'pending')", []any{list(s.d, f.Connections), f.State}
	if f.Reason != "" {
		q, args = q+" and reason = ?", append(args, f.Reason)
	}
	var n int64
	rows, err := s.query(ctx, q, args...)
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("store: count of %s people: %w", f.State, away(err))
	}
	return n, nil
}
