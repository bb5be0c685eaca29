package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// ErrNotEmpty says that a database holds something already.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrNewer says that data were written by a newer version of the program.
var ErrNewer = errors.New("written by a newer version of Stagebridge")

// Loader puts rows into the tables of a database.
type Loader struct {
	s      *Store
	tables []DumpTable // of the database
	tx     *Tx         // on SQLite
	conn   *sql.Conn   // on PostgreSQL
}

// Load makes a database of a dump: the schema of that version, then what fill
// puts into it, in one transaction. The database must be empty (ErrNotEmpty)
// and the version known (ErrNewer). The schema is brought up to date by the
// next Open. After an error it holds no rows.
func Load(ctx context.Context, o Options, schema int64, fill func(*Loader) error) error {
	s, err := openAt(ctx, o, schema)
	if err == nil {
		err = errors.Join(s.load(ctx, schema, fill), s.Close())
	}
	if err != nil {
		return fmt.Errorf("store: load: %w", err)
	}
	return nil
}

func (s *Store) load(ctx context.Context, schema int64, fill func(*Loader) error) error {
	have, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	if have > schema {
		return fmt.Errorf("%w: it has schema %d, the dump schema %d", ErrNotEmpty, have, schema)
	}
	l := &Loader{s: s}
	if l.tables, err = dumpTables(ctx, s, s.d.postgres); err != nil {
		return err
	}
	for _, t := range l.tables {
		err := s.each(ctx, "select 1 from "+t.Name+stateWhere(t)+" limit 1", func(*sql.Rows) error { return ErrNotEmpty })
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	if s.d.postgres {
		return l.postgres(ctx, fill)
	}
	return s.inSQLite(ctx, durable, func(t *Tx) error {
		l.tx = t
		if err := fill(l); err != nil {
			return err
		}
		// What Append looks new events up in: see dedupe.go.
		if _, err := t.exec(ctx, "insert into dedupes (hash, id) select dedupe, id from inbox order by dedupe"); err != nil {
			return err
		}
		var last int64
		if err := t.one(ctx, "select coalesce(max(id), 0) from inbox", nil, &last); err != nil {
			return err
		}
		return t.setState(ctx, "hashed", strconv.FormatInt(last, 10))
	})
}

func (s *Store) each(ctx context.Context, q string, fn func(*sql.Rows) error) error {
	rows, err := s.query(ctx, q)
	return each(rows, err, fn)
}

func (l *Loader) postgres(ctx context.Context, fill func(*Loader) error) error {
	conn, err := l.s.db.Conn(ctx)
	if err != nil {
		return away(err)
	}
	defer conn.Close()
	l.conn = conn
	if _, err := conn.ExecContext(ctx, "begin"); err != nil {
		return away(err)
	}
	if err := fill(l); err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "rollback") // the first error is the one that matters
		return away(err)
	}
	_, err = conn.ExecContext(ctx, "commit")
	return away(err)
}

// Table fills a table with the rows that next gives until io.EOF, in the form
// of Snapshot.EachRow, and answers how many there were. A row's values are kept
// until they are written, the slice itself is not.
func (l *Loader) Table(ctx context.Context, t DumpTable, next func() ([]any, error)) (int64, error) {
	at := slices.IndexFunc(l.tables, func(x DumpTable) bool { return x.Name == t.Name })
	if at < 0 || !slices.Equal(l.tables[at].Columns, t.Columns) {
		return 0, fmt.Errorf("table %q is not one of this schema, or has other columns", t.Name)
	}
	var n int64
	var err error
	if l.conn != nil {
		n, err = l.copy(ctx, t, next)
	} else {
		n, err = l.insert(ctx, t, next)
	}
	if err != nil {
		return n, fmt.Errorf("table %s: %w", t.Name, err)
	}
	return n, nil
}

// loadRows is how many rows one SQLite statement takes.
const loadRows = 64

func (l *Loader) insert(ctx context.Context, t DumpTable, next func() ([]any, error)) (int64, error) {
	head := "insert into " + t.Name + " (" + strings.Join(t.Columns, ", ") + ") "
	var total int64
	args := make([]any, 0, loadRows*len(t.Columns))
	for {
		row, err := next()
		if err != nil && !errors.Is(err, io.EOF) {
			return total, err
		}
		if err == nil {
			args = append(args, row...)
		}
		if n := len(args) / len(t.Columns); n == loadRows || err != nil && n > 0 {
			if _, err := l.tx.exec(ctx, head+valuesList(len(t.Columns), n), args...); err != nil {
				return total, err
			}
			total += int64(n)
			args = args[:0]
		}
		if err != nil {
			return total, nil
		}
	}
}

func (l *Loader) copy(ctx context.Context, t DumpTable, next func() ([]any, error)) (int64, error) {
	var n int64
	err := l.conn.Raw(func(driver any) error {
		var err error
		n, err = driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, err := next()
			if errors.Is(err, io.EOF) {
				return nil, nil
			}
			return row, err
		}))
		return err
	})
	return n, err
}

// Rows gives what was put into a table, before it is committed.
func (l *Loader) Rows(ctx context.Context, t DumpTable, fn func([]any) error) error {
	if l.conn == nil {
		return eachDumped(ctx, l.tx, t, fn)
	}
	return eachDumped(ctx, connQuerier{l.conn}, t, fn)
}

type connQuerier struct{ conn *sql.Conn }

func (c connQuerier) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return c.conn.QueryContext(ctx, q, args...)
}
