package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// changed notes people whose profile, events or being there a transaction
// changes. They are written once, when the transaction ends.
func (t *Tx) changed(people ...lifecycle.ProfileID) { t.touched = append(t.touched, people...) }

// flushChanges writes who changed as one new row, which no other transaction wants.
func (t *Tx) flushChanges(ctx context.Context) error {
	if len(t.touched) == 0 {
		return nil
	}
	slices.Sort(t.touched)
	people := slices.Compact(t.touched)
	_, err := t.exec(ctx, "insert into changes (at, amount, people) values (?, ?, ?)", t.s.nowMicros(), int64(len(people)), packPeople(people))
	return err
}

// packPeople writes sorted ids as distances.
func packPeople(people []lifecycle.ProfileID) []byte {
	var b []byte
	var before lifecycle.ProfileID
	for _, id := range people {
		b = binary.AppendUvarint(b, uint64(id-before))
		before = id
	}
	return b
}

// errPacked says that a list of people is not one that packPeople wrote.
var errPacked = errors.New("a list of people cannot be read")

func unpackPeople(b []byte, into []lifecycle.ProfileID) ([]lifecycle.ProfileID, error) {
	var before lifecycle.ProfileID
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return into, errPacked
		}
		before += lifecycle.ProfileID(d)
		into, b = append(into, before), b[n:]
	}
	return into, nil
}

// Changes is what summaries have yet to follow.
type Changes struct {
	// Rows name what DropChanges takes away.
	Rows []int64
	// People who changed, sorted and distinct; some may be gone.
	People []lifecycle.ProfileID
	// More: there are rows that were not read.
	More bool
}

// Changes reads the oldest rows that together name about most people.
func (s *Store) Changes(ctx context.Context, most int) (Changes, error) {
	c, err := changes(ctx, s, most)
	if err != nil {
		return c, fmt.Errorf("store: changes: %w", away(err))
	}
	return c, nil
}

// changeRows bounds how many rows are read at once.
const changeRows = 10_000

func changes(ctx context.Context, q querier, most int) (Changes, error) {
	var c Changes
	rows, err := q.query(ctx, "select id, people from changes order by id limit ?", changeRows)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		if len(c.People) >= most {
			c.More = true
			break
		}
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &packed); err != nil {
			return c, err
		}
		c.Rows = append(c.Rows, id)
		if c.People, err = unpackPeople(packed, c.People); err != nil {
			return c, err
		}
		if len(c.People) >= most { // a person who changed often counts once
			c.People = distinct(c.People)
		}
	}
	c.People = distinct(c.People)
	c.More = c.More || len(c.Rows) == changeRows
	return c, rows.Err()
}

func distinct(people []lifecycle.ProfileID) []lifecycle.ProfileID {
	slices.Sort(people)
	return slices.Compact(people)
}

// DropChanges takes away rows that summaries have followed.
func (s *Store) DropChanges(ctx context.Context, rows []int64) error {
	err := s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from changes where "+t.s.d.oneOf("id", "bigint"), list(t.s.d, rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: changes: %w", err)
	}
	return nil
}

// ChangesWaiting tells how many people, at most, changed since the summaries
// followed, some maybe counted twice, and since when the first of them waits;
// zero: nobody does.
func (s *Store) ChangesWaiting(ctx context.Context) (people int64, since lifecycle.Instant, err error) {
	return changesWaiting(ctx, s)
}

func changesWaiting(ctx context.Context, q querier) (people int64, since lifecycle.Instant, err error) {
	rows, err := q.query(ctx, "select coalesce(sum(amount), 0), coalesce(min(at), 0) from changes")
	if err == nil {
		err = scanOne(rows, &people, &since)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("store: changes: %w", away(err))
	}
	return people, since, nil
}
