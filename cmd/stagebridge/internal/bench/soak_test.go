package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestSlowGrowthIsToldFromNoise(t *testing.T) {
	t.Parallel()
	memory := series{name: "memory", of: func(p *point) float64 { return p.rss }, unit: 1e6, share: 0.10, more: 16e6}
	for name, c := range map[string]struct {
		of     func(i int) float64
		design float64
		holds  bool
	}{
		"flat":                         {of: func(int) float64 { return 200e6 }, holds: true},
		"up and down":                  {of: func(i int) float64 { return 200e6 + 40e6*math.Sin(float64(i)) }, holds: true},
		"a peak":                       {of: func(i int) float64 { return 200e6 + map[bool]float64{true: 900e6}[i > 100 && i < 120] }, holds: true},
		"shrinks":                      {of: func(i int) float64 { return 300e6 - 1e6*float64(i) }, holds: true},
		"a quarter more within":        {of: func(i int) float64 { return 200e6 + 50e6*float64(i)/239 }, holds: false},
		"the same under noise":         {of: func(i int) float64 { return 200e6 + 50e6*float64(i)/239 + 20e6*math.Sin(float64(i)) }, holds: false},
		"a quarter more, as it should": {of: func(i int) float64 { return 200e6 + 50e6*float64(i)/239 }, design: 30e6, holds: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			points := make([]point, 240)
			for i := range points {
				points[i] = point{at: time.Duration(i) * 15 * time.Second, rss: c.of(i)}
			}
			one := memory
			one.design = c.design > 0
			if v := judge(points, one, c.design); v.holds() != c.holds {
				t.Errorf("grew by %.1f MB of %.1f MB, may by %.1f MB: holds is %t", v.growth/1e6, v.from/1e6, v.limit/1e6, v.holds())
			}
		})
	}
}

func TestAGrowingSoakFails(t *testing.T) {
	t.Parallel()
	s := &soak{load: newPaced("", 1), told: &told{}, took: time.Minute}
	for i := range 60 {
		s.points = append(s.points, point{at: time.Duration(i+1) * time.Second, rss: 1e8, heap: 1e7, files: 20, goroutines: float64(100 + 2*i)})
	}
	var out bytes.Buffer
	err := s.report(SoakOptions{For: time.Minute, Rate: 1, Out: &out})
	if !errors.Is(err, ErrGrows) || !strings.Contains(err.Error(), "goroutines") || strings.Contains(err.Error(), "memory") {
		t.Errorf("%v\n%s", err, &out)
	}
	s.points = s.points[:8]
	if err := s.report(SoakOptions{For: time.Minute, Rate: 1, Out: &out}); !errors.Is(err, ErrGrows) {
		t.Errorf("eight looks are enough: %v", err)
	}
}

func TestTheLoadKnowsWhoIsFinished(t *testing.T) {
	t.Parallel()
	const n = 3*soakBlock*soakEach + 700
	events, orders := map[string]int{}, map[string]int{}
	for i := range n {
		var e struct {
			Type string
			Data struct {
				UserID string `json:"user_id"`
			}
		}
		if err := json.Unmarshal(soakEvent(i, time.Now()), &e); err != nil {
			t.Fatal(err)
		}
		events[e.Data.UserID]++
		if e.Type == "order.completed" {
			orders[e.Data.UserID]++
		}
		done := 0
		if i%997 == 0 || i == n-1 {
			for who, k := range events {
				if k == soakEach && orders[who] == 2 {
					done++
				}
			}
			if got := finished(i + 1); got != done {
				t.Fatalf("after %d events %d people are finished, want %d", i+1, got, done)
			}
		}
	}
}

func TestASteadyLoadDoesNotCatchUp(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got.Add(1) }))
	defer srv.Close()
	p := newPaced(srv.URL, 4)
	defer p.close()
	if err := p.steady(t.Context(), 400, 250*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n := got.Load(); n == 0 || n != int64(p.sent()) {
		t.Errorf("%d requests arrived of %d", n, p.sent())
	}
}

func TestARefusedWebhookFailsTheLoad(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }))
	defer srv.Close()
	p := newPaced(srv.URL, 1)
	defer p.close()
	if err := p.steady(t.Context(), 100, 50*time.Millisecond); !errors.Is(err, ErrGrows) || !strings.Contains(err.Error(), "418") {
		t.Errorf("%v", err)
	}
}

func TestAProcessIsLookedAt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: /proc is Linux's")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# HELP go_goroutines Number.\ngo_goroutines 12\ngo_memstats_next_gc_bytes 3e+07\ngo_gc_gogc_percent 200\n" +
			"stagebridge_inbox_pending{connection=\"a b\"} 3\nstagebridge_inbox_pending{connection=\"c\"} 4\n"))
	}))
	defer srv.Close()
	p, err := look(context.Background(), os.Getpid(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if p.goroutines != 12 || p.pending != 7 || math.Abs(p.heap-1e7) > 1 || p.rss < 1e6 || p.files < 3 {
		t.Errorf("%+v", p)
	}
}

// TestTheFilterIsAsLargeAsItSays holds what a soak allows against the sizes of
// the store's filter: ten bits an event, at most twice that while a layer fills.
func TestTheFilterIsAsLargeAsItSays(t *testing.T) {
	t.Parallel()
	for _, events := range []int{1, 1 << 18, 1<<18 + 1, 5_000_000} {
		if got := filterBytes(events); got < float64(events)*10/8 || got > float64(max(events, 1<<17))*10/8*2+float64(1<<18)*10/8 {
			t.Errorf("%d events: %.0f bytes", events, got)
		}
	}
}
