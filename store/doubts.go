package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// ReviewConfirmed is the verdict that two keys were rightly joined.
const ReviewConfirmed = "confirmed"

// KeyHolder is a person with their keys, sorted as the profile has them.
type KeyHolder struct {
	ID   lifecycle.ProfileID
	Keys []string
}

// KeyHolders lists people with an id after one, by id, up to limit. Those who
// were merged into others are left out.
func (s *Store) KeyHolders(ctx context.Context, after lifecycle.ProfileID, limit int) ([]KeyHolder, error) {
	var all []KeyHolder
	rows, err := s.query(ctx, "select id, keys from profiles where id > ? and merged = 0 order by id limit ?", int64(after), limit)
	err = each(rows, err, func(rows *sql.Rows) error {
		var h KeyHolder
		var keys string
		err := rows.Scan(&h.ID, &keys)
		if keys != "" {
			h.Keys = strings.Split(keys, "\n")
		}
		all = append(all, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: key holders: %w", away(err))
	}
	return all, nil
}

// Confirmation is what somebody said of two keys that were joined.
type Confirmation struct {
	Author, Note string
	At           lifecycle.Instant
}

// Confirmed gives what was said of the joins of some keys, by key and the one
// that it was joined with. Those of which nothing was said are missing.
func (s *Store) Confirmed(ctx context.Context, keys []string) (map[[2]string]Confirmation, error) {
	said := map[[2]string]Confirmation{}
	rows, err := s.query(ctx, "select key, with_key, author, reason, at from reviews where verdict = ? and "+s.d.oneOf("key", "text"), ReviewConfirmed, list(s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var pair [2]string
		var c Confirmation
		err := rows.Scan(&pair[0], &pair[1], &c.Author, &c.Note, &c.At)
		said[pair] = c
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: confirmed: %w", away(err))
	}
	return said, nil
}

// Confirm notes that two keys were rightly joined, so that nobody is asked about
// them again. It changes nothing else.
func (s *Store) Confirm(ctx context.Context, key, with, author, reason string) error {
	return s.verdict(ctx, key, with, ReviewConfirmed, author, reason)
}
