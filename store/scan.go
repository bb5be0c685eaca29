package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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
	all, err := wholes(ctx, s, s.d, people, "person between ? and ?", func(first, last int64) []any { return []any{first, last} })
	return all, wrapScan(err)
}

// PeopleByID reads people by id, sorted and distinct, each with all events,
// merged ones included. Those who are not there are missing from the answer.
func (s *Store) PeopleByID(ctx context.Context, ids []lifecycle.ProfileID) ([]Whole, error) {
	all, err := peopleByID(ctx, s, s.d, ids)
	return all, wrapScan(err)
}

func peopleByID(ctx context.Context, q querier, d dialect, ids []lifecycle.ProfileID) ([]Whole, error) {
	people, err := peopleWhere(ctx, q, d.oneOf("id", "bigint"), list(d, ids))
	if err != nil || len(people) == 0 {
		return nil, err
	}
	return wholes(ctx, q, d, people, d.oneOf("person", "bigint"), func(_, _ int64) []any { return []any{list(d, ids)} })
}

// wholes adds their events to people. where finds the events, given the first
// and the last id.
func wholes(ctx context.Context, q querier, d dialect, people map[lifecycle.ProfileID]*Person, where string, args func(first, last int64) []any) ([]Whole, error) {
	all := make([]Whole, 0, len(people))
	place := make(map[lifecycle.ProfileID]int, len(people))
	for _, p := range people {
		all = append(all, Whole{Person: p})
	}
	slices.SortFunc(all, func(a, b Whole) int { return int(a.Person.ID - b.Person.ID) })
	ids := make([]lifecycle.ProfileID, 0, len(all))
	for i := range all {
		if all[i].Person.Merged == 0 { // what stands under the others' numbers is not theirs any more
			place[all[i].Person.ID] = i
			ids = append(ids, all[i].Person.ID)
		}
	}
	elsewhere, err := homesOf(ctx, q, d, ids)
	if err != nil {
		return nil, err
	}
	add := func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if i, ok := place[e.Person]; ok {
			all[i].Events = append(all[i].Events, e.Event)
		}
		return nil
	}
	rows, err := q.query(ctx, "select "+eventColumns+" from events where "+where+" order by person, at, id",
		args(int64(all[0].Person.ID), int64(all[len(all)-1].Person.ID))...)
	if err := each(rows, err, add); err != nil || len(elsewhere) == 0 {
		return all, err
	}
	for home, owner := range elsewhere {
		place[home] = place[owner]
	}
	rows, err = q.query(ctx, "select "+eventColumns+" from events where "+d.oneOf("person", "bigint"), list(d, slices.Sorted(maps.Keys(elsewhere))))
	err = each(rows, err, add)
	for _, owner := range elsewhere {
		inOrder(all[place[owner]].Events)
	}
	return all, err
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
