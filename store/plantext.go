package store

import (
	"context"
	"errors"
	"fmt"
)

// PlanKnownBefore tells whether an earlier version of the plan had the very
// text of this one.
func (s *Store) PlanKnownBefore(ctx context.Context, v Versioned) (bool, error) {
	var one int
	rows, err := s.query(ctx, "select 1 from plans where version < ? and source = ? limit 1", v.Version, v.Source)
	if err == nil {
		err = scanOne(rows, &one)
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: plan: %w", away(err))
	}
	return true, nil
}
