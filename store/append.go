package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Flags of a raw event, set when it is received.
const (
	FlagNone   int64 = iota
	FlagRecord       // wait for the vendor's record before processing
	FlagBroken       // the bytes could not be decoded; Meta says why
	FlagEcho         // our own write coming back; Meta names the mark
)

// NewEvent is a raw event to be kept.
type NewEvent struct {
	// Dedupe as the connector made it; the connection is added here.
	Dedupe [32]byte
	Type   string
	Flag   int64
	// At is the event's own time, zero when unknown.
	At lifecycle.Instant
	// Meta is a JSON text with what else is worth keeping; empty for nothing.
	Meta string
	Body []byte
}

// Receipt says what became of one request's events.
type Receipt struct {
	// ID is the inbox id of the request's first event, or, where that was a
	// duplicate, of the original.
	ID int64
	// New and Duplicates add up to the events given.
	New, Duplicates int
}

// Limits of what may wait for the group commit. Beyond them Append answers
// ErrAway, so that the vendor sends again and memory stays bounded.
const (
	appendRows  = 4_000
	appendBytes = 64 << 20
	maxText     = 200 // bytes of a type
)

// appender is the natural group commit: while one commit runs, the next batch
// gathers; nothing waits for a timer (rule 2 of the design).
type appender struct {
	mu      sync.Mutex
	wake    sync.Cond
	waiting []*appending
	bytes   int
	ended   bool
	running sync.WaitGroup
}

// postgresCommitters is how many groups are on their way to PostgreSQL at
// once: one gathers and is written while another waits for the server's disk.
// An event that is in both is kept once by the unique index.
const postgresCommitters = 2

// Cursor is how far a source that is polled has been read.
type Cursor struct {
	// Was is the cursor that the events were fetched with, Next the one to go on
	// from.
	Was, Next string
}

// appending is one request in the group.
type appending struct {
	connection string
	cursor     *Cursor
	events     []NewEvent
	received   lifecycle.Instant
	size       int
	receipt    Receipt
	err        error
	ready      chan struct{}
}

var appendings = sync.Pool{New: func() any { return &appending{ready: make(chan struct{}, 1)} }}

func (a *appender) start(s *Store) {
	a.wake.L = &a.mu
	committers := 1
	if s.d.postgres {
		committers = postgresCommitters
	}
	for range committers {
		a.commit(s)
	}
}

// commit writes groups until the appender ends.
func (a *appender) commit(s *Store) {
	a.running.Go(func() {
		for {
			// Whoever was just answered, or has sent meanwhile, goes first: the next
			// group is larger by it, and nobody waited for a timer.
			runtime.Gosched()
			group := a.next()
			if group == nil {
				return
			}
			s.appendGroup(group)
			for _, g := range group {
				g.ready <- struct{}{}
			}
		}
	})
}

func (a *appender) stop() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.wake.Broadcast()
	a.running.Wait()
}

// next waits for requests and takes as many as fit one commit.
func (a *appender) next() []*appending {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) == 0 {
		if a.ended {
			return nil
		}
		a.wake.Wait()
	}
	rows, n := 0, 0
	for n < len(a.waiting) && (n == 0 || rows+len(a.waiting[n].events) <= appendRows) {
		rows += len(a.waiting[n].events)
		a.bytes -= a.waiting[n].size
		n++
	}
	group := a.waiting[:n:n]
	a.waiting = a.waiting[n:]
	if len(a.waiting) == 0 {
		a.waiting = nil
	}
	return group
}

// Append keeps the events of one request and returns once they are durable.
// It waits for the commit even when ctx ends, since the events may already be
// part of it. The error is ErrAway when the database cannot be reached;
// nothing was kept then.
func (s *Store) Append(connection string, received lifecycle.Instant, events []NewEvent) (Receipt, error) {
	return s.keep(connection, received, events, nil)
}

// AppendFetched keeps the events of one page of a polled source, and the cursor
// behind it, in one transaction. The error is ErrRetry when the stored cursor
// is another than the page was fetched with; nothing was kept then.
func (s *Store) AppendFetched(connection string, received lifecycle.Instant, events []NewEvent, c Cursor) (Receipt, error) {
	return s.keep(connection, received, events, &c)
}

func (s *Store) keep(connection string, received lifecycle.Instant, events []NewEvent, c *Cursor) (Receipt, error) {
	if len(events) == 0 && c == nil {
		return Receipt{}, nil
	}
	g := appendings.Get().(*appending)
	g.connection, g.cursor, g.events, g.received = connection, c, events, received
	g.size, g.err, g.receipt = 0, nil, Receipt{}
	for i := range events {
		g.size += len(events[i].Body) + 200
	}
	a := &s.append
	a.mu.Lock()
	if a.ended || a.bytes+g.size > appendBytes && len(a.waiting) > 0 {
		a.mu.Unlock()
		return Receipt{}, fmt.Errorf("store: append: %w", ErrAway)
	}
	a.bytes += g.size
	a.waiting = append(a.waiting, g)
	a.mu.Unlock()
	a.wake.Signal()
	<-g.ready
	receipt, err := g.receipt, g.err
	g.events, g.cursor = nil, nil
	appendings.Put(g)
	return receipt, err
}

// appendGroup commits the group. When that fails for anything but the
// connection, the group is halved until the bad event stands alone.
func (s *Store) appendGroup(group []*appending) {
	err := s.writeGroup(group)
	switch {
	case err == nil:
	case len(group) > 1 && !errors.Is(err, ErrAway):
		half := len(group) / 2
		s.appendGroup(group[:half])
		s.appendGroup(group[half:])
	default:
		for _, g := range group {
			g.err = fmt.Errorf("store: append: %w", err)
		}
	}
}

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
