package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DumpTable is a table as a dump holds it, the same on both databases.
type DumpTable struct {
	Name string `json:"name"`
	// Columns in alphabetical order.
	Columns []string `json:"columns"`
}

// notDumped are tables that are left out of dumps: what is made anew from the
// others, and sessions, since whoever was signed in may sign in again.
var notDumped = []string{"changes", "dedupes", "goose_db_version", "goose_lock", "handed", "sessions", "summaries"}

// Tables gives what a dump holds, sorted by name.
func (n *Snapshot) Tables(ctx context.Context) ([]DumpTable, error) {
	tables, err := dumpTables(ctx, n, n.s.d.postgres)
	if err != nil {
		return nil, fmt.Errorf("store: dump: %w", away(err))
	}
	return tables, nil
}

func dumpTables(ctx context.Context, q querier, postgres bool) ([]DumpTable, error) {
	text := `select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c
		where t.type = 'table' and t.name not like 'sqlite%' order by t.name, c.name`
	if postgres {
		text = `select c.table_name collate "C", c.column_name collate "C" from information_schema.columns c
			join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
			where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' order by 1, 2`
	}
	var tables []DumpTable
	rows, err := q.query(ctx, text)
	err = each(rows, err, func(rows *sql.Rows) error {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return err
		}
		if slices.Contains(notDumped, table) {
			return nil
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != table {
			tables = append(tables, DumpTable{Name: table})
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, column)
		return nil
	})
	return tables, err
}

// EachRow gives every row of a table to fn: per column nil, an int64, a
// float64, a string or a []byte. The slice is fn's only until it returns.
func (n *Snapshot) EachRow(ctx context.Context, t DumpTable, fn func([]any) error) error {
	return eachDumped(ctx, n, t, fn)
}

func eachDumped(ctx context.Context, q querier, t DumpTable, fn func([]any) error) error {
	rows, err := q.query(ctx, "select "+strings.Join(t.Columns, ", ")+" from "+t.Name+stateWhere(t))
	if err == nil {
		values, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = each(rows, nil, func(rows *sql.Rows) error {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			return fn(values)
		})
	}
	if err != nil {
		return fmt.Errorf("store: dump %s: %w", t.Name, away(err))
	}
	return nil
}

// stateWhere leaves out of the table state what is true of one database only:
// how far the dedupe hashes and summaries are, and whose turn it is.
func stateWhere(t DumpTable) string {
	if t.Name != "state" {
		return ""
	}
	return " where name not in ('hashed', 'summaries', '" + movedState + "') and name not like 'exclusive %'"
}

// Schema is the version of the schema that the database has.
func (s *Store) Schema(ctx context.Context) (int64, error) {
	db := s.db
	if s.writer != nil {
		db = s.writer.db
	}
	p, err := s.migrations(db)
	if err != nil {
		return 0, fmt.Errorf("store: schema: %w", err)
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: schema: %w", away(err))
	}
	return version, nil
}

// movedState notes in the table state that the data went to another database.
const movedState = "moved"

// Moved gives what NoteMoved noted; empty: the data are here.
func (s *Store) Moved(ctx context.Context) (string, error) {
	var text string
	rows, err := s.query(ctx, "select value from state where name = '"+movedState+"'")
	if err == nil {
		err = scanOne(rows, &text)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("store: moved: %w", away(err))
	}
	return text, nil
}

// NoteMoved notes when and whereto the data went, so that nobody goes on with
// the old copy by mistake.
func (s *Store) NoteMoved(ctx context.Context, text string) error {
	if err := s.in(ctx, durable, func(t *Tx) error { return t.setState(ctx, movedState, text) }); err != nil {
		return fmt.Errorf("store: moved: %w", err)
	}
	return nil
}

// Own makes this process the only one that takes events into an SQLite folder,
// until the store is closed; the error says that another one does. On
// PostgreSQL, where any number may, it does nothing.
func (s *Store) Own(ctx context.Context) error {
	if s.writer == nil {
		return nil
	}
	err := s.own(ctx)
	for deadline := time.Now().Add(ownPatience); errors.Is(err, errOwned) && time.Now().Before(deadline); err = s.own(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("store: own: %w", ctx.Err())
		case <-time.After(handPoll):
		}
	}
	if err != nil {
		return fmt.Errorf("store: own: %w", err)
	}
	return nil
}

// ownPatience is how long Own waits for a process that is about to end.
const ownPatience = 5 * time.Second
