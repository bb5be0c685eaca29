package jobs_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestScoresArePushed: a vendor is told a score at once when an event changes it,
// and once a day while it fades, until nothing is left.
func TestScoresArePushed(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	clock.Store(start.UnixMicro())
	now := func() time.Time { return time.UnixMicro(clock.Load()) }
	l := newLab(t, simulatedStore(t, store.Options{Dir: t.TempDir(), Now: now}))
	l.now = start
	l.connect("crm", connectors.PushConfig{Enabled: true, Traits: map[string]string{"Score": "lead_score"}})
	l.publish(&jobs.Admin{Registry: l.registry}, "name: x\nscores:\n  lead_score:\n    half_life: 2d\n    events: { \"Demo:Requested\": 40 }\nstages: [ { name: Visit } ]\n")
	pusher := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: now, Log: slog.New(slog.DiscardHandler)}
	score := func() any {
		t.Helper()
		if err := l.processor.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := pusher.Send(t.Context(), "crm"); err != nil {
			t.Fatal(err)
		}
		l.vendor.mu.Lock()
		defer l.vendor.mu.Unlock()
		return l.vendor.held["ann@example.com"].Traits["Score"]
	}
	// What the event says of the trait itself is not the score.
	l.tell("crm", told{"demo", start, `{"email":"ann@example.com","score":99}`})
	l.process()
	if got := score(); got != int64(40) {
		t.Fatalf("after the demo the vendor holds %v", got)
	}
	last, changed := any(int64(40)), 0
	for hours := 6; hours <= 24*20; hours += 6 {
		l.now = start.Add(time.Duration(hours) * time.Hour)
		clock.Store(l.now.UnixMicro())
		got := score()
		if got != last && hours-changed < 24 {
			t.Errorf("after %d hours it changed from %v to %v, less than a day after it was set", hours, last, got)
		}
		if got != last {
			changed = hours
		}
		if want := map[int]int64{18: 40, 24: 28, 48: 20, 96: 10, 24 * 20: 0}[hours]; (want != 0 || hours == 24*20) && got != want {
			t.Errorf("after %d hours the vendor holds %v, want %d", hours, got, want)
		}
		last = got
	}
	l.vendor.mu.Lock()
	calls := l.vendor.calls
	l.vendor.mu.Unlock()
	if calls < 10 || calls > 14 {
		t.Errorf("%d calls for a score that fades from 40 in 13 days", calls)
	}
	if _, prof := l.person("email:ann@example.com"); prof.NextCheck != 0 || prof.Trait("lead_score") != any(int64(0)) || prof.Stage != lifecycle.Stage("Visit") {
		t.Errorf("at the end: next check %d, %v", prof.NextCheck, prof.Trait("lead_score"))
	}
}
