package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// AfterTx loads and locks up to limit live people with ids above one, in order.
func (t *Tx) AfterTx(ctx context.Context, after lifecycle.ProfileID, limit int) (map[lifecycle.ProfileID]*Person, error) {
	return peopleWhere(ctx, t, "id > ? and merged = 0 order by id limit ?"+t.s.d.forUpdate, int64(after), limit)
}

// Due is what waits for work now.
type Due struct {
	Process bool
	Clock   bool
	// Enrich and Push list connections.
	Enrich, Push []string
}

// PushDue tells whether anybody is due at a connection.
func (s *Store) PushDue(ctx context.Context, connection string) (bool, error) {
	var one int
	rows, err := s.query(ctx, "select 1 from sync where connection = ? and due_at > 0 and due_at <= ? limit 1", connection, s.nowMicros())
	if err == nil {
		err = scanOne(rows, &one)
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: push due: %w", away(err))
	}
	return true, nil
}

// DueNow looks for what is due among the connections given, at a cost that
// does not grow with what is stored.
func (s *Store) DueNow(ctx context.Context, connections []string) (Due, error) {
	var d Due
	now := s.nowMicros()
	has := func(q string, args ...any) (bool, error) {
		var one int
		rows, err := s.query(ctx, q+" limit 1", args...)
		if err == nil {
			err = scanOne(rows, &one)
		}
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	var err error
	if d.Process, err = has("select 1 from pending where lane = '' and next_try <= ?", now); err != nil {
		return d, fmt.Errorf("store: due: %w", away(err))
	}
	if d.Clock, err = has("select 1 from profiles where next_check > 0 and next_check <= ?", now); err != nil {
		return d, fmt.Errorf("store: due: %w", away(err))
	}
	for _, c := range connections {
		waits, err := has("select 1 from pending where lane = ? and next_try <= ?", c, now)
		if err != nil {
			return d, fmt.Errorf("store: due: %w", away(err))
		}
		if waits {
			d.Enrich = append(d.Enrich, c)
		}
		if waits, err = s.PushDue(ctx, c); err != nil {
			return d, err
		}
		if !waits {
			if waits, err = s.AccountsDue(ctx, c); err != nil {
				return d, err
			}
		}
		if waits {
			d.Push = append(d.Push, c)
		}
	}
	return d, nil
}

// Lanes lists every lane that has pending rows, also those of connections that
// are gone.
func (s *Store) Lanes(ctx context.Context) ([]string, error) {
	var all []string
	last := ""
	for {
		var next sql.NullString
		rows, err := s.query(ctx, "select min(lane) from pending where lane > ?", last)
		if err == nil {
			err = scanOne(rows, &next)
		}
		if err != nil {
			return nil, fmt.Errorf("store: lanes: %w", away(err))
		}
		if !next.Valid {
			return all, nil
		}
		all = append(all, next.String)
		last = next.String
	}
}

// retainBatch is how many raw events one transaction of retention empties.
const retainBatch = 1000

// Retain empties the bodies and headers of raw events received before an
// instant that are processed. Canonical events, decisions and dedupe hashes
// stay, and so do the bytes of what is pending or parked, until that has an
// outcome. It answers how many were looked at; call it again until that is
// zero.
func (s *Store) Retain(ctx context.Context, before lifecycle.Instant) (int64, error) {
	var n int64
	err := s.in(ctx, derived, func(t *Tx) error {
		var from int64
		text := "0"
		if err := t.one(ctx, "select value from state where name = 'retained'", nil, &text); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := fmt.Sscan(text, &from); err != nil {
			return err
		}
		var ids []int64
		last := from
		rows, err := t.query(ctx, `select i.id, coalesce(o.status, 0) from inbox i left join outcomes o on o.id = i.id
			where i.id > ? and i.received_at < ? order by i.id limit ?`, from, int64(before), retainBatch)
		err = each(rows, err, func(rows *sql.Rows) error {
			var id, status int64
			err := rows.Scan(&id, &status)
			last = id
			// Pending and parked ones are still needed; FinishTx empties them.
			if status == Done || status == Ignored {
				ids = append(ids, id)
			}
			return err
		})
		if err != nil || last == from {
			return err
		}
		n = last - from
		if err := t.empty(ctx, ids); err != nil {
			return err
		}
		// The words of an outcome may quote what was in the bytes.
		if _, err := t.exec(ctx, "update outcomes set detail = '' where detail <> '' and "+t.s.d.oneOf("id", "bigint"), list(t.s.d, ids)); err != nil {
			return err
		}
		return t.setState(ctx, "retained", fmt.Sprint(last))
	})
	if err != nil {
		return 0, fmt.Errorf("store: retain: %w", err)
	}
	return n, nil
}

// empty drops bodies, headers and records of raw events.
func (t *Tx) empty(ctx context.Context, ids []int64) error {
	if _, err := t.exec(ctx, "update inbox set body = null, meta = null where "+t.s.d.oneOf("id", "bigint"), list(t.s.d, ids)); err != nil {
		return err
	}
	_, err := t.exec(ctx, "delete from records where "+t.s.d.oneOf("id", "bigint"), list(t.s.d, ids))
	return err
}

// emptyLate empties rows that got their outcome only after retention had
// passed them by.
func (t *Tx) emptyLate(ctx context.Context, rows []Row, outcomes []Outcome) error {
	old := t.s.nowMicros() - int64(24*time.Hour/time.Microsecond)
	if !slices.ContainsFunc(rows, func(r Row) bool { return int64(r.Received) < old }) {
		return nil // retention is at least a day
	}
	passed, err := stateInt(ctx, t, "retained")
	if err != nil || passed == 0 {
		return err
	}
	var ids []int64
	for i := range rows {
		if rows[i].ID <= passed && (outcomes[i].Status == Done || outcomes[i].Status == Ignored) {
			ids = append(ids, rows[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.empty(ctx, ids)
}

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }
