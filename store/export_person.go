package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// aboutTables are the tables with rows about a person beside the person's own,
// the events and the raw events; by says what the condition is given.
var aboutTables = [...]struct{ name, column, by string }{
	{"keys", "person", "person"},
	{"transitions", "person", "person"},
	{"memberships", "person", "person"},
	{"standings", "person", "person"},
	{"merges", "survivor", "person"},
	{"conflicts", "person", "person"},
	{"sync", "person", "person"},
	{"account_people", "person", "person"},
	{"account_moves", "person", "person"},
	{"erasures", "person", "person"},
	{"refusals", "key", "key"},
	{"refusals", "with_key", "key"},
	{"reviews", "key", "key"},
	{"reviews", "with_key", "key"},
	{"audit", "subject", "subject"},
}

// EachAbout gives what tables hold about a person and whoever became them: per
// row the columns by name, with JSON as such, other bytes in hex. The map is
// fn's.
func (s *Store) EachAbout(ctx context.Context, people []lifecycle.ProfileID, keys []string, fn func(table string, row map[string]any) error) error {
	subjects := make([]string, len(people))
	for i, id := range people {
		subjects[i] = fmt.Sprint("person:", id)
	}
	for _, x := range aboutTables {
		kind, args := "bigint", list(s.d, people)
		switch x.by {
		case "key":
			kind, args = "text", list(s.d, keys)
		case "subject":
			kind, args = "text", list(s.d, subjects)
		}
		rows, err := s.query(ctx, "select * from "+x.name+" where "+s.d.oneOf(x.column, kind), args)
		if err == nil {
			err = eachMap(rows, func(row map[string]any) error { return fn(x.name, row) })
		}
		if err != nil {
			return fmt.Errorf("store: about a person: %s: %w", x.name, away(err))
		}
	}
	return nil
}

func eachMap(rows *sql.Rows, fn func(map[string]any) error) error {
	columns, err := rows.Columns()
	if err != nil {
		_ = rows.Close() // the first error is the one that matters
		return err
	}
	return each(rows, nil, func(rows *sql.Rows) error {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row := make(map[string]any, len(columns))
		for i, name := range columns {
			row[name] = plainColumn(values[i])
		}
		return fn(row)
	})
}

// plainColumn makes of a column what JSON can say.
func plainColumn(v any) any {
	switch x := v.(type) {
	case string:
		if len(x) > 1 && (x[0] == '{' || x[0] == '[') && json.Valid([]byte(x)) {
			return json.RawMessage(x)
		}
	case []byte:
		if len(x) > 1 && (x[0] == '{' || x[0] == '[') && utf8.Valid(x) && json.Valid(x) {
			return json.RawMessage(append([]byte(nil), x...))
		}
		return hex.EncodeToString(x)
	}
	return v
}

// MergedIDs gives everybody who became a person,
// directly or over others.
func (s *Store) MergedIDs(ctx context.Context, person lifecycle.ProfileID) (all []lifecycle.ProfileID, err error) {
	err = s.in(ctx, derived, func(t *Tx) error {
		all, err = t.MergedTx(ctx, person)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: merged: %w", err)
	}
	return all, nil
}
