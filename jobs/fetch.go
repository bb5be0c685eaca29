package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// fetchPages bounds the pages of one run, so that a vendor whose cursor never
// ends does not hold a worker for good; the rest comes with the next turn.
const fetchPages = 1000

// Fetcher reads the sources that have to be asked. It keeps what they give as
// though it had come in a request.
type Fetcher struct {
	Store    *store.Store
	Registry *Registry
	Breakers *Breakers
	// Received is told of raw events after they are durable.
	Received func(connection string, needRecord bool)
	// Request is the time that one call may take; zero is 15 s.
	Request time.Duration
	// Metrics watches; nil: nobody does.
	Metrics *observe.Metrics
	Now     func() time.Time
	Log     *slog.Logger

	mu   sync.Mutex
	next map[string]time.Time
}

// Due lists the connections whose turn it may be, as far as this process knows;
// Fetch asks the database. Each is named once per interval.
func (f *Fetcher) Due(cfg *Config) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.Now()
	next, due := map[string]time.Time{}, []string{}
	for id, conn := range cfg.Connections {
		poller, ok := conn.Open.(connectors.Poller)
		if !ok {
			continue
		}
		at := f.next[id]
		if !now.Before(at) {
			due = append(due, id)
			at = now.Add(interval(poller))
		}
		next[id] = at
	}
	f.next = next
	slices.Sort(due)
	return due
}

// interval is the vendor's, but no shorter than a second.
func interval(p connectors.Poller) time.Duration { return max(p.Interval(), time.Second) }

// Fetch takes a connection's turn, if nobody else has had it within the
// interval, and reads pages until nothing more waits. A failure of the vendor is
// the error and is noted with the connection; the cursor stays where the last
// page that was kept ended.
func (f *Fetcher) Fetch(ctx context.Context, connection string) error {
	conn := f.Registry.Config().Connections[connection]
	if conn == nil {
		return nil
	}
	poller, ok := conn.Open.(connectors.Poller)
	if !ok {
		return nil
	}
	// A little less than the interval, so that clocks that differ do not make
	// every second turn be missed.
	mine, err := f.Store.Turn(ctx, "fetch "+connection, interval(poller)*9/10)
	if err != nil || !mine {
		return err
	}
	done, err := f.Breakers.Allow("fetch:" + connection)
	if err != nil {
		return err
	}
	failure, err := f.pages(ctx, connection, poller)
	done(failure)
	if failure != nil {
		e := asPushError(failure)
		f.Store.NoteRejection(connection, store.Rejection{At: lifecycle.At(f.Now()), Reason: string(e.Reason), Detail: e.Error(), Method: "FETCH"})
	}
	return errors.Join(failure, err)
}

// pages reads page after page. failure is the vendor's, err our own.
func (f *Fetcher) pages(ctx context.Context, connection string, poller connectors.Poller) (failure, err error) {
	cursor, err := f.Store.Cursor(ctx, connection)
	if err != nil {
		return nil, err
	}
	for range fetchPages {
		page, failure := f.ask(ctx, poller, cursor)
		if failure != nil {
			return failure, nil
		}
		now := f.Now()
		for i := range page.Events {
			if page.Events[i].Dedupe == [32]byte{} {
				return nil, errors.New("jobs: fetch: " + connection + " gave an event without a dedupe key")
			}
		}
		kept, err := f.Store.AppendFetched(connection, lifecycle.At(now), Keep(page.Events, Origin{}), store.Cursor{Was: cursor, Next: page.Cursor})
		if errors.Is(err, store.ErrRetry) {
			return nil, nil // another process reads it and is further on
		}
		if err != nil {
			return nil, err
		}
		f.Metrics.Kept(connection, kept.New)
		if f.Received != nil && kept.New > 0 {
			f.Received(connection, slices.ContainsFunc(page.Events, func(e connectors.RawEvent) bool { return e.NeedsRecord }))
		}
		if !page.More || page.Cursor == cursor || ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cursor = page.Cursor
	}
	f.Log.Warn("a source gives more pages than one turn reads; the rest comes with the next", "connection", connection, "pages", fetchPages)
	return nil, nil
}

func (f *Fetcher) ask(ctx context.Context, poller connectors.Poller, cursor string) (*connectors.Fetched, error) {
	limit := f.Request
	if limit == 0 {
		limit = 15 * time.Second
	}
	// A page may take several calls.
	ctx, cancel := context.WithTimeout(ctx, 4*limit)
	defer cancel()
	return poller.Fetch(ctx, cursor)
}
