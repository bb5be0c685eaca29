package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const ann = "ann@example.com"

// TestVendorAnswers is what becomes of a person after each answer that a vendor
// can give, and that the next push brings everything when it is well again.
func TestVendorAnswers(t *testing.T) {
	t.Parallel()
	answer := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"message":%q,"you_sent":%q}`, vendorSpeak+" about "+outToken, r.Header.Get("Authorization"))
		}
	}
	var private atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { private.Add(1) }))
	t.Cleanup(inside.Close)
	t.Cleanup(func() {
		if n := private.Load(); n > 0 {
			t.Errorf("a redirect was followed %d times", n)
		}
	})
	date := time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
	for name, c := range map[string]struct {
		vendor http.HandlerFunc
		state  string
		reason connectors.Reason
		// after is the least pause before the next try, clears whether what was
		// known is doubted, says whether the vendor's words are kept.
		after        time.Duration
		clears, says bool
	}{
		"200":                       {vendor: answer(200), state: store.SyncSynced},
		"207":                       {vendor: answer(207), state: store.SyncSynced},
		"302 to a private address":  {vendor: answer(302, "Location", inside.URL), state: store.SyncFailed, reason: connectors.ReasonRedirect},
		"307 to a private address":  {vendor: answer(307, "Location", inside.URL), state: store.SyncFailed, reason: connectors.ReasonRedirect},
		"400":                       {vendor: answer(400), state: store.SyncFailed, reason: connectors.ReasonInvalid, says: true},
		"401":                       {vendor: answer(401), state: store.SyncFailed, reason: connectors.ReasonAuth, says: true},
		"403":                       {vendor: answer(403), state: store.SyncFailed, reason: connectors.ReasonForbidden, says: true},
		"404":                       {vendor: answer(404), state: store.SyncFailed, reason: connectors.ReasonNotFound, says: true},
		"409":                       {vendor: answer(409), state: store.SyncFailed, reason: connectors.ReasonConflict, says: true},
		"410":                       {vendor: answer(410), state: store.SyncFailed, reason: connectors.ReasonGone, says: true},
		"413":                       {vendor: answer(413), state: store.SyncFailed, reason: connectors.ReasonTooLarge, says: true},
		"422":                       {vendor: answer(422), state: store.SyncFailed, reason: connectors.ReasonInvalid, says: true},
		"429":                       {vendor: answer(429), state: store.SyncPending, reason: connectors.ReasonRateLimit, after: time.Second, says: true},
		"429 with seconds":          {vendor: answer(429, "Retry-After", "3600"), state: store.SyncPending, reason: connectors.ReasonRateLimit, after: 59 * time.Minute, says: true},
		"429 with a date":           {vendor: answer(429, "Retry-After", date), state: store.SyncPending, reason: connectors.ReasonRateLimit, after: 90 * time.Minute, says: true},
		"500":                       {vendor: answer(500), state: store.SyncPending, reason: connectors.ReasonServer, after: time.Second, clears: true, says: true},
		"502":                       {vendor: answer(502), state: store.SyncPending, reason: connectors.ReasonServer, after: time.Second, clears: true, says: true},
		"503 with seconds":          {vendor: answer(503, "Retry-After", "600"), state: store.SyncPending, reason: connectors.ReasonServer, after: 9 * time.Minute, clears: true, says: true},
		"a reset":                   {vendor: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, state: store.SyncPending, reason: connectors.ReasonConnection, after: time.Second, clears: true},
		"silence":                   {vendor: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, state: store.SyncPending, reason: connectors.ReasonTimeout, after: time.Second, clears: true},
		"an answer that never ends": {vendor: endless, state: store.SyncSynced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sick atomic.Bool
			var bodies atomic.Pointer[string]
			vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(b) // what the last request brought
				text := string(b)
				bodies.Store(&text)
				if sick.Load() {
					c.vendor(w, r)
				}
			}))
			t.Cleanup(vendor.Close)
			f := newFaults(t, storetest.SQLite(t))
			f.destination("warehouse", "generic-webhook", map[string]string{"url": vendor.URL, "auth": "bearer"}, map[string]string{"signing_secret": outSecret, "auth_secret": outToken})
			f.move(ann)
			if err := f.push("warehouse"); err != nil {
				t.Fatal(err)
			}
			if x := f.state("warehouse", ann); x.State != store.SyncSynced || x.Known == "" {
				t.Fatalf("while all is well: %+v", x)
			}
			sick.Store(true)
			f.move(ann)
			began := time.Now()
			err := f.push("warehouse")
			x := f.state("warehouse", ann)
			if x.State != c.state || x.Reason != string(c.reason) || (x.Known == "") != c.clears {
				t.Errorf("became %+v, want %s for %q with known cleared %v", x, c.state, c.reason, c.clears)
			}
			var pe *connectors.PushError
			if (c.state == store.SyncPending) != errors.As(err, &pe) {
				t.Errorf("the queue is told %v", err)
			}
			if c.state == store.SyncPending {
				if pause := x.Due.Time().Sub(began); pause < c.after || x.Attempts != 1 {
					t.Errorf("the next try is in %v after %d, want at least %v after 1", pause, x.Attempts, c.after)
				}
			} else if x.Due != 0 {
				t.Errorf("it is tried again at %v", x.Due.Time())
			}
			if strings.Contains(x.Message, vendorSpeak) != c.says {
				t.Errorf("kept are the words %q", x.Message)
			}
			sick.Store(false)
			f.due("warehouse", ann)
			if err := f.push("warehouse"); err != nil {
				t.Error(err)
			}
			if x := f.state("warehouse", ann); x.State != store.SyncSynced || x.Message != "" || !strings.Contains(*bodies.Load(), `"Qualified Lead"`) {
				t.Errorf("when it is well again: %+v with %s", x, *bodies.Load())
			}
		})
	}
}

// endless answers well and then goes on and on, within the client's bounds.
func endless(w http.ResponseWriter, r *http.Request) {
	chunk := []byte(strings.Repeat(vendorSpeak, 1000))
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestHubspotAnswers: an answer may be well formed HTTP and say that nothing,
// or not everything, was written.
func TestHubspotAnswers(t *testing.T) {
	t.Parallel()
	batch := func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/contacts/batch/") && !strings.Contains(r.URL.Path, "read")
	}
	for name, c := range map[string]struct {
		fault hubspotsim.Fault
		state string
	}{
		"200 with an error body": {hubspotsim.Fault{Status: 200, Body: `{"status":"error","message":"` + vendorSpeak + `","category":"RATE_LIMITS"}`}, store.SyncPending},
		"200 that is no JSON":    {hubspotsim.Fault{Status: 200, Body: "<html>welcome"}, store.SyncPending},
		"200 without results":    {hubspotsim.Fault{Status: 200, Body: `{"status":"COMPLETE","results":[]}`}, store.SyncPending},
		"the answer is lost":     {hubspotsim.Fault{After: true, Reset: true}, store.SyncPending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, sim := newHubspot(t)
			f.move(ann)
			c.fault.Match, c.fault.Times = batch, -1
			sim.Fail(c.fault)
			_ = f.push("hubspot") // what became of it is read from the store
			if x := f.state("hubspot", ann); x.State != c.state || x.Known != "" {
				t.Errorf("became %+v, want %s with nothing known", x, c.state)
			}
			sim.Recover()
			f.due("hubspot", ann)
			if err := f.push("hubspot"); err != nil {
				t.Error(err)
			}
			held, _ := sim.ByEmail(ann)
			if x := f.state("hubspot", ann); x.State != store.SyncSynced || held.Properties["sb_stage"] != "Subscriber" || len(sim.Contacts()) != 1 {
				t.Errorf("in the end %+v and %v", x, sim.Contacts())
			}
		})
	}
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("207, or 400 for all: %v", whole), func(t *testing.T) {
			t.Parallel()
			f, sim := newHubspot(t, whole)
			people := []string{ann, "bob@example.com", "cid@example.com", "dot@example.com", "eve@example.com"}
			f.move(people...)
			sim.Refuse("cid@example.com", vendorSpeak)
			_ = f.push("hubspot")
			for _, p := range people {
				want := store.SyncSynced
				if p == "cid@example.com" {
					want = store.SyncFailed
				}
				if x := f.state("hubspot", p); x.State != want || (want == store.SyncFailed) != strings.Contains(x.Message, vendorSpeak) {
					t.Errorf("%s became %+v, want %s", p, x, want)
				}
			}
		})
	}
}

func newHubspot(t *testing.T, refuseWhole ...bool) (*faults, *hubspotsim.Sim) {
	t.Helper()
	sim := hubspotsim.New(hubspotsim.Options{RefuseWhole: slices.Contains(refuseWhole, true)})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	f := newFaults(t, storetest.SQLite(t))
	f.destination("hubspot", "hubspot", map[string]string{"base_url": server.URL}, map[string]string{"access_token": outToken})
	return f, sim
}

// TestRefusedBatch: one bad row makes the vendor refuse the call, and all but
// that one arrive.
func TestRefusedBatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		f.connect("lab", connectors.PushConfig{Enabled: true})
		var people []string
		for i := range 40 {
			people = append(people, fmt.Sprintf("p%02d@example.com", i))
		}
		f.vendor.fail = func(updates []connectors.Update) ([]connectors.Result, error) {
			for _, u := range updates {
				if u.Email == "p17@example.com" {
					return nil, &connectors.PushError{Reason: connectors.ReasonInvalid, Status: 400, Message: vendorSpeak}
				}
			}
			return nil, nil
		}
		f.move(people...)
		if err := f.push("lab"); err != nil {
			t.Error(err)
		}
		for _, p := range people {
			x := f.state("lab", p)
			if bad := p == "p17@example.com"; bad != (x.State == store.SyncFailed && x.Message == vendorSpeak) || !bad && x.State != store.SyncSynced {
				t.Errorf("%s became %+v", p, x)
			}
		}
		if f.vendor.calls > 15 {
			t.Errorf("%d calls for one bad row of 40", f.vendor.calls)
		}
	})
}

// TestUnknownOutcome: after a timeout nobody knows what arrived, so everything
// is sent; after a refusal what was known still is.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		f.connect("lab", connectors.PushConfig{Enabled: true})
		f.move(ann)
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			reason connectors.Reason
			known  bool
		}{{connectors.ReasonRateLimit, true}, {connectors.ReasonTimeout, false}} {
			f.vendor.fail = func([]connectors.Update) ([]connectors.Result, error) {
				return nil, &connectors.PushError{Reason: c.reason, Retryable: true}
			}
			f.move(ann)
			_ = f.push("lab")
			var seen *connectors.State
			f.vendor.fail = func(u []connectors.Update) ([]connectors.Result, error) {
				seen = u[0].Known
				return nil, nil
			}
			f.due("lab", ann)
			if err := f.push("lab"); err != nil || (seen != nil) != c.known {
				t.Errorf("after %s the connector is told that %+v is known; %v", c.reason, seen, err)
			}
		}
	})
}

// TestRedisAway: triggers are lost and the limit is kept by this process alone;
// nothing else changes.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	f := newFaults(t, s)
	f.connect("lab", connectors.PushConfig{Enabled: true})
	p, err := jobs.NewPipeline(jobs.PipelineOptions{Store: s, Registry: f.registry, RedisURL: "redis://127.0.0.1:1/0", Work: true})
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	t.Cleanup(p.Stop)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if p.PingRedis(ctx) == nil {
		t.Fatal("there is a Redis")
	}
	f.tell("crm", told{"order", f.now.Add(-time.Hour), `{"email":"ann@example.com","order":"1","amount":"5"}`})
	p.Received("crm", false)
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		f.vendor.mu.Lock()
		held := f.vendor.held[ann]
		f.vendor.mu.Unlock()
		if held.Stage == string(lifecycle.Stage("Customer")) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the vendor holds %+v", held)
		case <-tick.C:
		}
	}
}
