package store

import (
	"context"
	"fmt"
)

// SyncWaiting counts the people who wait to be sent to a connection.
func (s *Store) SyncWaiting(ctx context.Context, connection string) (int64, error) {
	var n int64
	rows, err := s.query(ctx, "select count(*) from sync where connection = ? and due_at > 0", connection)
	if err == nil {
		err = scanOne(rows, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("store: waiting at %s: %w", connection, away(err))
	}
	return n, nil
}
