package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// EventsOfRowsTx gives the canonical events that inbox rows gave, by row.
func (t *Tx) EventsOfRowsTx(ctx context.Context, ids []int64) (map[int64][]Stored, error) {
	return eventsOfRows(ctx, t, t.s.d, ids)
}

// EventsOfRows is EventsOfRowsTx without a transaction or lock.
func (s *Store) EventsOfRows(ctx context.Context, ids []int64) (map[int64][]Stored, error) {
	all, err := eventsOfRows(ctx, s, s.d, ids)
	if err != nil {
		return nil, fmt.Errorf("store: events of rows: %w", away(err))
	}
	return all, nil
}

func eventsOfRows(ctx context.Context, q querier, d dialect, ids []int64) (map[int64][]Stored, error) {
	all := map[int64][]Stored{}
	if len(ids) == 0 {
		return all, nil
	}
	rows, err := q.query(ctx, ownedEvents+" where e.inbox > 0 and "+d.oneOf("e.inbox", "bigint"), list(d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		x, err := scanEvent(rows)
		all[x.Event.Inbox] = append(all[x.Event.Inbox], x)
		return err
	})
	return all, err
}

// SameEvent tells whether two events would be kept as the same bytes.
func SameEvent(a, b *lifecycle.Event) bool {
	if a.ID != b.ID || a.At != b.At || a.Name != b.Name || a.Connection != b.Connection || a.Inbox != b.Inbox {
		return false
	}
	x, errA := encodeEvent(a)
	y, errB := encodeEvent(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// Owners gives the people whom keys belong to, as things stand; keys of nobody
// are missing. It locks nothing.
func (s *Store) Owners(ctx context.Context, keys []string) (map[string]lifecycle.ProfileID, error) {
	owners := make(map[string]lifecycle.ProfileID, len(keys))
	if len(keys) == 0 {
		return owners, nil
	}
	rows, err := s.query(ctx, "select key, person from keys where "+s.d.oneOf("key", "text"), list(s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var key string
		var person int64
		err := rows.Scan(&key, &person)
		owners[key] = lifecycle.ProfileID(person)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: owners: %w", away(err))
	}
	return owners, nil
}

// RowsByID gives raw events in the form in which processing takes them, newest
// first, without taking them. Those whose bytes retention emptied are missing.
func (s *Store) RowsByID(ctx context.Context, ids []int64) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var all []Row
	rows, err := s.query(ctx, rawQuery+s.d.oneOf("i.id", "bigint")+" and i.body is not null order by i.id desc", list(s.d, ids))
	err = each(rows, err, func(rows *sql.Rows) error {
		r, dedupe, err := scanRaw(rows)
		all = append(all, Row{ID: r.ID, Connection: r.Connection, Type: r.Type, Flag: r.Flag, Dedupe: dedupe, Received: r.Received,
			At: r.At, Meta: r.Meta, Body: r.Body, Record: r.Record, RecordAt: r.RecordAt})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: rows: %w", away(err))
	}
	return all, nil
}
