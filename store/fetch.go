package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Notes of a polled source: how far it was read, and when it is read again.
const (
	cursorNote = "cursor "
	turnNote   = "turn "
)

// Cursor gives how far a connection's source has been read; empty at first.
func (s *Store) Cursor(ctx context.Context, connection string) (string, error) {
	text, err := s.Note(ctx, cursorNote+connection)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return text, err
}

// moveCursors moves the cursors of the pages in a group. A page whose cursor
// somebody else has moved meanwhile fails with ErrRetry.
func (t *Tx) moveCursors(ctx context.Context, group []*appending) error {
	for _, g := range group {
		if g.cursor == nil {
			continue
		}
		n, err := t.exec(ctx, "update state set value = ? where name = ? and value = ?", g.cursor.Next, cursorNote+g.connection, g.cursor.Was)
		if err == nil && n == 0 && g.cursor.Was == "" {
			n, err = t.exec(ctx, "insert into state (name, value) values (?, ?) on conflict (name) do nothing", cursorNote+g.connection, g.cursor.Next)
		}
		if err == nil && n == 0 {
			err = ErrRetry
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Turn claims the next run of work that is done once per span, however many
// processes ask: true for the one that has it. The clock is the database's.
func (s *Store) Turn(ctx context.Context, name string, span time.Duration) (bool, error) {
	now, err := s.ServerTime(ctx)
	if err != nil {
		return false, err
	}
	var n int64
	err = s.in(ctx, durable, func(t *Tx) error {
		var err error
		n, err = t.exec(ctx, `insert into state (name, value) values (?, ?) on conflict (name) do update set value = excluded.value
			where state.value <= ?`, turnNote+name, fmt.Sprintf("%016d", int64(now.Add(span))), fmt.Sprintf("%016d", int64(now)))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("store: turn of %s: %w", name, err)
	}
	return n > 0, nil
}
