package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// ReasonFlipping: a push rests, since the vendor's side and ours overwrite each
// other's value.
const ReasonFlipping = "flipping"

// A person at a connection may be overwritten there MostFlips times within
// FlipWindow; at the next time the push rests for FlipPause.
const (
	MostFlips  = 5
	FlipWindow = time.Hour
	FlipPause  = 24 * time.Hour
)

// flipSlack is how far a vendor's clock may be behind ours.
const flipSlack = time.Minute

// Overwritten is a person in whose record at a connection somebody changed what
// a push had written, at an instant of the vendor's.
type Overwritten struct {
	Connection string
	Person     lifecycle.ProfileID
	At         lifecycle.Instant
}

// OverwrittenTx makes people due whose records no longer hold what was pushed,
// with nothing believed about what they hold. A change from before the newest
// push is passed over, since that has written over it. Whoever was overwritten
// too often rests, with the reason flipping. No pair may be there twice.
func (t *Tx) OverwrittenTx(ctx context.Context, all []Overwritten) error {
	n := len(all)
	now := lifecycle.Instant(t.s.nowMicros())
	conns, people, at := make([]string, n), make([]int64, n), make([]int64, n)
	for i, o := range all {
		conns[i], people[i], at[i] = o.Connection, int64(o.Person), int64(o.At.Add(flipSlack))
	}
	const (
		inWindow = "sync.flips_at > v.since"
		count    = "case when " + inWindow + " then sync.flips + 1 else 1 end"
		tooOften = count + " > v.most"
		rests    = "sync.state = 'failed' and sync.reason = '" + ReasonFlipping + "' and sync.due_at > v.now"
	)
	_, err := t.update(ctx, "sync", `version = sync.version + 1, attempts = 0,
		flips = `+count+`, flips_at = case when `+inWindow+` then sync.flips_at else v.now end,
		known = case when sync.lease > 0 then '-' else '' end,
		state = case when `+rests+` or `+tooOften+` then 'failed' else 'pending' end,
		reason = case when `+rests+` or `+tooOften+` then '`+ReasonFlipping+`' else sync.reason end,
		message = case when `+tooOften+` then v.message else sync.message end,
		due_at = case when sync.lease > 0 or `+rests+` then sync.due_at when `+tooOften+` then v.rested else v.now end`,
		"sync.connection = v.connection and sync.person = v.person and sync.pushed_at > 0 and v.at > sync.pushed_at",
		texts("connection", conns), ints("person", people), ints("at", at), ints("now", repeated(n, int64(now))),
		ints("since", repeated(n, int64(now.Add(-FlipWindow)))), ints("rested", repeated(n, int64(now.Add(FlipPause)))),
		ints("most", repeated(n, int64(MostFlips))), texts("message", repeated(n, flipMessage)))
	return err
}

const flipMessage = "what was pushed has been changed there again and again within an hour: find out who writes the field, " +
	"or let this connection's claims count in the plan; it is tried again in a day, or when somebody asks for a retry"

func repeated[T any](n int, v T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// WrittenFieldsTx gives the names of the fields that pushes of the connections
// have written, by connection.
func (t *Tx) WrittenFieldsTx(ctx context.Context, connections []string) (map[string]map[string]bool, error) {
	all := map[string]map[string]bool{}
	rows, err := t.query(ctx, "select connection, field from written_fields where "+t.s.d.oneOf("connection", "text"), list(t.s.d, connections))
	err = each(rows, err, func(rows *sql.Rows) error {
		var connection, field string
		if err := rows.Scan(&connection, &field); err != nil {
			return err
		}
		if all[connection] == nil {
			all[connection] = map[string]bool{}
		}
		all[connection][field] = true
		return nil
	})
	return all, err
}

// NoteWrittenFields remembers the names of fields that pushes of a connection
// write.
func (s *Store) NoteWrittenFields(ctx context.Context, connection string, fields []string) error {
	err := s.in(ctx, durable, func(t *Tx) error {
		_, err := t.insert(ctx, "written_fields", "on conflict (connection, field) do nothing", texts("connection", repeated(len(fields), connection)), texts("field", fields))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: written fields of %s: %w", connection, err)
	}
	return nil
}

// HoldersTx gives the people who have keys, by key, without locking anything.
func (t *Tx) HoldersTx(ctx context.Context, keys []string) (map[string]lifecycle.ProfileID, error) {
	holders := map[string]lifecycle.ProfileID{}
	rows, err := t.query(ctx, "select key, person from keys where "+t.s.d.oneOf("key", "text"), list(t.s.d, keys))
	err = each(rows, err, func(rows *sql.Rows) error {
		var key string
		var person lifecycle.ProfileID
		err := rows.Scan(&key, &person)
		holders[key] = person
		return err
	})
	return holders, err
}
