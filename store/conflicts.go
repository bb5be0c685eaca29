package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Conflict is a claim or pin that did not have its way, and whose it was.
type Conflict struct {
	Person lifecycle.ProfileID
	lifecycle.Conflict
}

// ConflictFilter selects conflicts of a connection or of a person; one of the
// two is set. Pins, which no connection tells, are found by person alone.
type ConflictFilter struct {
	Connection string
	Person     lifecycle.ProfileID
	// After continues where ConflictPage.Next ended; "" begins.
	After string
	Limit int
}

// ConflictPage is a part of a list of conflicts, the newest first.
type ConflictPage struct {
	Conflicts []Conflict
	Next      string
}

// conflictPosition is the last row shown.
type conflictPosition struct {
	At     int64  `json:"a"`
	Person int64  `json:"p"`
	Event  []byte `json:"e"`
}

// ChangeConflictsTx writes and removes conflicts, so that the table holds what
// the profiles do.
func (t *Tx) ChangeConflictsTx(ctx context.Context, added, removed []Conflict) error {
	people, at, events := conflictKeys(removed)
	if _, err := t.remove(ctx, "conflicts", ints("person", people), ints("at", at), blobs("event", events)); err != nil {
		return err
	}
	people, at, events = conflictKeys(added)
	n := len(added)
	connections, stages, reasons, won, by := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range added {
		c := &added[i]
		connections[i], stages[i], reasons[i], won[i], by[i] = c.Connection, string(c.Stage), string(c.Reason), string(c.Won), c.By
	}
	_, err := t.insert(ctx, "conflicts", `on conflict (person, at, event) do update set connection = excluded.connection, stage = excluded.stage,
		reason = excluded.reason, won = excluded.won, won_by = excluded.won_by`,
		ints("person", people), ints("at", at), blobs("event", events), texts("connection", connections), texts("stage", stages),
		texts("reason", reasons), texts("won", won), texts("won_by", by))
	return err
}

func conflictKeys(all []Conflict) (people, at []int64, events [][]byte) {
	for i := range all {
		c := &all[i]
		people, at, events = append(people, int64(c.Person)), append(at, int64(c.At)), append(events, c.Event[:])
	}
	return people, at, events
}

// Conflicts lists conflicts, a page at a time. The error is ErrCursor for an
// After that no page gave.
func (s *Store) Conflicts(ctx context.Context, f ConflictFilter) (ConflictPage, error) {
	var at conflictPosition
	if err := decodeCursor(f.After, &at); err != nil {
		return ConflictPage{}, fmt.Errorf("store: conflicts: %w", err)
	}
	q, args := "connection = ?", []any{f.Connection}
	if f.Person != 0 {
		q, args = "person = ?", []any{int64(f.Person)}
	}
	if f.After != "" {
		q, args = q+" and (at, person, event) < (?, ?, ?)", append(args, at.At, at.Person, at.Event)
	}
	limit := page(f.Limit)
	var out ConflictPage
	rows, err := s.query(ctx, "select person, at, event, connection, stage, reason, won, won_by from conflicts where "+q+
		" order by at desc, person desc, event desc limit ?", append(args, limit+1)...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var c Conflict
		var event []byte
		if err := rows.Scan(&c.Person, &c.At, &event, &c.Connection, &c.Stage, &c.Reason, &c.Won, &c.By); err != nil {
			return err
		}
		copy(c.Event[:], event)
		out.Conflicts = append(out.Conflicts, c)
		return nil
	})
	if err != nil {
		return ConflictPage{}, fmt.Errorf("store: conflicts: %w", away(err))
	}
	if len(out.Conflicts) > limit {
		out.Conflicts = out.Conflicts[:limit]
		last := out.Conflicts[limit-1]
		out.Next = encodeCursor(conflictPosition{int64(last.At), int64(last.Person), last.Event[:]})
	}
	return out, nil
}
