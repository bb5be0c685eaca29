package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// PersonEvent gives one canonical event of a person; ErrNotFound when it is not
// theirs, or no more.
func (s *Store) PersonEvent(ctx context.Context, person lifecycle.ProfileID, id lifecycle.EventID) (*lifecycle.Event, error) {
	var found *lifecycle.Event
	rows, err := s.query(ctx, "select "+eventColumns+" from events where "+inHomes+" and id = ?", int64(person), int64(person), id[:])
	err = each(rows, err, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		found = &e.Event
		return err
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: event %s of person %d: %w", id, person, away(err))
	}
	return found, nil
}
