package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Tx is a transaction. It is used by one goroutine.
type Tx struct {
	s      *Store
	pg     *sql.Tx // nil on SQLite
	wrote  bool    // so that what others read is not what it sees
	counts map[counter]int64
	// touched are people who changed: see flushChanges.
	touched []lifecycle.ProfileID
	after   []func() // run once the transaction is committed
}

func (t *Tx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	t.wrote = true
	t.s.asked(ctx, q)
	var res sql.Result
	var err error
	if t.pg != nil {
		res, err = t.pg.ExecContext(ctx, t.s.d.text(q), args...)
	} else {
		var st *sql.Stmt
		if st, err = t.s.writer.stmt(ctx, q); err == nil {
			res, err = st.ExecContext(ctx, args...)
		}
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *Tx) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	t.wrote = t.wrote || !strings.HasPrefix(q, "select ") // returning
	t.s.asked(ctx, q)
	if t.pg != nil {
		return t.pg.QueryContext(ctx, t.s.d.text(q), args...)
	}
	st, err := t.s.writer.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (t *Tx) one(ctx context.Context, q string, args []any, into ...any) error {
	rows, err := t.query(ctx, q, args...)
	if err != nil {
		return err
	}
	return scanOne(rows, into...)
}

// querier is what both a Tx and the store's readers offer.
type querier interface {
	query(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

func (s *Store) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	s.asked(ctx, q)
	return s.db.QueryContext(ctx, s.d.text(q), args...)
}

func scanOne(rows *sql.Rows, into ...any) error {
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNotFound
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	return rows.Close()
}

// each scans every row by fn and closes the rows.
func each(rows *sql.Rows, err error, fn func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// mode of a transaction, which matters on SQLite.
type mode int

const (
	durable mode = iota // a person or a vendor was promised it
	derived             // can be done again from what is durable
	ingest              // before others in the queue; made durable behind it: see walSync
)

// String is the mode as Options.Committed hears it.
func (m mode) String() string { return [...]string{"durable", "derived", "ingest"}[m] }

// in runs fn in a transaction and commits, or rolls back when fn fails. On
// PostgreSQL it is run again when the database says that a concurrent
// transaction was in the way; fn must bear that.
func (s *Store) in(ctx context.Context, m mode, fn func(*Tx) error) error {
	if s.writer != nil {
		return s.inSQLite(ctx, m, fn)
	}
	var err error
	for range maxTries {
		err = s.inPostgres(ctx, m, fn)
		if !retryable(err) {
			return err
		}
	}
	return err
}

// maxTries bounds how often a transaction that met a concurrent one is run.
const maxTries = 20

func (s *Store) inPostgres(ctx context.Context, m mode, fn func(*Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return away(err)
	}
	if m == derived {
		fn = unwaited(ctx, fn)
	}
	if err := run(ctx, &Tx{s: s, pg: tx}, fn); err != nil {
		_ = tx.Rollback() // the first error is the one that matters
		return away(err)
	}
	begun := time.Now()
	if err := tx.Commit(); err != nil {
		return away(err)
	}
	s.committed(m.String(), time.Since(begun))
	return nil
}

// unwaited lets a PostgreSQL transaction end without waiting for the disk: see
// writer.durable, which does the same on SQLite.
func unwaited(ctx context.Context, fn func(*Tx) error) func(*Tx) error {
	return func(t *Tx) error {
		if err := t.byKey(ctx, "off"); err != nil {
			return err
		}
		return fn(t)
	}
}

// byKey has PostgreSQL look rows up by their keys for the rest of the
// transaction, which is what every statement of the hot paths wants. Left to
// itself it reads whole tables instead as long as it has no statistics of them,
// so the first hour of a new installation would be its slowest. commit is the
// setting of synchronous_commit; empty leaves that as it is.
func (t *Tx) byKey(ctx context.Context, commit string) error {
	rows, err := t.query(ctx, `select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
		set_config('enable_mergejoin', 'off', true), set_config('synchronous_commit', coalesce(nullif(?, ''), current_setting('synchronous_commit')), true)`, commit)
	if err != nil {
		return err
	}
	return rows.Close()
}

func (s *Store) inSQLite(ctx context.Context, m mode, fn func(*Tx) error) error {
	w := s.writer
	w.gate.enter(m == ingest)
	defer w.gate.leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	// The driver watches a context that can end with a goroutine per statement;
	// a transaction, once begun, runs to its end instead.
	ctx = context.WithoutCancel(ctx)
	if err := w.durable(ctx, m == durable); err != nil {
		return away(err)
	}
	t := &Tx{s: s}
	if _, err := t.exec(ctx, "begin immediate"); err != nil {
		return away(err)
	}
	t.wrote = false
	done := false
	defer func() {
		if !done { // also when fn panics
			_, _ = t.exec(ctx, "rollback")
		}
	}()
	if err := run(ctx, t, fn); err != nil {
		return away(err)
	}
	begun := time.Now()
	if _, err := t.exec(ctx, "commit"); err != nil {
		return away(err)
	}
	s.committed(m.String(), time.Since(begun))
	done = true
	for _, fn := range t.after {
		fn()
	}
	return nil
}

// run runs fn and then writes who changed and what it counted.
func run(ctx context.Context, t *Tx, fn func(*Tx) error) error {
	if err := fn(t); err != nil {
		return err
	}
	if err := t.flushChanges(ctx); err != nil {
		return err
	}
	return t.flushCounts(ctx)
}

// retryable reports a deadlock or a serialization failure.
func retryable(err error) bool {
	if errors.Is(err, errAgain) {
		return true
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// errAgain asks in to run the transaction again.
var errAgain = errors.New("store: concurrent change")

// away adds ErrAway to an error that says the database cannot be reached, so
// that callers need not know drivers.
func away(err error) error {
	if err == nil || errors.Is(err, ErrAway) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "53", "57": // connection, resources, operator intervention
			return fmt.Errorf("%w: %w", ErrAway, err)
		}
		return err
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &network) || errors.As(err, &connect) || lost(err) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// lost knows the errors of a broken or full database that have no type.
func lost(err error) bool {
	text := err.Error()
	for _, part := range []string{"driver: bad connection", "unexpected EOF", "conn closed", "connection reset",
		"broken pipe", "database or disk is full", "disk I/O error", "database is locked", "unable to open database"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
