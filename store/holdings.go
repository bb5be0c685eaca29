package store

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Holdings counts what is stored about one person.
type Holdings struct {
	Events, Moves int64
	// RawEvents are those that led to the person's events; others may name the
	// person without having led to one.
	RawEvents int64
}

// Holdings counts what is stored about a person. For nobody all is zero.
func (s *Store) Holdings(ctx context.Context, person lifecycle.ProfileID) (Holdings, error) {
	var h Holdings
	id := int64(person)
	rows, err := s.query(ctx, `select (select count(*) from events where `+inHomes+`), (select count(*) from transitions where person = ?),
		(select count(distinct inbox) from events where `+inHomes+` and inbox > 0)`, id, id, id, id, id)
	if err == nil {
		err = scanOne(rows, &h.Events, &h.Moves, &h.RawEvents)
	}
	if err != nil {
		return h, fmt.Errorf("store: holdings of person %d: %w", person, away(err))
	}
	return h, nil
}

// PeopleOf gives people by number, in one statement. Who never was is missing,
// and who was merged comes as such, not as the survivor.
func (s *Store) PeopleOf(ctx context.Context, ids []lifecycle.ProfileID) (map[lifecycle.ProfileID]*Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := peopleWhere(ctx, s, s.d.oneOf("id", "bigint"), list(s.d, ids))
	if err != nil {
		return nil, fmt.Errorf("store: people: %w", away(err))
	}
	return found, nil
}
