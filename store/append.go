package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

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
	handed     bool // another process wrote it
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

// commit writes groups until the appender ends. On SQLite the next group is
// written while the disk takes the one before, which flush waits for.
func (a *appender) commit(s *Store) {
	written := make(chan []*appending)
	a.running.Go(func() {
		defer close(written)
		for {
			// Whoever was just answered, or has sent meanwhile, goes first: the next
			// group is larger by it, and nobody waited for a timer.
			runtime.Gosched()
			group := a.next()
			if group == nil {
				return
			}
			s.appendGroup(group)
			if s.writer != nil {
				written <- group
				continue
			}
			answer(group)
		}
	})
	a.running.Go(func() {
		for group := range written {
			s.flushGroup(group)
			answer(group)
		}
	})
}

func answer(group []*appending) {
	for _, g := range group {
		g.ready <- struct{}{}
	}
}

// flushGroup makes what was written of a group durable.
func (s *Store) flushGroup(group []*appending) {
	begun := time.Now()
	err := s.writer.log.flush()
	if err == nil {
		s.committed("flush", time.Since(begun))
		return
	}
	s.log.Error("raw events are not durable", "error", err)
	for _, g := range group {
		g.err = fmt.Errorf("store: append: %w: %w", ErrAway, err)
	}
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
	g.size, g.err, g.receipt, g.handed = 0, nil, Receipt{}, false
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
	if !g.handed {
		s.arrived.add(connection, receipt.New)
	}
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
