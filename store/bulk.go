package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// column is one column of a bulk statement: its name, its type on PostgreSQL,
// and its values, one per row.
type column struct {
	name, kind string
	array      any           // what PostgreSQL takes as one array
	at         func(int) any // what SQLite takes row by row
	rows       int
}

func ints[T ~int64](name string, v []T) column {
	return column{name, "bigint", v, func(i int) any { return int64(v[i]) }, len(v)}
}

func texts[T ~string](name string, v []T) column {
	return column{name, "text", v, func(i int) any { return string(v[i]) }, len(v)}
}

// blobs takes nil for null.
func blobs(name string, v [][]byte) column {
	return column{name, "bytea", v, func(i int) any {
		if v[i] == nil {
			return nil
		}
		return v[i]
	}, len(v)}
}

// Numbers of rows in one SQLite statement: any up to exactRows, so that the
// small groups of ingest are one statement, and few beyond, so that the texts
// to prepare stay few.
const (
	exactRows = 32
	mostRows  = 256
)

// chunkOf is how many of n rows the next statement takes.
func chunkOf(n int) int {
	switch {
	case n >= mostRows:
		return mostRows
	case n >= 2*exactRows:
		return 2 * exactRows
	}
	return min(n, exactRows)
}

// insert writes all rows with one statement on PostgreSQL and a few on SQLite.
// tail is an on-conflict clause or empty; it must not meet one key twice.
// It answers how many rows were written.
func (t *Tx) insert(ctx context.Context, table, tail string, cols ...column) (int64, error) {
	rows := cols[0].rows
	if rows == 0 {
		return 0, nil
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	head := "insert into " + table + " (" + strings.Join(names, ", ") + ") "
	if t.s.d.postgres {
		return t.exec(ctx, head+"select * from "+unnest(cols)+" "+tail, arrays(cols)...)
	}
	return t.chunks(ctx, cols, func(n int) string { return head + valuesList(len(cols), n) + " " + tail })
}

// update sets columns of many rows, each named by its key columns, which come
// first. set is the text behind "set", where guards the rows further; both
// may use v.<column>. The table's own columns go by its name.
func (t *Tx) update(ctx context.Context, table, set, where string, cols ...column) (int64, error) {
	if cols[0].rows == 0 {
		return 0, nil
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	list := strings.Join(names, ", ")
	if t.s.d.postgres {
		return t.exec(ctx, "update "+table+" set "+set+" from "+unnest(cols)+" as v("+list+") where "+where, arrays(cols)...)
	}
	return t.chunks(ctx, cols, func(n int) string {
		return "with v(" + list + ") as (" + valuesList(len(cols), n) + ") update " + table + " set " + set + " from v where " + where
	})
}

// remove deletes the rows named by the columns, which are the table's key in
// its order, and answers how many were there.
func (t *Tx) remove(ctx context.Context, table string, key ...column) (int64, error) {
	if key[0].rows == 0 {
		return 0, nil
	}
	names, same := make([]string, len(key)), make([]string, len(key))
	for i, c := range key {
		names[i], same[i] = c.name, table+"."+c.name+" = v."+c.name
	}
	list := strings.Join(names, ", ")
	if t.s.d.postgres {
		return t.exec(ctx, "delete from "+table+" using "+unnest(key)+" as v("+list+") where "+strings.Join(same, " and "), arrays(key)...)
	}
	return t.chunks(ctx, key, func(n int) string {
		return "delete from " + table + " where (" + list + ") in (" + valuesList(len(key), n) + ")"
	})
}

// matching reads the rows whose columns, which an index has in that order, are
// together one of those given. Two lists of single values would ask for every
// pair of them.
func (t *Tx) matching(ctx context.Context, what, table string, key []column, fn func(*sql.Rows) error) error {
	names, same := make([]string, len(key)), make([]string, len(key))
	for i, c := range key {
		names[i], same[i] = c.name, table+"."+c.name+" = v."+c.name
	}
	list := strings.Join(names, ", ")
	if t.s.d.postgres {
		rows, err := t.query(ctx, "select "+table+"."+strings.ReplaceAll(what, ", ", ", "+table+".")+" from "+unnest(key)+" as v("+list+") join "+
			table+" on "+strings.Join(same, " and "), arrays(key)...)
		return each(rows, err, fn)
	}
	for from := 0; from < key[0].rows; {
		n := chunkOf(key[0].rows - from)
		args := make([]any, 0, n*len(key))
		for i := from; i < from+n; i++ {
			for _, c := range key {
				args = append(args, c.at(i))
			}
		}
		rows, err := t.query(ctx, "select "+what+" from "+table+" where ("+list+") in ("+valuesList(len(key), n)+")", args...)
		if err := each(rows, err, fn); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// chunks runs one statement text per size of chunk over all rows.
func (t *Tx) chunks(ctx context.Context, cols []column, text func(rows int) string) (int64, error) {
	var total int64
	rows := cols[0].rows
	args := make([]any, 0, min(rows, mostRows)*len(cols))
	for from := 0; from < rows; {
		n := chunkOf(rows - from)
		args = args[:0]
		for i := from; i < from+n; i++ {
			for _, c := range cols {
				args = append(args, c.at(i))
			}
		}
		done, err := t.exec(ctx, text(n), args...)
		if err != nil {
			return total, err
		}
		total += done
		from += n
	}
	return total, nil
}

func valuesList(cols, rows int) string {
	row := "(" + placeholders(cols) + ")"
	return "values " + strings.Repeat(row+", ", rows-1) + row
}

func placeholders(n int) string { return strings.Repeat("?, ", n-1) + "?" }

func unnest(cols []column) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = "cast(? as " + c.kind + "[])"
	}
	return "unnest(" + strings.Join(parts, ", ") + ")"
}

func arrays(cols []column) []any {
	args := make([]any, len(cols))
	for i, c := range cols {
		args[i] = plain(c.array)
	}
	return args
}

// list makes the parameter of dialect.oneOf.
func list[T any](d dialect, v []T) any {
	if d.postgres {
		return plain(v)
	}
	if blobs, ok := any(v).([][]byte); ok {
		hexed := make([]string, len(blobs))
		for i, b := range blobs {
			hexed[i] = hex.EncodeToString(b)
		}
		return jsonText(hexed)
	}
	return jsonText(v)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "[]" // ints and strings always encode
	}
	return string(b)
}
