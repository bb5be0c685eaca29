package store

import (
	"strconv"
	"strings"
	"sync"
)

// dialect holds what differs between the two databases. Every query is written
// once, with ?; the rest of the store never asks which database it runs on but
// through this value.
type dialect struct {
	postgres bool
	// skipLocked goes behind a select that takes rows nobody else works on.
	skipLocked string
	// forUpdate goes behind a select that locks what it reads.
	forUpdate string
	rebound   *sync.Map
}

func sqliteDialect() dialect { return dialect{rebound: new(sync.Map)} }

func postgresDialect() dialect {
	return dialect{postgres: true, skipLocked: " for update skip locked", forUpdate: " for update", rebound: new(sync.Map)}
}

// text gives the query in the database's own placeholders.
func (d dialect) text(q string) string {
	if !d.postgres {
		return q
	}
	if t, ok := d.rebound.Load(q); ok {
		return t.(string)
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(q, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	t := b.String()
	d.rebound.Store(q, t)
	return t
}

// oneOf gives the condition that a column is among a list passed as one
// parameter made by list. kind is bigint, text or bytea.
func (d dialect) oneOf(column, kind string) string {
	switch {
	case d.postgres:
		return column + " = any(cast(? as " + kind + "[]))"
	case kind == "bytea":
		return column + " in (select unhex(value) from json_each(?))"
	}
	return column + " in (select value from json_each(?))"
}
