package web

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/lately"
)

const (
	// trendDays is how many days the overview compares with as many before.
	trendDays = 30
	// trendWait is how long a page waits for figures that are being computed.
	trendWait = 250 * time.Millisecond
	// trendLife is how long figures stand at least, trendTime how long computing
	// them may take.
	trendLife = time.Minute
	trendTime = 2 * time.Minute
)

// trends keeps the newest comparison of the path with itself. Making one reads
// a summary of everybody, so it is made beside the pages, and so rarely that it
// takes a fiftieth of the time at most. The zero value is ready.
type trends struct {
	mu     sync.Mutex
	plan   *lifecycle.Plan
	now    *lately.Comparison
	err    error
	until  time.Time
	making chan struct{} // closed when what is being made is there; nil: nothing is
	cancel context.CancelFunc
	ended  bool
}

// trend gives the newest comparison, nil while there is none yet.
func (w *Web) trend(ctx context.Context) (*lately.Comparison, error) {
	t := &w.trends
	t.mu.Lock()
	plan := w.registry.Config().Plan
	if t.plan == plan && w.now().Before(t.until) || t.ended {
		defer t.mu.Unlock()
		return t.now, t.err
	}
	if t.making == nil {
		t.make(w, plan)
	}
	making := t.making
	t.mu.Unlock()
	wait := time.NewTimer(trendWait)
	defer wait.Stop()
	select {
	case <-making:
	case <-wait.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now, t.err
}

// make begins a comparison; mu is held.
func (t *trends) make(w *Web, plan *lifecycle.Plan) {
	ctx, cancel := context.WithTimeout(context.Background(), trendTime)
	t.making, t.cancel = make(chan struct{}), cancel
	go func() {
		defer cancel()
		begun := time.Now()
		found, err := w.compare(ctx, plan)
		t.mu.Lock()
		defer t.mu.Unlock()
		if err == nil || t.plan != plan {
			t.now = found
		}
		t.plan, t.err, t.until = plan, err, w.now().Add(max(trendLife, 50*time.Since(begun)))
		if err != nil && !t.ended {
			t.until = w.now().Add(summaryLife)
			if !errors.Is(err, lately.ErrNotBuilt) {
				w.log.Warn("the comparison on the overview", "error", err)
			}
		}
		close(t.making)
		t.making = nil
	}()
}

func (w *Web) compare(ctx context.Context, plan *lifecycle.Plan) (*lately.Comparison, error) {
	end, err := w.reports.take(ctx, reportWait)
	if err != nil {
		return nil, err
	}
	defer end()
	// What happens now is in it.
	return lately.Compare(ctx, w.store, plan, w.registry.Config().PlanOf, lifecycle.At(w.now()).Add(time.Microsecond), trendDays)
}

// end stops what is being made, and lets nothing begin again.
func (t *trends) end() {
	t.mu.Lock()
	t.ended = true
	making := t.making
	if making != nil {
		t.cancel()
	}
	t.mu.Unlock()
	if making != nil {
		<-making
	}
}
