package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Rejection is the facts of one request that was not taken. It holds nothing
// of the body and no secrets.
type Rejection struct {
	At lifecycle.Instant
	// Reason is the metric label, Detail a sentence for whoever sets it up.
	Reason, Detail string
	Method         string
	// Address of the sender and the software it says it is.
	Address, Agent string
}

const (
	counterRejected = "rejected"
	// keptRejections is how many are remembered per connection.
	keptRejections = 20
	// maxRejecting bounds the connections noted between two flushes.
	maxRejecting = 1_000
	flushEvery   = time.Second
	// lastFlush is how long the end of the process waits for the last notes.
	lastFlush = 5 * time.Second
)

// rejections gathers what was refused between two flushes, so that a flood
// costs memory for its newest facts only, and no statement per request.
type rejections struct {
	mu  sync.Mutex
	all map[string]*rejecting
}

type rejecting struct {
	reasons map[string]int64
	ring    [keptRejections]Rejection
	n       int // noted since the last flush
}

// NoteRejection counts a refused request and remembers its facts. It writes
// nothing; see RunRejections.
func (s *Store) NoteRejection(connection string, r Rejection) {
	q := &s.rejected
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.all[connection]
	if x == nil {
		if len(q.all) >= maxRejecting {
			return
		}
		if q.all == nil {
			q.all = map[string]*rejecting{}
		}
		x = &rejecting{reasons: map[string]int64{}}
		q.all[connection] = x
	}
	x.reasons[r.Reason]++
	x.ring[x.n%keptRejections] = r
	x.n++
}

// RunRejections writes what NoteRejection gathered about once a second, until
// ctx ends, and then once more.
func (s *Store) RunRejections(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFlush)
			defer cancel()
			s.flushLogged(last)
			return
		case <-tick.C:
			s.flushLogged(ctx)
		}
	}
}

func (s *Store) flushLogged(ctx context.Context) {
	if err := s.FlushRejections(ctx); err != nil {
		s.log.Warn("rejections not written", "error", err)
	}
}

// FlushRejections writes what was gathered so far. What cannot be written is
// dropped: they are notes, and a database that is away refuses everything.
func (s *Store) FlushRejections(ctx context.Context) error {
	s.rejected.mu.Lock()
	all := s.rejected.all
	s.rejected.all = nil
	s.rejected.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	connections := slices.Sorted(maps.Keys(all))
	err := s.in(ctx, derived, func(t *Tx) error {
		for _, connection := range connections {
			for reason, n := range all[connection].reasons {
				t.CountTx(connection, counterRejected, n)
				t.CountTx(connection, counterRejected+":"+reason, n)
			}
		}
		return t.addRejections(ctx, connections, all)
	})
	if err != nil {
		return fmt.Errorf("store: rejections: %w", err)
	}
	return nil
}

// addRejections writes the facts of many connections and forgets the older
// ones of each, with two statements however many there are.
func (t *Tx) addRejections(ctx context.Context, connections []string, all map[string]*rejecting) error {
	var conns, reason, detail, method, address, agent []string
	var at, ids []int64
	for _, connection := range connections {
		x := all[connection]
		for _, r := range x.ring[:min(x.n, keptRejections)] {
			conns, at, ids = append(conns, connection), append(at, int64(r.At)), append(ids, rand.Int64()) // replicas may note in the same microsecond
			reason, detail, method = append(reason, clean(r.Reason, 100)), append(detail, clean(r.Detail, 500)), append(method, clean(r.Method, 20))
			address, agent = append(address, clean(r.Address, 100)), append(agent, clean(r.Agent, maxText))
		}
	}
	if _, err := t.insert(ctx, "rejections", "", texts("connection", conns), ints("at", at), ints("id", ids), texts("reason", reason),
		texts("detail", detail), texts("method", method), texts("address", address), texts("agent", agent)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `delete from rejections where (connection, at, id) in (select connection, at, id from
		(select connection, at, id, row_number() over (partition by connection order by at desc, id desc) as place from rejections
		where `+t.s.d.oneOf("connection", "text")+`) as ranked where place > ?)`, list(t.s.d, connections), keptRejections)
	return err
}

// Rejections gives the newest refused requests of a connection, newest first,
// at most 20.
func (s *Store) Rejections(ctx context.Context, connection string) ([]Rejection, error) {
	var all []Rejection
	rows, err := s.query(ctx, `select at, reason, detail, method, address, agent from rejections where connection = ?
		order by at desc, id desc limit ?`, clean(connection, maxText), keptRejections)
	err = each(rows, err, func(rows *sql.Rows) error {
		var r Rejection
		err := rows.Scan(&r.At, &r.Reason, &r.Detail, &r.Method, &r.Address, &r.Agent)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: rejections of %s: %w", connection, away(err))
	}
	return slices.Clip(all), nil
}

// RejectedReason reads the reason out of the name of a counter of rejected
// requests; false for any other counter.
func RejectedReason(counter string) (string, bool) {
	return strings.CutPrefix(counter, counterRejected+":")
}
