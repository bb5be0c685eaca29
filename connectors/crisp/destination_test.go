package crisp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/crisp"
	"github.com/stagebridge/stagebridge/connectors/crisp/crispsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
)

// vendor is a simulated workspace that notes every request.
type vendor struct {
	*crispsim.Sim
	url string

	mu       sync.Mutex
	requests []string
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: crispsim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.requests = append(v.requests, r.Method+" "+strings.TrimPrefix(r.URL.Path, site))
		v.mu.Unlock()
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.requests
	v.requests = nil
	return all
}

func connect(t *testing.T, url string, change ...func(*connectors.Config)) *crisp.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings["base_url"] = url
	cfg.Push = connectors.PushConfig{Enabled: true, Traits: map[string]string{"plan": "plan", "nickname": "name"}}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	for _, f := range change {
		f(&cfg)
	}
	c, err := crisp.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*crisp.Connector)
}

func creating(cfg *connectors.Config) { cfg.Push.Create = true }

func setting(name, value string) func(*connectors.Config) {
	return func(cfg *connectors.Config) { cfg.Settings[name] = value }
}

func wanting(email, stage string, segments ...string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments}}
}

func TestPushCreatesAndUpdates(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	u := wanting("dana@example.com", "Customer", "at_risk")
	if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("without create: %+v", r)
	}
	c := connect(t, v.url, creating)
	r := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(r) != "ok" || r.VendorID == "" {
		t.Fatalf("with create: %+v", r)
	}
	wrote := []connectors.Field{{Record: r.VendorID, Name: "profile", Value: "dana@example.com"}}
	if diff := cmp.Diff(wrote, r.Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	want := []standin.Held{{Person: "dana@example.com", Stage: "Customer", Segments: []string{"at_risk"}}}
	if diff := cmp.Diff(want, v.Held()); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
	known := u.Want
	u.VendorID, u.Known = r.VendorID, &known
	u.Want.Stage = "Advocate"
	v.took()
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("update: %+v", r)
	}
	if got := v.took(); !slices.Equal(got, []string{"PATCH /people/data/" + r.VendorID}) {
		t.Errorf("a stage took %v", got)
	}
}

func TestPushLeavesForeignSegments(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddProfile("dana@example.com", "vip", "promoters", "SB:Promoters", "sb:other")
	u := wanting("dana@example.com", "", "at_risk")
	u.Want.Absent = []string{"promoters"}
	c := connect(t, v.url)
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("%+v", r)
	}
	want := []string{"GET /people/profile/dana@example.com", "PATCH /people/profile/" + id, "GET /people/profile/" + id}
	if got := v.took(); !slices.Equal(got, want) {
		t.Errorf("requests %v", got)
	}
	states, err := c.Read(t.Context(), []connectors.Update{{VendorID: id, Want: connectors.State{Segments: []string{"at_risk", "other"}, Absent: []string{"promoters"}}}})
	if diff := cmp.Diff(&connectors.State{Segments: []string{"at_risk", "other"}, Absent: []string{"promoters"}, Traits: map[string]any{"nickname": "Somebody"}}, states[0]); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestPushReadsBack: Crisp may add to the list instead of replacing it, and a
// read may be older than the write.
func TestPushReadsBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		merges, cached bool
		want           string
	}{
		"replaced":               {false, false, "ok"},
		"kept":                   {true, false, "permanent conflict"},
		"kept, or an old answer": {true, true, "unconfirmed"},
		"gone in an old answer":  {false, true, "ok"},
	} {
		v := newVendor(t)
		v.AddProfile("dana@example.com", "sb:promoters")
		v.Merging(c.merges)
		v.Caching(c.cached)
		u := wanting("dana@example.com", "")
		u.Want.Absent = []string{"promoters"}
		if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != c.want {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestPushProvesTheFormOfData: a body in the wrong form is answered well and
// stores nothing.
func TestPushProvesTheFormOfData(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddProfile("dana@example.com")
	if r := connectortest.Push(t, connect(t, v.url, setting("data_body", "bare")), wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "permanent stage_refused" || !strings.Contains(r.Message, "data_body") {
		t.Errorf("bare: %+v", r)
	}
	v.Caching(true)
	if r := connectortest.Push(t, connect(t, v.url, setting("data_body", "bare")), wanting("dana@example.com", "Trial"))[0]; connectortest.Outcome(r) != "unconfirmed" {
		t.Errorf("bare, with a cache: %+v", r)
	}
}

func TestPushFollowsTheAddress(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	old := v.AddProfile("dana@example.com")
	v.Remove(old)
	fresh := v.AddProfile("dana@example.com")
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.VendorID, u.Known = old, &connectors.State{Stage: "Trial", Segments: []string{"at_risk"}}
	if r := connectortest.Push(t, connect(t, v.url), u)[0]; connectortest.Outcome(r) != "ok" || r.VendorID != fresh {
		t.Errorf("%+v", r)
	}
	if h := v.Held(); len(h) != 1 || !slices.Equal(h[0].Segments, []string{"at_risk"}) {
		t.Errorf("held %+v", h)
	}
	v.Remove(fresh)
	u.Email = ""
	if r := connectortest.Push(t, connect(t, v.url, creating), u)[0]; connectortest.Outcome(r) != "skipped not_in_vendor" {
		t.Errorf("without an address: %+v", r)
	}
}

func TestPushWritesTraits(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddProfile("dana@example.com")
	c := connect(t, v.url, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"seats": "a", "paying": "b", "tags": "c", "nickname": "d", "gone": "e"}
	})
	u := connectors.Update{ID: "u", Email: "dana@example.com", Want: connectors.State{Traits: map[string]any{
		"seats": int64(12), "paying": true, "tags": []any{"a", int64(1)}, "nickname": "Dana Reed", "gone": nil,
	}}}
	r := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(r) != "ok" || !cmp.Equal(r.Written, []connectors.Field{{Record: id, Name: "person.nickname", Value: "Dana Reed"}}) {
		t.Errorf("%+v", r)
	}
	states, err := c.Read(t.Context(), []connectors.Update{{Email: "dana@example.com"}, {Email: "no@example.com"}, {}})
	want := []*connectors.State{{Traits: map[string]any{"seats": int64(12), "paying": true, "tags": "a, 1", "nickname": "Dana Reed", "gone": ""}}, nil, nil}
	if diff := cmp.Diff(want, states); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestPushPausesForTheQuota: 420 and 429 without a Retry-After may mean the
// whole day.
func TestPushPausesForTheQuota(t *testing.T) {
	t.Parallel()
	for _, status := range []int{420, 429} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":true,"reason":"too_many_requests","data":{}}`)
		}))
		var many []connectors.Update
		for range 30 {
			many = append(many, wanting("dana@example.com", "Trial"))
		}
		_, err := connect(t, server.URL).Push(t.Context(), many)
		server.Close()
		e := connectors.AsPushError(err)
		if e == nil || e.Reason != connectors.ReasonRateLimit || !e.Retryable || e.RetryAfter != 30*time.Minute || calls > 4 {
			t.Errorf("%d: %v after %d calls", status, err, calls)
		}
	}
}

// TestPushMeetsAConflict: made by an operator between looking and making.
func TestPushMeetsAConflict(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	first := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && first {
			first = false
			v.AddProfile("dana@example.com", "vip")
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if r := connectortest.Push(t, connect(t, server.URL, creating), wanting("dana@example.com", "Trial", "eu"))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("%+v", r)
	}
	if h := v.Held(); len(h) != 1 || h[0].Stage != "Trial" || !slices.Equal(h[0].Segments, []string{"eu"}) {
		t.Errorf("held %+v", h)
	}
}
