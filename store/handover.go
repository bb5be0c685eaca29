package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// One process at a time takes events into an SQLite folder (see own). What
// another one has, such as 'stagebridge import' beside a server, it hands over
// in the table handed: a row for each request, durable before anybody looks,
// which the process that owns the folder appends as if it had come in there,
// and answers with the receipt. Whichever of the two is killed, nothing is
// lost that was promised and nothing comes in twice: a row that nobody
// answered is appended again, and its events are known by their hashes; when
// the owner dies, whoever waits becomes the owner and goes on itself.

// Times and sizes of a hand-over.
const (
	handPoll     = 10 * time.Millisecond  // between looks while there is something
	handIdle     = 100 * time.Millisecond // between looks while there is nothing
	handOwn      = 250 * time.Millisecond // between tries to become the owner
	handPatience = 30 * time.Second       // after which the database counts as away
	handTold     = 15 * time.Second       // after which a second server is told of the first
	handAtOnce   = 200                    // rows taken at once
)

// errOwned says that another process takes events into this folder.
var errOwned = errors.New("another process takes events into this data folder")

// handedEvents is what a row of handed holds.
type handedEvents struct {
	Received lifecycle.Instant
	Cursor   *Cursor `json:",omitempty"`
	Events   []handedEvent
}

// handedEvent is a NewEvent whose key is text in JSON.
type handedEvent struct {
	NewEvent
	Dedupe []byte
}

// ServeFolder tells other processes that this one is a server at work, see
// Served, and makes it the owner of an SQLite folder as soon as nobody else is.
// It returns at once. On PostgreSQL it does nothing.
func (s *Store) ServeFolder() {
	if s.writer == nil {
		return
	}
	s.wg.Go(func() {
		ctx := context.Background()
		told := time.Now().Add(handTold)
		for {
			serving, err := s.recent.serving.take(ctx)
			if err == nil {
				err = s.own(ctx)
			}
			if serving && err == nil {
				return
			}
			if err != nil && !errors.Is(err, errOwned) {
				s.log.Warn("taking the data folder", "error", err)
			}
			if !serving && !told.IsZero() && time.Now().After(told) {
				told = time.Time{}
				s.log.Warn("another server works on this data folder: stop one of the two, or let both use PostgreSQL")
			}
			if !s.pause(handOwn) {
				return
			}
		}
	})
}

// Served tells whether a server of another process works on this SQLite
// folder. On PostgreSQL, where any number of processes do the same, it is false.
func (s *Store) Served(ctx context.Context) (bool, error) {
	if s.writer == nil {
		return false, nil
	}
	free, err := s.recent.serving.take(ctx)
	if err != nil {
		return false, fmt.Errorf("store: served: %w", err)
	}
	if free {
		s.recent.serving.release()
	}
	return !free, nil
}

// pause waits; false when the store closes.
func (s *Store) pause(span time.Duration) bool {
	select {
	case <-s.closed:
		return false
	case <-time.After(span):
		return true
	}
}

// handOver has the owner of the folder keep a group, and fills what it answers
// into the requests.
func (s *Store) handOver(ctx context.Context, group []*appending) error {
	ids, err := s.hand(ctx, group)
	if err != nil {
		return err
	}
	var failed error
	deadline, own := time.Now().Add(handPatience), time.Now().Add(handOwn)
	for left := len(ids); left > 0; {
		if !s.pause(handPoll) || time.Now().After(deadline) {
			failed = fmt.Errorf("the process that takes events does not answer: %w", ErrAway)
			break
		}
		if left, err = s.unanswered(ctx, ids); err != nil {
			return err
		}
		if left > 0 && time.Now().After(own) {
			own = time.Now().Add(handOwn)
			if err := s.own(ctx); err == nil {
				break
			} else if !errors.Is(err, errOwned) {
				return err
			}
		}
	}
	rest, err := s.takeBack(ctx, ids, group)
	switch {
	case err != nil:
		return err
	case len(rest) == 0:
		return nil
	case failed == nil:
		return s.writeGroup(rest)
	}
	for _, g := range rest {
		g.err = fmt.Errorf("store: append: %w", failed)
	}
	return nil
}

// hand writes a group's requests down, durably.
func (s *Store) hand(ctx context.Context, group []*appending) ([]int64, error) {
	payloads := make([][]byte, len(group))
	for i, g := range group {
		h := handedEvents{Received: g.received, Cursor: g.cursor, Events: make([]handedEvent, len(g.events))}
		for k := range g.events {
			h.Events[k] = handedEvent{NewEvent: g.events[k], Dedupe: g.events[k].Dedupe[:]}
		}
		var err error
		if payloads[i], err = json.Marshal(h); err != nil {
			return nil, err
		}
	}
	var ids []int64
	err := s.in(ctx, durable, func(t *Tx) error {
		ids = ids[:0]
		for i, g := range group {
			var id int64
			if err := t.one(ctx, "insert into handed (connection, payload) values (?, ?) returning id", []any{g.connection, payloads[i]}, &id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

func (s *Store) unanswered(ctx context.Context, ids []int64) (n int, err error) {
	rows, err := s.query(ctx, "select count(*) from handed where answered_at = 0 and "+s.d.oneOf("id", "bigint"), list(s.d, ids))
	if err == nil {
		err = scanOne(rows, &n)
	}
	return n, away(err)
}

// takeBack ends a hand-over: it fills the answers in and gives the requests
// that have none.
func (s *Store) takeBack(ctx context.Context, ids []int64, group []*appending) ([]*appending, error) {
	byID := make(map[int64]*appending, len(ids))
	for i, id := range ids {
		byID[id] = group[i]
	}
	var rest []*appending
	err := s.in(ctx, derived, func(t *Tx) error {
		rest = rest[:0]
		rows, err := t.query(ctx, "delete from handed where "+s.d.oneOf("id", "bigint")+" returning id, answered_at, first, fresh, duplicates, error", list(s.d, ids))
		return each(rows, err, func(rows *sql.Rows) error {
			var id, answered int64
			var r Receipt
			var failed string
			if err := rows.Scan(&id, &answered, &r.ID, &r.New, &r.Duplicates, &failed); err != nil {
				return err
			}
			g := byID[id]
			if answered == 0 {
				rest = append(rest, g)
				return nil
			}
			g.receipt, g.handed = r, true
			switch failed {
			case "":
			case ErrRetry.Error():
				g.err = fmt.Errorf("store: append: %w", ErrRetry)
			default:
				g.err = fmt.Errorf("store: append: by the process that takes events: %s", failed)
			}
			return nil
		})
	})
	return rest, err
}

// serveHanded appends what others handed over, for as long as the store is open.
func (s *Store) serveHanded() {
	ctx := context.Background()
	if err := s.dropAnswered(ctx); err != nil {
		s.log.Warn("answers that nobody fetched stay", "error", err)
	}
	for span := handIdle; s.pause(span); {
		n, err := s.serveOnce(ctx)
		if err != nil {
			s.log.Warn("events that another process handed over wait", "error", err)
		}
		if span = handIdle; n > 0 {
			span = handPoll
		}
	}
}

// dropAnswered takes away answers that nobody fetched. The clock is asked only
// where there is one.
func (s *Store) dropAnswered(ctx context.Context) error {
	answered, err := scanIDs(s.query(ctx, "select id from handed where answered_at > 0 limit 1"))
	if err != nil || len(answered) == 0 {
		return err
	}
	return s.in(ctx, derived, func(t *Tx) error {
		_, err := t.exec(ctx, "delete from handed where answered_at > 0 and answered_at < ?", s.nowMicros()-handPatience.Microseconds())
		return err
	})
}

// serveOnce appends what waits now and answers; n is how many requests.
func (s *Store) serveOnce(ctx context.Context) (n int, err error) {
	type request struct {
		id         int64
		connection string
		payload    []byte
		receipt    Receipt
		err        error
	}
	var all []*request
	rows, err := s.query(ctx, "select id, connection, payload from handed where answered_at = 0 order by id limit ?", handAtOnce)
	if err = each(rows, err, func(rows *sql.Rows) error {
		r := &request{}
		all = append(all, r)
		return rows.Scan(&r.id, &r.connection, &r.payload)
	}); err != nil || len(all) == 0 {
		return 0, err
	}
	var wg sync.WaitGroup
	for _, r := range all {
		wg.Go(func() { r.receipt, r.err = s.keepHanded(r.connection, r.payload) })
	}
	wg.Wait()
	err = s.in(ctx, derived, func(t *Tx) error {
		for _, r := range all {
			failed := ""
			switch {
			case errors.Is(r.err, ErrAway):
				continue // again, at the next look
			case errors.Is(r.err, ErrRetry):
				failed = ErrRetry.Error()
			case r.err != nil:
				failed = r.err.Error()
			}
			// The events are emptied here: they are in the inbox now, and somebody who
			// was killed does not come for the answer.
			if _, err := t.exec(ctx, "update handed set payload = x'', answered_at = ?, first = ?, fresh = ?, duplicates = ?, error = ? where id = ?",
				s.nowMicros(), r.receipt.ID, r.receipt.New, r.receipt.Duplicates, failed, r.id); err != nil {
				return err
			}
		}
		return nil
	})
	return len(all), err
}

func (s *Store) keepHanded(connection string, payload []byte) (Receipt, error) {
	var h handedEvents
	if err := json.Unmarshal(payload, &h); err != nil {
		return Receipt{}, err
	}
	events := make([]NewEvent, len(h.Events))
	for i := range h.Events {
		events[i] = h.Events[i].NewEvent
		if copy(events[i].Dedupe[:], h.Events[i].Dedupe) != len(events[i].Dedupe) {
			return Receipt{}, errors.New("an event without its key")
		}
	}
	return s.keep(connection, h.Received, events, h.Cursor)
}
