package store

import (
	"context"
	"fmt"
)

// Resealed is an encrypted value under another key: the credentials of a
// connection, or a note.
type Resealed struct {
	// Connection is whose credentials they are; empty for a note.
	Connection string
	// Note is the name of a note.
	Note string
	// Was is what must still stand there, Now what comes into its place.
	Was, Now []byte
}

// Reseal replaces encrypted values in one transaction and counts them. A value
// that is not what it was any more is left alone. Connections get a new
// version, so that nobody writes back what was read before.
func (s *Store) Reseal(ctx context.Context, values []Resealed) (int64, error) {
	var n int64
	err := s.in(ctx, durable, func(t *Tx) error {
		n = 0
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		for _, v := range values {
			var one int64
			var err error
			if v.Connection != "" {
				one, err = t.exec(ctx, "update connections set secrets = ?, version = version + 1 where id = ? and secrets = ?", v.Now, v.Connection, v.Was)
			} else {
				one, err = t.exec(ctx, "update state set value = ? where name = ? and value = ?", string(v.Now), v.Note, string(v.Was))
			}
			if err != nil {
				return err
			}
			n += one
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("store: seal again: %w", err)
	}
	return n, nil
}

// ForgetSealed drops encrypted values that nobody can open any more and sets a
// note, in one transaction, and counts the values.
func (s *Store) ForgetSealed(ctx context.Context, values []Resealed, note, text string) (int64, error) {
	var n int64
	err := s.in(ctx, durable, func(t *Tx) error {
		n = 0
		if err := t.bumpConfig(ctx); err != nil {
			return err
		}
		for _, v := range values {
			var one int64
			var err error
			if v.Connection != "" {
				one, err = t.exec(ctx, "update connections set secrets = null, version = version + 1 where id = ? and secrets = ?", v.Connection, v.Was)
			} else {
				one, err = t.exec(ctx, "delete from state where name = ? and value = ?", v.Note, string(v.Was))
			}
			if err != nil {
				return err
			}
			n += one
		}
		return t.setState(ctx, note, text)
	})
	if err != nil {
		return 0, fmt.Errorf("store: forget credentials: %w", err)
	}
	return n, nil
}
