package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Whole is a person with every event, in (time, id) order.
type Whole struct {
	Person *Person
	Events []lifecycle.Event
}

// Scan reads people by id, up to limit of them with an id after one and up to
// another (zero: no end), each with all events. It locks nothing, and its cost
// is that of what it reads. Those who were merged into others are left out.
func (s *Store) Scan(ctx context.Context, after, last lifecycle.ProfileID, limit int) ([]Whole, error) {
	where, args := "id > ? and merged = 0 order by id limit ?", []any{int64(after), limit}
	if last != 0 {
		where, args = "id > ? and id <= ? and merged = 0 order by id limit ?", []any{int64(after), int64(last), limit}
	}
	people, err := peopleWhere(ctx, s, where, args...)
	if err != nil || len(people) == 0 {
		return nil, wrapScan(err)
	}
	all := make([]Whole, 0, len(people))
	place := make(map[lifecycle.ProfileID]int, len(people))
	for _, p := range people {
		all = append(all, Whole{Person: p})
	}
	slices.SortFunc(all, func(a, b Whole) int { return int(a.Person.ID - b.Person.ID) })
	for i := range all {
		place[all[i].Person.ID] = i
	}
	rows, err := s.query(ctx, "select "+eventColumns+" from events where person between ? and ? order by person, at, id",
		int64(all[0].Person.ID), int64(all[len(all)-1].Person.ID))
	err = each(rows, err, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if i, ok := place[e.Person]; ok {
			all[i].Events = append(all[i].Events, e.Event)
		}
		return nil
	})
	return all, wrapScan(err)
}

// LastPerson gives the greatest id there is; zero for nobody.
func (s *Store) LastPerson(ctx context.Context) (lifecycle.ProfileID, error) {
	var last int64
	rows, err := s.query(ctx, "select coalesce(max(id), 0) from profiles")
	if err == nil {
		err = scanOne(rows, &last)
	}
	return lifecycle.ProfileID(last), wrapScan(err)
}

func wrapScan(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: scan people: %w", away(err))
}
