package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// WatchMost is how far Watch counts: a look costs the same however much waits.
const WatchMost = 10_000

// watchHead is how many of the raw events that wait longest are looked at.
const watchHead = 100

// Watched is a look at what waits in the whole workspace.
type Watched struct {
	// At is the store's clock at the look.
	At lifecycle.Instant
	// Oldest is since when the raw event that waits longest has waited; zero:
	// none does. Those that are processed again do not count.
	Oldest lifecycle.Instant
	// Head is the first raw event in line, zero for none.
	Head int64
	// Pending counts the first WatchMost raw events that wait, by connection.
	Pending map[string]int64
	// Timer is when the earliest timer of anybody was or is due, Timers how
	// many are due now, up to WatchMost, and TimerHead whose is the first.
	Timer     lifecycle.Instant
	Timers    int64
	TimerHead int64
	// Changed are people whom summaries do not know yet, and since when.
	Changed      int64
	ChangedSince lifecycle.Instant
	// Works counts live long work by kind and state.
	Works map[WorkCount]int64
	// Counters by connection and name, as Counters gives them.
	Counters map[string]map[string]int64
	// Lanes of all connections.
	Lanes map[string]WatchedLane
}

// WorkCount names live long work of one kind in one state.
type WorkCount struct {
	Kind  string
	State WorkState
}

// WatchedLane is what waits at one connection.
type WatchedLane struct {
	Paused bool
	// PushDue is when the first person in line is or was due; zero: nobody waits.
	PushDue lifecycle.Instant
	// PushHead is that person.
	PushHead int64
	// Waiting and Failed count people, up to WatchMost.
	Waiting, Failed int64
	// Flipping are those among the first thousand failed whom we and the vendor
	// overwrite for each other.
	Flipping int64
	// EnrichDue and EnrichHead say the same of the raw event that waits longest
	// for its record.
	EnrichDue  lifecycle.Instant
	EnrichHead int64
}

// Watch looks at what waits. Its cost is bounded: each part reads the beginning
// of an index.
func (s *Store) Watch(ctx context.Context) (*Watched, error) {
	now := s.nowMicros()
	w := &Watched{At: lifecycle.Instant(now), Pending: map[string]int64{}, Works: map[WorkCount]int64{}, Lanes: map[string]WatchedLane{}}
	var err error
	if w.Counters, err = s.Counters(ctx); err != nil {
		return nil, err
	}
	if w.Changed, w.ChangedSince, err = s.ChangesWaiting(ctx); err != nil {
		return nil, err
	}
	for _, look := range []func(context.Context, int64) error{
		func(ctx context.Context, now int64) error { return s.watchInbox(ctx, w, now) },
		func(ctx context.Context, now int64) error { return s.watchTimers(ctx, w, now) },
		func(ctx context.Context, _ int64) error { return s.watchLanes(ctx, w) },
		func(ctx context.Context, _ int64) error { return s.watchWork(ctx, w) },
	} {
		if err := look(ctx, now); err != nil {
			return nil, fmt.Errorf("store: watch: %w", away(err))
		}
	}
	return w, nil
}

func (s *Store) watchInbox(ctx context.Context, w *Watched, now int64) error {
	rows, err := s.query(ctx, `select p.id, p.next_try, p.reason, i.received_at
		from (select lane, next_try, id, reason from pending where lane = '' and next_try <= ? order by lane, next_try, id limit ?) p
		join inbox i on i.id = p.id order by p.lane, p.next_try, p.id`, now, watchHead)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id, next, received int64
		var reason string
		if err := rows.Scan(&id, &next, &reason, &received); err != nil {
			return err
		}
		if w.Head == 0 {
			w.Head = id
		}
		since := lifecycle.Instant(max(next, received))
		if reason != ReasonReplay && (w.Oldest == 0 || since < w.Oldest) {
			w.Oldest = since
		}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = s.query(ctx, `select i.connection, count(*) from (select id from pending order by lane, next_try, id limit ?) p
		join inbox i on i.id = p.id group by i.connection`, WatchMost)
	return each(rows, err, func(rows *sql.Rows) error {
		var connection string
		var n int64
		err := rows.Scan(&connection, &n)
		w.Pending[connection] = n
		return err
	})
}

func (s *Store) watchTimers(ctx context.Context, w *Watched, now int64) error {
	rows, err := s.query(ctx, "select next_check, id from profiles where next_check > 0 order by next_check limit 1")
	err = each(rows, err, func(rows *sql.Rows) error { return rows.Scan(&w.Timer, &w.TimerHead) })
	if err != nil {
		return err
	}
	rows, err = s.query(ctx, "select count(*) from (select 1 from profiles where next_check > 0 and next_check <= ? limit ?) d", now, WatchMost)
	if err != nil {
		return err
	}
	return scanOne(rows, &w.Timers)
}

func (s *Store) watchLanes(ctx context.Context, w *Watched) error {
	const (
		due    = "from sync s where s.connection = c.id and s.due_at > 0"
		first  = "from sync s where s.connection = c.id and s.due_at > 1 and s.due_at > 0 order by s.due_at, s.person limit 1" // not of those Behind, who are due since ever
		failed = "from sync s where s.connection = c.id and s.state not in ('synced', 'pending') and s.state = 'failed'"
		enrich = "from pending p join inbox i on i.id = p.id where p.lane = c.id order by p.lane, p.next_try, p.id limit 1"
	)
	rows, err := s.query(ctx, `select c.id, c.paused,
		coalesce((select s.due_at `+first+`), 0), coalesce((select s.person `+first+`), 0),
		(select count(*) from (select 1 `+due+` limit ?) d), (select count(*) from (select 1 `+failed+` limit ?) f),
		(select count(*) from (select s.reason `+failed+` limit 1000) f where f.reason = '`+ReasonFlipping+`'),
		coalesce((select case when p.next_try > 0 then p.next_try else i.received_at end `+enrich+`), 0), coalesce((select p.id `+enrich+`), 0)
		from connections c`, WatchMost, WatchMost)
	return each(rows, err, func(rows *sql.Rows) error {
		var id string
		var paused int64
		var l WatchedLane
		err := rows.Scan(&id, &paused, &l.PushDue, &l.PushHead, &l.Waiting, &l.Failed, &l.Flipping, &l.EnrichDue, &l.EnrichHead)
		l.Paused = paused != 0
		w.Lanes[id] = l
		return err
	})
}

func (s *Store) watchWork(ctx context.Context, w *Watched) error {
	rows, err := s.query(ctx, "select kind, state, count(*) from work where state in ('queued', 'running') group by kind, state")
	return each(rows, err, func(rows *sql.Rows) error {
		var c WorkCount
		var n int64
		err := rows.Scan(&c.Kind, &c.State, &n)
		w.Works[c] = n
		return err
	})
}

// Stats are figures of this process's database handle. They cost nothing.
type Stats struct {
	// Open connections, of which InUse do something now.
	Open, InUse int
	// Waits are how often, and Waited how long, somebody waited for a free one.
	Waits  int64
	Waited time.Duration
	// LogBytes is the size of SQLite's write-ahead log; zero on PostgreSQL.
	LogBytes int64
}

// Stats gives the figures of this process's database handle.
func (s *Store) Stats() Stats {
	d := s.db.Stats()
	x := Stats{Open: d.OpenConnections, InUse: d.InUse, Waits: d.WaitCount, Waited: d.WaitDuration}
	if s.writer != nil {
		if info, err := os.Stat(s.writer.log.path); err == nil {
			x.LogBytes = info.Size()
		}
	}
	return x
}
