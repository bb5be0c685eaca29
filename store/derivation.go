package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Derivation tells how far everybody was brought to a plan: the version that
// reached all, and, for the one after it, the last person brought to it.
func (s *Store) Derivation(ctx context.Context) (done int64, after lifecycle.ProfileID, err error) {
	var text string
	rows, err := s.query(ctx, "select value from state where name = 'derived'")
	if err == nil {
		err = scanOne(rows, &text)
	}
	if errors.Is(err, ErrNotFound) {
		return 0, 0, nil
	}
	if err == nil {
		var under int64
		if _, err = fmt.Sscan(text, &done, &under, &after); err == nil {
			current, cerr := stateInt(ctx, s, "plan_version")
			if cerr != nil {
				return 0, 0, away(cerr)
			}
			if under != current {
				after = 0 // another plan came in between: from the start
			}
		}
	}
	if err != nil {
		return 0, 0, fmt.Errorf("store: derivation: %w", away(err))
	}
	return done, after, nil
}

// NoteDerivation notes that people up to one were brought to a plan's version;
// zero: all were.
func (s *Store) NoteDerivation(ctx context.Context, version int64, last lifecycle.ProfileID) error {
	return s.in(ctx, derived, func(t *Tx) error {
		done := version
		if last != 0 {
			var text string
			done = 0
			err := t.one(ctx, "select value from state where name = 'derived'", nil, &text)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err == nil {
				if _, err := fmt.Sscan(text, &done); err != nil {
					return err
				}
			}
		}
		return t.setState(ctx, "derived", fmt.Sprint(done, version, int64(last)))
	})
}
