package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// RawEvent is one raw event with everything kept of it.
type RawEvent struct {
	InboxRow
	// Meta is the JSON text kept beside the body; "" for nothing.
	Meta string
	// Body is nil once retention has emptied it.
	Body []byte
	// Record is the vendor's record fetched for it; nil without one.
	Record []byte
	// RecordAt is when the record was modified, or else fetched.
	RecordAt lifecycle.Instant
	// Lane, NextTry, Attempts and Waiting tell of a pending one where it waits,
	// until when, how often it was tried and what held it up.
	Lane     string
	NextTry  lifecycle.Instant
	Attempts int64
	Waiting  string
}

const rawQuery = "select " + inboxColumns + `, i.dedupe, coalesce(i.meta, ''), i.body, r.record,
	coalesce(case when r.modified_at > 0 then r.modified_at else r.fetched_at end, 0)
	from inbox i left join outcomes o on o.id = i.id left join records r on r.id = i.id where `

func scanRaw(rows *sql.Rows) (RawEvent, []byte, error) {
	var r RawEvent
	var dedupe []byte
	err := rows.Scan(append(r.into(), &dedupe, &r.Meta, &r.Body, &r.Record, &r.RecordAt)...)
	r.Status = StatusName(r.Outcome.Status)
	return r, dedupe, err
}

// RawEvent gives one raw event by its inbox id, or ErrNotFound.
func (s *Store) RawEvent(ctx context.Context, id int64) (*RawEvent, error) {
	var found *RawEvent
	rows, err := s.query(ctx, rawQuery+"i.id = ?", id)
	err = each(rows, err, func(rows *sql.Rows) error {
		r, _, err := scanRaw(rows)
		found = &r
		return err
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err == nil && found.Outcome.Status == 0 {
		var p *sql.Rows
		p, err = s.query(ctx, "select lane, next_try, attempts, reason from pending where id = ?", id)
		err = each(p, err, func(rows *sql.Rows) error {
			return rows.Scan(&found.Lane, &found.NextTry, &found.Attempts, &found.Waiting)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("store: raw event %d: %w", id, away(err))
	}
	return found, nil
}

// RecentRows gives the newest raw events of a connection in the form in which
// processing takes them, newest first, without taking them.
func (s *Store) RecentRows(ctx context.Context, connection string, limit int) ([]Row, error) {
	found, err := s.Inbox(ctx, InboxFilter{Connection: connection, Limit: limit})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(found.Rows))
	for i := range found.Rows {
		ids[i] = found.Rows[i].ID
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var all []Row
	rows, err := s.query(ctx, rawQuery+s.d.oneOf("i.id", "bigint")+" order by i.id desc", list(s.d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		r, dedupe, err := scanRaw(rows)
		all = append(all, Row{ID: r.ID, Connection: r.Connection, Type: r.Type, Flag: r.Flag, Dedupe: dedupe, Received: r.Received,
			At: r.At, Meta: r.Meta, Body: r.Body, Record: r.Record, RecordAt: r.RecordAt})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: recent rows of %s: %w", connection, away(err))
	}
	return all, nil
}

// Newest gives, of the newest raw events up to a number of them, the newest of
// each connection. A connection with none among them is missing.
func (s *Store) Newest(ctx context.Context, among int) (map[string]InboxRow, error) {
	ids, err := scanIDs(s.query(ctx, `select max(id) from (select id, connection from inbox order by id desc limit ?) i group by connection`, among))
	var found []InboxRow
	if err == nil {
		found, err = s.inboxRows(ctx, &InboxFilter{}, ids)
	}
	if err != nil {
		return nil, fmt.Errorf("store: newest: %w", away(err))
	}
	all := make(map[string]InboxRow, len(found))
	for _, r := range found {
		all[r.Connection] = r
	}
	return all, nil
}

// Trace is the way of one raw event through the system.
type Trace struct {
	Raw *RawEvent
	// Events that it was mapped to and that stand.
	Events []Stored
	// People whom those events are about.
	People []*Person
	// Moves that it caused, oldest first.
	Moves []Transition
	// Deliveries is where those people stand at each connection now.
	Deliveries []Sync
}

// traceMoves is how many of a person's newest moves are looked through for
// those that one raw event caused.
const traceMoves = 500

// Trace follows one raw event; ErrNotFound when there is none of this id.
func (s *Store) Trace(ctx context.Context, id int64) (*Trace, error) {
	raw, err := s.RawEvent(ctx, id)
	if err != nil {
		return nil, err
	}
	t := &Trace{Raw: raw}
	var people []int64
	rows, err := s.query(ctx, ownedEvents+" where e.inbox = ? order by e.at, e.id", id)
	err = each(rows, err, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		t.Events = append(t.Events, e)
		people = append(people, int64(e.Person))
		return err
	})
	slices.Sort(people)
	people = slices.Compact(people)
	if err == nil {
		t.People, err = s.peopleInOrder(ctx, people)
	}
	if err == nil {
		err = s.movesCaused(ctx, t, people, id)
	}
	if err == nil {
		err = s.traceDeliveries(ctx, t)
	}
	if err != nil {
		return nil, fmt.Errorf("store: trace of %d: %w", id, away(err))
	}
	return t, nil
}

// movesCaused finds the moves that a raw event caused among each person's
// newest, person by person in the order of the moves.
func (s *Store) movesCaused(ctx context.Context, t *Trace, people []int64, inbox int64) error {
	if len(people) == 0 {
		return nil
	}
	rows, err := s.query(ctx, "select "+transitionColumns+" from (select "+transitionColumns+`, row_number() over (partition by person order by seq desc) as newest
		from transitions where `+s.d.oneOf("person", "bigint")+") x where newest <= ? order by person, seq", list(s.d, people), traceMoves)
	return each(rows, err, func(rows *sql.Rows) error {
		x, err := scanTransition(rows)
		if x.Cause.Inbox == inbox {
			t.Moves = append(t.Moves, x)
		}
		return err
	})
}

func (s *Store) traceDeliveries(ctx context.Context, t *Trace) error {
	ids := make([]lifecycle.ProfileID, len(t.People))
	for i, p := range t.People {
		ids[i] = p.ID
	}
	all, err := s.syncOf(ctx, ids)
	for _, id := range ids {
		t.Deliveries = append(t.Deliveries, all[id]...)
	}
	return err
}
