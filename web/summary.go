package web

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
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
// takes a twentieth of the time at most. Where much is counted nobody waits for
// it: pages show the one before, which outlives the process, and tell its age.
type summaries struct {
	mu      sync.Mutex
	now     *summary
	until   time.Time
	running bool
}

const (
	summaryLife = 2 * time.Second
	// summaryMost is how much may be counted for a page to wait for it: raw
	// events that wait and people at connections.
	summaryMost = 50_000
	// summaryNote is the summary's name among the notes.
	summaryNote = "summary"
)

// newestAmong is how far back the newest event of a connection is looked for.
const newestAmong = 20_000

// large tells whether counting took what no page may wait for.
func (s *summary) large() bool {
	var n int64
	for _, x := range s.Inbox {
		n += x.Pending
	}
	for _, states := range s.Sync {
		for _, people := range states {
			n += people
		}
	}
	return n > summaryMost
}

func (w *Web) summarize(ctx context.Context) (*summary, error) {
	k := &w.summary
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil {
		k.now = w.notedSummary(ctx)
	}
	switch {
	case k.now != nil && w.now().Before(k.until):
		return k.now, nil
	case k.now != nil && k.now.large():
		if !k.running {
			k.running = true
			w.beside.run(w.summarizeBeside)
		}
		return k.now, nil
	}
	return w.summarizeNow(ctx)
}

// summarizeNow counts; mu is held.
func (w *Web) summarizeNow(ctx context.Context) (*summary, error) {
	begun := time.Now()
	s, err := w.newSummary(ctx, w.summary.now)
	if err != nil {
		return nil, err
	}
	w.keepSummary(s, time.Since(begun))
	return s, nil
}

// summarizeBeside counts while pages show what was counted before.
func (w *Web) summarizeBeside(ctx context.Context) {
	k := &w.summary
	k.mu.Lock()
	old := k.now
	k.mu.Unlock()
	begun := time.Now()
	s, err := w.newSummary(ctx, old)
	took := time.Since(begun)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = false
	if err != nil {
		k.until = w.now().Add(summaryLife)
		if ctx.Err() == nil {
			w.log.Warn("the workspace was not counted", "error", err)
		}
		return
	}
	w.keepSummary(s, took)
}

// keepSummary keeps a summary for the pages to come, and notes it for the next
// process where making it takes long; mu is held.
func (w *Web) keepSummary(s *summary, took time.Duration) {
	k := &w.summary
	k.now, k.until = s, s.At.Add(max(summaryLife, 20*took))
	if s.large() {
		w.beside.run(func(ctx context.Context) { w.noteSummary(ctx, s) })
	}
}

func (w *Web) noteSummary(ctx context.Context, s *summary) {
	text, err := json.Marshal(s)
	if err == nil {
		err = w.store.SetNote(ctx, summaryNote, string(text))
	}
	if err != nil && ctx.Err() == nil {
		w.log.Warn("what was counted is not kept for the next start", "error", err)
	}
}

// notedSummary is what an earlier process counted where that was much; nil: there
// is none.
func (w *Web) notedSummary(ctx context.Context) *summary {
	text, err := w.store.Note(ctx, summaryNote)
	if err != nil {
		return nil
	}
	s := &summary{}
	if json.Unmarshal([]byte(text), s) != nil || !s.large() {
		return nil // of another version
	}
	return s
}

// countedAt is when what pages show was counted, where that is long ago; zero
// where it was just now.
func (w *Web) countedAt() lifecycle.Instant {
	k := &w.summary
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil || !k.now.large() || w.now().Sub(k.now.At) < countedLately {
		return 0
	}
	return lifecycle.At(k.now.At)
}

// countedLately is how old counts may be without a word about it.
const countedLately = 10 * time.Second

// newSummary counts; old is the summary before, nil for none.
func (w *Web) newSummary(ctx context.Context, old *summary) (*summary, error) {
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
	if old != nil {
		maps.Copy(s.Last, old.Last)
	}
	maps.Copy(s.Last, newest)
	return s, nil
}
