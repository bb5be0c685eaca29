package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Replay makes raw events pending again, whatever became of them. What they
// gave is taken back when they are processed anew, in one transaction with
// what they give then. Rows that are pending already stay as they are, and so
// do those whose bytes retention has emptied: what they gave is all that is
// left of them. It answers how many were made pending.
func (s *Store) Replay(ctx context.Context, ids []int64) (int, error) {
	n := 0
	err := s.in(ctx, durable, func(t *Tx) error {
		n = 0
		var rows []Row
		found, err := t.query(ctx, "delete from outcomes where "+s.d.oneOf("id", "bigint")+
			" and exists (select 1 from inbox where inbox.id = outcomes.id and inbox.body is not null) returning id, connection, status", list(s.d, ids))
		err = each(found, err, func(found *sql.Rows) error {
			var r Row
			var status int64
			err := found.Scan(&r.ID, &r.Connection, &status)
			rows = append(rows, r)
			t.CountTx(r.Connection, StatusName(status), -1)
			return err
		})
		if err != nil {
			return err
		}
		n = len(rows)
		lanes, due, attempts, reasons, again := make([]string, n), make([]int64, n), make([]int64, n), make([]string, n), make([]int64, n)
		for i := range rows {
			again[i], reasons[i] = rows[i].ID, ReasonReplay
		}
		_, err = t.insert(ctx, "pending", "", texts("lane", lanes), ints("next_try", due), ints("id", again), ints("attempts", attempts), texts("reason", reasons))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: replay: %w", err)
	}
	return n, nil
}

// ServerTime asks the database for its clock, which decides what is due where
// several replicas share it; on SQLite that is the process's own.
func (s *Store) ServerTime(ctx context.Context) (lifecycle.Instant, error) {
	if !s.d.postgres {
		return lifecycle.At(s.now()), nil
	}
	var at int64
	rows, err := s.query(ctx, "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)")
	if err == nil {
		err = scanOne(rows, &at)
	}
	if err != nil {
		return 0, fmt.Errorf("store: server time: %w", away(err))
	}
	return lifecycle.Instant(at), nil
}
