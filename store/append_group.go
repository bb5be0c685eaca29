package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"
)

func dedupeHash(connection string, key [32]byte) []byte {
	var buf [40 + 1 + 32]byte
	b := append(buf[:0], connection...)
	b = append(b, 0)
	b = append(b, key[:]...)
	sum := sha256.Sum256(b)
	return sum[:16]
}

// clean makes a text that every database takes: valid UTF-8, no NUL, bounded.
func clean(s string, most int) string {
	if len(s) <= most && utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// groupRows are a group's events column by column.
type groupRows struct {
	ids, flags, received, at []int64
	connections, types, meta []string
	dedupe, bodies           [][]byte
	position                 map[[16]byte]int
}

func (s *Store) writeGroup(group []*appending) error {
	ctx := context.Background()
	if s.writer != nil {
		switch err := s.own(ctx); {
		case errors.Is(err, errOwned):
			return s.handOver(ctx, group)
		case err != nil:
			return err
		}
	}
	total := 0
	for _, g := range group {
		total += len(g.events)
	}
	first, err := s.take(ctx, "inbox", total)
	if err != nil {
		return err
	}
	r := gather(group, first, total)
	var original map[[16]byte]int64
	err = s.in(ctx, ingest, func(t *Tx) error {
		err := t.moveCursors(ctx, group)
		if err != nil || total == 0 {
			return err
		}
		if original, err = t.insertInbox(ctx, r); err != nil || len(original) == 0 && len(r.ids) == total {
			return err
		}
		r.answer(group, first, original)
		for _, g := range group {
			t.CountTx(g.connection, "duplicates", int64(g.receipt.Duplicates))
		}
		return nil
	})
	if err != nil || total == 0 {
		return err
	}
	s.recent.add(r, original)
	r.answer(group, first, original)
	return nil
}

func gather(group []*appending, first int64, total int) *groupRows {
	r := &groupRows{
		ids: make([]int64, 0, total), flags: make([]int64, 0, total), received: make([]int64, 0, total), at: make([]int64, 0, total),
		connections: make([]string, 0, total), types: make([]string, 0, total), meta: make([]string, 0, total),
		dedupe: make([][]byte, 0, total), bodies: make([][]byte, 0, total), position: make(map[[16]byte]int, total),
	}
	id := first
	for _, g := range group {
		for i := range g.events {
			e := &g.events[i]
			hash := dedupeHash(g.connection, e.Dedupe)
			if _, twice := r.position[[16]byte(hash)]; twice {
				continue
			}
			r.position[[16]byte(hash)] = len(r.ids)
			r.ids = append(r.ids, id)
			r.flags = append(r.flags, e.Flag)
			r.received = append(r.received, int64(g.received))
			r.at = append(r.at, int64(e.At))
			r.connections = append(r.connections, g.connection)
			r.types = append(r.types, clean(e.Type, maxText))
			r.meta = append(r.meta, e.Meta)
			r.dedupe = append(r.dedupe, hash)
			body := e.Body
			if body == nil {
				body = []byte{}
			}
			r.bodies = append(r.bodies, body)
			id++
		}
	}
	return r
}

// insertInbox writes the rows that are new and makes them pending. It answers
// the ids of those that were there already. On PostgreSQL the usual case is one
// statement, so one round trip; it goes by the order of the hashes (column 3),
// so that two groups with the same events never wait for each other.
func (t *Tx) insertInbox(ctx context.Context, r *groupRows) (map[[16]byte]int64, error) {
	if t.s.d.postgres {
		cols := r.columns()
		n, err := t.exec(ctx, `with kept as (insert into inbox (id, connection, dedupe, type, flag, received_at, event_at, meta, body)
			select * from `+unnest(cols)+` order by 3 on conflict (dedupe) do nothing returning id, `+pendingLane+` as lane)
			insert into pending (lane, next_try, id) select lane, 0, id from kept`, arrays(cols)...)
		if err != nil || int(n) == len(r.ids) {
			return nil, err
		}
		return t.originals(ctx, r)
	}
	original, err := t.s.recent.known(ctx, t, r)
	if err != nil {
		return nil, err
	}
	fresh := r.without(original)
	if len(fresh.ids) == 0 {
		return original, nil
	}
	if _, err := t.insert(ctx, "inbox", "", fresh.columns()...); err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, "insert into pending (lane, next_try, id) select "+pendingLane+", 0, id from inbox where id between ? and ?",
		fresh.ids[0], fresh.ids[len(fresh.ids)-1])
	return original, err
}

// pendingLane is where a new row waits: for its record or for processing.
const pendingLane = "case when flag = 1 then connection else '' end"

func (r *groupRows) columns() []column {
	return []column{
		ints("id", r.ids), texts("connection", r.connections), blobs("dedupe", r.dedupe), texts("type", r.types), ints("flag", r.flags),
		ints("received_at", r.received), ints("event_at", r.at), texts("meta", r.meta), blobs("body", r.bodies),
	}
}

// without gives the rows that are not among those known already.
func (r *groupRows) without(known map[[16]byte]int64) *groupRows {
	if len(known) == 0 {
		return r
	}
	fresh := &groupRows{}
	for i := range r.ids {
		if _, ok := known[[16]byte(r.dedupe[i])]; ok {
			continue
		}
		fresh.ids, fresh.flags, fresh.received, fresh.at = append(fresh.ids, r.ids[i]), append(fresh.flags, r.flags[i]), append(fresh.received, r.received[i]), append(fresh.at, r.at[i])
		fresh.connections, fresh.types, fresh.meta = append(fresh.connections, r.connections[i]), append(fresh.types, r.types[i]), append(fresh.meta, r.meta[i])
		fresh.dedupe, fresh.bodies = append(fresh.dedupe, r.dedupe[i]), append(fresh.bodies, r.bodies[i])
	}
	return fresh
}

// originals gives the ids of all rows as they stand in the inbox: those just
// written and those that were there already.
func (t *Tx) originals(ctx context.Context, r *groupRows) (map[[16]byte]int64, error) {
	found := map[[16]byte]int64{}
	rows, err := t.query(ctx, "select dedupe, id from inbox where "+t.s.d.oneOf("dedupe", "bytea"), list(t.s.d, r.dedupe))
	err = each(rows, err, func(rows *sql.Rows) error {
		var hash []byte
		var id int64
		if err := rows.Scan(&hash, &id); err != nil {
			return err
		}
		found[[16]byte(hash)] = id
		return nil
	})
	return found, err
}

// answer fills every request's receipt.
func (r *groupRows) answer(group []*appending, first int64, original map[[16]byte]int64) {
	seen := make([]bool, len(r.ids))
	for _, g := range group {
		for i := range g.events {
			hash := [16]byte(dedupeHash(g.connection, g.events[i].Dedupe))
			at := r.position[hash]
			id := first + int64(at)
			if was, ok := original[hash]; ok {
				id = was
			}
			if i == 0 {
				g.receipt = Receipt{ID: id}
			}
			if id == first+int64(at) && !seen[at] {
				seen[at] = true
				g.receipt.New++
			} else {
				g.receipt.Duplicates++
			}
		}
	}
}
