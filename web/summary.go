package web

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// summary is a look at the whole workspace. It is shared and must not be
// changed.
type summary struct {
	At    time.Time
	Inbox map[string]*store.InboxStats
	// Sync counts people by connection and state.
	Sync map[string]map[string]int64
	// Stages and Segments count people by name; Standings those in the further
	// lifecycles, by "id:stage".
	Stages, Segments, Standings map[string]int64
	// Last is the newest raw event of each connection; one that was quiet since
	// this process started may be missing.
	Last map[string]store.InboxRow
}

// summaries keeps the newest summary. Making one reads whole tables, so it is
// made at most every summaryLife, and where that takes long, so rarely that it
// takes a twentieth of the time at most.
type summaries struct {
	mu    sync.Mutex
	now   *summary
	until time.Time
}

const summaryLife = 2 * time.Second

// newestAmong is how far back the newest event of a connection is looked for.
const newestAmong = 20_000

func (w *Web) summarize(ctx context.Context) (*summary, error) {
	k := &w.summary
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now != nil && w.now().Before(k.until) {
		return k.now, nil
	}
	begun := time.Now()
	s, err := w.newSummary(ctx)
	if err != nil {
		return nil, err
	}
	k.now, k.until = s, s.At.Add(max(summaryLife, 20*time.Since(begun)))
	return s, nil
}

func (w *Web) newSummary(ctx context.Context) (*summary, error) {
	s := &summary{At: w.now(), Stages: map[string]int64{}, Segments: map[string]int64{}, Standings: map[string]int64{}, Last: map[string]store.InboxRow{}}
	var err error
	if s.Inbox, err = w.store.InboxStats(ctx); err != nil {
		return nil, err
	}
	if s.Sync, err = w.store.SyncCounts(ctx); err != nil {
		return nil, err
	}
	counters, err := w.store.Counters(ctx)
	if err != nil {
		return nil, err
	}
	for name, n := range counters[""] {
		if stage, ok := strings.CutPrefix(name, "stage:"); ok {
			s.Stages[stage] = n
		}
		if segment, ok := strings.CutPrefix(name, "segment:"); ok {
			s.Segments[segment] = n
		}
		if standing, ok := strings.CutPrefix(name, store.LifecycleCounter); ok {
			s.Standings[standing] = n
		}
	}
	for _, id := range w.registry.IDs() {
		if s.Inbox[id] == nil {
			s.Inbox[id] = &store.InboxStats{Rejections: map[string]int64{}}
		}
	}
	newest, err := w.store.Newest(ctx, newestAmong)
	if err != nil {
		return nil, err
	}
	if old := w.summary.now; old != nil {
		maps.Copy(s.Last, old.Last)
	}
	maps.Copy(s.Last, newest)
	return s, nil
}
