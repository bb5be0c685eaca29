package jobs

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// How often a Watch looks: it takes a twentieth of the time at most.
const (
	watchEvery = 10 * time.Second
	watchShare = 20
	// watchTimeout bounds one look.
	watchTimeout = 8 * time.Second
	// watchQueues is how many of asynq's queues are looked into, and
	// watchQueuesEvery every how many looks.
	watchQueues      = 300
	watchQueuesEvery = 3
)

// When what waits counts as trouble. A line whose first never changes is stuck,
// however long it is; a long one that moves is only behind.
const (
	StuckProcessing = 2 * time.Minute
	StuckClock      = 5 * time.Minute
	StuckLane       = 10 * time.Minute
	BehindAfter     = 15 * time.Minute
)

// Kinds of trouble, which are also metric labels.
const (
	TroubleProcessing = "processing_stuck"
	TroubleBehind     = "processing_behind"
	TroubleClock      = "clock_stuck"
	TroublePush       = "push_stuck"
	TroubleEnrich     = "enrich_stuck"
)

func troubleKinds() []string {
	return []string{TroubleProcessing, TroubleBehind, TroubleClock, TroublePush, TroubleEnrich}
}

// Trouble is one thing that does not go on.
type Trouble struct {
	Kind string
	// Connection that it is about; "" is the whole workspace.
	Connection string
	// Since is how long it has waited.
	Since time.Duration
}

// Words say what a Trouble is, without a name.
func (t Trouble) Words() string {
	age := t.Since.Round(time.Second)
	switch t.Kind {
	case TroubleProcessing:
		return fmt.Sprintf("raw events wait and none was processed for %s: is a worker running?", age)
	case TroubleBehind:
		return fmt.Sprintf("raw events are processed, but the oldest waits for %s", age)
	case TroubleClock:
		return fmt.Sprintf("conditions that depend on the time are not looked at for %s", age)
	case TroublePush:
		return fmt.Sprintf("people wait for a vendor and nobody was brought there for %s", age)
	}
	return fmt.Sprintf("raw events wait for a vendor's records and none was asked for since %s", age)
}

// QueueSize is how many tasks one of asynq's queues holds, by state.
type QueueSize struct {
	Queue  string
	States map[string]int
}

// WatchOptions are what a Watch needs; Store and Registry are required.
type WatchOptions struct {
	Store    *store.Store
	Registry *Registry
	// Ping asks Redis; nil: there is none to ask.
	Ping func(context.Context) error
	// Queues tells of asynq's queues; nil: nothing.
	Queues func() ([]QueueSize, error)
	// Breakers of this process; nil: it calls no vendor.
	Breakers *Breakers
	Now      func() time.Time
	Log      *slog.Logger
}

// Watch looks every few seconds at what waits, at a cost that does not grow
// with it. What it saw last serves metrics, /readyz and notifications. It is
// safe for concurrent use.
type Watch struct {
	o     WatchOptions
	looks int

	mu       sync.Mutex
	last     *store.Watched
	at       time.Time
	err      error
	ping     time.Duration
	pingErr  error
	queues   []QueueSize
	heads    map[Trouble]head // Since is zero
	troubles []Trouble
}

// head is the first in a line, and since when it is.
type head struct {
	id    int64
	since time.Time
}

// NewWatch makes a Watch that has not looked yet.
func NewWatch(o WatchOptions) *Watch {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Watch{o: o, heads: map[Trouble]head{}}
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for {
		begun := time.Now()
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.o.Log.Debug("watch", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(watchEvery, watchShare*time.Since(begun))):
		}
	}
}

// Look looks once. The error is the database's; what was seen before stays.
func (w *Watch) Look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	w.looks++
	w.lookAtRedis(ctx)
	seen, err := w.o.Store.Watch(ctx)
	now := w.o.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	if err != nil {
		return err
	}
	w.last, w.at = seen, now
	was := w.troubles
	w.troubles = w.judge(seen, now)
	w.tell(was)
	return nil
}

func (w *Watch) lookAtRedis(ctx context.Context) {
	if w.o.Ping != nil {
		begun := time.Now()
		err := w.o.Ping(ctx)
		w.mu.Lock()
		w.ping, w.pingErr = time.Since(begun), err
		w.mu.Unlock()
	}
	if w.o.Queues == nil || w.looks%watchQueuesEvery != 1 {
		return
	}
	queues, err := w.o.Queues()
	if err != nil {
		return // that Redis is away is seen by the ping
	}
	w.mu.Lock()
	w.queues = queues
	w.mu.Unlock()
}

// judge finds what does not go on. mu is held.
func (w *Watch) judge(seen *store.Watched, now time.Time) []Trouble {
	var all []Trouble
	heads := map[Trouble]head{}
	stuck := func(kind, connection string, id int64, due lifecycle.Instant, after time.Duration) {
		if id == 0 || due > seen.At {
			return
		}
		key := Trouble{Kind: kind, Connection: connection}
		h := w.heads[key]
		if h.id != id {
			h = head{id, now}
		}
		heads[key] = h
		if age := now.Sub(h.since); age >= after {
			all = append(all, Trouble{kind, connection, age})
		}
	}
	stuck(TroubleProcessing, "", seen.Head, 0, StuckProcessing)
	if age := seen.At.Time().Sub(seen.Oldest.Time()); seen.Oldest != 0 && age >= BehindAfter {
		all = append(all, Trouble{TroubleBehind, "", age})
	}
	stuck(TroubleClock, "", seen.TimerHead, seen.Timer, StuckClock)
	for id, lane := range seen.Lanes {
		conn := w.o.Registry.Config().Connections[id]
		if conn == nil || lane.Paused {
			continue
		}
		if conn.Destination() != nil {
			stuck(TroublePush, id, lane.PushHead, lane.PushDue, StuckLane)
		}
		stuck(TroubleEnrich, id, lane.EnrichHead, lane.EnrichDue, StuckLane)
	}
	w.heads = heads
	slices.SortFunc(all, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Connection, b.Connection))
	})
	return all
}

// tell logs what began and what ended since the look before.
func (w *Watch) tell(was []Trouble) {
	in := func(all []Trouble, t Trouble) bool {
		return slices.ContainsFunc(all, func(x Trouble) bool { return x.Kind == t.Kind && x.Connection == t.Connection })
	}
	for _, t := range w.troubles {
		if !in(was, t) {
			w.o.Log.Warn("the pipeline does not go on", "trouble", t.Kind, "connection", t.Connection, "what", t.Words())
		}
	}
	for _, t := range was {
		if !in(w.troubles, t) {
			w.o.Log.Info("the pipeline goes on again", "trouble", t.Kind, "connection", t.Connection)
		}
	}
}

// Troubles are what did not go on at the last look, by kind and connection.
func (w *Watch) Troubles() []Trouble {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.troubles)
}

// Reasons say the same for everybody to read: one sentence a kind, in which no
// connection is named.
func (w *Watch) Reasons() []string {
	var all []string
	kind := ""
	for _, t := range w.Troubles() {
		if t.Kind != kind { // of many connections one is enough
			all = append(all, t.Words())
		}
		kind = t.Kind
	}
	return all
}

// Seen gives what the last look saw, nil before the first.
func (w *Watch) Seen() *store.Watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// queueSizes asks asynq about its queues.
func (p *Pipeline) queueSizes() ([]QueueSize, error) {
	names, err := p.inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("jobs: queues: %w", err)
	}
	slices.Sort(names)
	var all []QueueSize
	for _, name := range names[:min(len(names), watchQueues)] {
		info, err := p.inspector.GetQueueInfo(name)
		if err != nil {
			continue // it may be gone by now
		}
		all = append(all, queueSize(info))
	}
	return all, nil
}

func queueSize(i *asynq.QueueInfo) QueueSize {
	return QueueSize{i.Queue, map[string]int{"pending": i.Pending, "active": i.Active, "scheduled": i.Scheduled, "retry": i.Retry, "archived": i.Archived}}
}
