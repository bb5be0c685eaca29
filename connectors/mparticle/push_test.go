package mparticle_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mparticle"
	"github.com/stagebridge/stagebridge/connectors/mparticle/mparticlesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// connect opens a connection to a stand-in under the settings that it names.
func connect(t *testing.T, h http.Handler, change func(*connectors.Config)) *mparticle.Connector {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	settings, secrets := mparticlesim.New().Connection(s.URL)
	cfg := connectors.Config{
		ID: "app", PublicURL: "https://bridge.example.com/hooks/app", Settings: settings, Secrets: map[string][]secret.Text{},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Push: connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"plan": "plan"}},
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

func reasonOf(err error) connectors.Reason {
	var e *connectors.PushError
	if errors.As(err, &e) {
		return e.Reason
	}
	return connectors.ReasonNone
}

func TestPushReachesTheWorkspace(t *testing.T) {
	t.Parallel()
	sim := mparticlesim.New()
	c := connect(t, sim, nil)
	for range 2 { // a repetition counts once
		connectortest.Push(t, c, people()...)
	}
	if sim.Writes() != 4 {
		t.Errorf("%d batches counted", sim.Writes())
	}
	p, _ := sim.Person("dana@example.com")
	want := map[string]any{"plan": "team", "sb_stage": "Customer", "sb_stage_since": "2026-11-20T08:00:00.000Z", "sb_segments": []any{"at_risk"}}
	if diff := cmp.Diff(want, p.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}

	u := people()[0]
	known := u.Want
	u.ID, u.Known = "v9", &known
	u.Want = connectors.State{Stage: "Advocate", Absent: []string{"at_risk", "promoters"}, Traits: map[string]any{"plan": nil}}
	connectortest.Push(t, c, u)
	p, _ = sim.Person("dana@example.com")
	want = map[string]any{"sb_stage": "Advocate", "sb_stage_since": "2026-11-20T08:00:00.000Z"}
	if diff := cmp.Diff(want, p.Attributes); diff != "" || len(p.Events) != 1 {
		t.Errorf("%d events, attributes after a move (-want +got):\n%s", len(p.Events), diff)
	}
}

// TestWritten: the ledger of echoes is fed in the webhook's own spelling.
func TestWritten(t *testing.T) {
	t.Parallel()
	c := connect(t, mparticlesim.New(), func(cfg *connectors.Config) {
		cfg.Secrets["webhook_authorization"] = []secret.Text{secret.New("Bearer webhook-now")}
	})
	u := connectors.Update{ID: "v", VendorID: "-12", Want: connectors.State{Segments: []string{"eu", "us"}, Traits: map[string]any{"plan": "team", "seats": 3, "old": nil}}}
	told := deliver(t, c, `{"mpid":-12,"environment":"production","events":[`+
		`{"event_type":"user_attribute_change","data":{"user_attribute_name":"plan","old":"free","new":"team"}},`+
		`{"event_type":"user_attribute_change","data":{"user_attribute_name":"sb_segments","old":null,"new":["eu", "us"]}},`+
		`{"event_type":"user_attribute_change","data":{"user_attribute_name":"seats","old":"2","new":"3"}},`+
		`{"event_type":"user_attribute_change","data":{"user_attribute_name":"old","old":"x","new":null,"deleted":true}}]}`)
	var reported []connectors.Field
	for _, e := range told {
		reported = append(reported, e.Written...)
	}
	written := connectortest.Push(t, c, u)[0].Written
	want := []connectors.Field{{Record: "-12", Name: "plan", Value: "team"}, {Record: "-12", Name: "sb_segments", Value: `["eu","us"]`}, {Record: "-12", Name: "seats", Value: "3"}, {Record: "-12", Name: "old"}}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, reported); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}

func TestWhoIsWritten(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		update connectors.Update
		create bool
		want   connectors.Outcome
		reason connectors.Reason
	}{
		"mpid":                       {connectors.Update{VendorID: "12"}, false, connectors.Unconfirmed, ""},
		"mpid that is none":          {connectors.Update{VendorID: "12x"}, true, connectors.Skipped, connectors.ReasonNoIdentity},
		"address":                    {connectors.Update{Email: "dana@example.com"}, true, connectors.Unconfirmed, ""},
		"address, nobody to be made": {connectors.Update{Email: "dana@example.com"}, false, connectors.Skipped, connectors.ReasonNotInVendor},
		"nothing":                    {connectors.Update{Keys: []lifecycle.Key{{Namespace: "anonymous", Value: "d-1"}}}, true, connectors.Skipped, connectors.ReasonNoIdentity},
	} {
		tt.update.Want.Stage = "Trial"
		r := connectortest.Push(t, connect(t, mparticlesim.New(), func(cfg *connectors.Config) { cfg.Push.Create = tt.create }), tt.update)[0]
		if r.Outcome != tt.want || r.Reason != tt.reason {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestSizes: people who are too large are refused, the others go out in as many
// requests as it takes.
func TestSizes(t *testing.T) {
	t.Parallel()
	var updates []connectors.Update
	for i := range 30 {
		updates = append(updates, connectors.Update{ID: fmt.Sprint("v", i), VendorID: fmt.Sprint(i + 1), Want: connectors.State{Traits: map[string]any{"plan": strings.Repeat("x", 20<<10)}}})
	}
	updates[3].Want.Traits["plan"] = strings.Repeat("x", 130<<10)
	for i := range 1001 {
		updates[4].Want.Segments = append(updates[4].Want.Segments, fmt.Sprintf("s%04d", i))
	}
	var requests atomic.Int64
	sim := mparticlesim.New()
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		sim.ServeHTTP(w, r)
	}), nil)
	for i, r := range connectortest.Push(t, c, updates...) {
		large := i == 3 || i == 4
		if large && (r.Outcome != connectors.Permanent || r.Reason != connectors.ReasonTooLarge) || !large && r.Outcome != connectors.Unconfirmed {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if sim.Writes() != 28 || requests.Load() < 3 {
		t.Errorf("%d people in %d requests", sim.Writes(), requests.Load())
	}
}

// TestRateLimit: whose limit it was is told, and the rest of the batch waits.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	sim := mparticlesim.New()
	var requests atomic.Int64
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			w.Header().Set("X-mp-rate-limit-exceeded", "workspace")
			w.Header().Set("Retry-After", "5")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		sim.ServeHTTP(w, r)
	}), nil)
	var updates []connectors.Update
	for i := range 40 {
		updates = append(updates, connectors.Update{ID: fmt.Sprint("v", i), VendorID: fmt.Sprint(i + 1), Want: connectors.State{Traits: map[string]any{"plan": strings.Repeat("x", 20<<10)}}})
	}
	results := connectortest.Push(t, c, updates...)
	last := results[len(results)-1]
	if results[0].Outcome != connectors.Unconfirmed || last.Outcome != connectors.Retry || last.Delay != 5*time.Second || requests.Load() != 2 {
		t.Errorf("first %+v, last %+v, %d requests", results[0], last, requests.Load())
	}
	if r := results[sim.Writes()]; r.Reason != connectors.ReasonRateLimit || !strings.Contains(r.Message, "workspace") {
		t.Errorf("the first who had to wait: %+v", r)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sim := mparticlesim.New()
	if text, err := connect(t, sim, nil).Check(t.Context()); err != nil || !strings.Contains(text, "takes the key") || len(sim.Held()) != 0 {
		t.Errorf("%q, %v, held %v", text, err, sim.Held())
	}
	wrong := connect(t, sim, func(cfg *connectors.Config) { cfg.Secrets["api_secret"] = []secret.Text{secret.New("wrong-secret")} })
	if _, err := wrong.Check(t.Context()); reasonOf(err) != connectors.ReasonAuth {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestRead also shows that a token which is withdrawn is fetched anew, once.
func TestRead(t *testing.T) {
	t.Parallel()
	sim := mparticlesim.New()
	c := connect(t, sim, nil)
	u := people()[3]
	connectortest.Push(t, c, u)
	u.Want.Segments, u.Want.Absent = []string{"promoters"}, []string{"at_risk", "dormant"}
	want := &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"dormant", "promoters"}, Traits: map[string]any{"plan": "team"}}
	for range 2 {
		states, err := c.Read(t.Context(), []connectors.Update{u, {VendorID: "99"}, {Email: "dana@example.com"}, {VendorID: "../x"}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]*connectors.State{want, nil, nil, nil}, states); diff != "" {
			t.Errorf("states (-want +got):\n%s", diff)
		}
		sim.Expire()
	}
	bare := connect(t, sim, func(cfg *connectors.Config) { delete(cfg.Settings, "org_id") })
	if _, err := bare.Read(t.Context(), []connectors.Update{u}); reasonOf(err) != connectors.ReasonSettings {
		t.Errorf("without ids: %v", err)
	}
	wrong := connect(t, sim, func(cfg *connectors.Config) {
		cfg.Secrets["profile_client_secret"] = []secret.Text{secret.New("wrong-secret")}
	})
	if _, err := wrong.Read(t.Context(), []connectors.Update{u}); reasonOf(err) != connectors.ReasonAuth {
		t.Errorf("a wrong client: %v", err)
	}
}

// TestErase: asking again finds the request that was filed.
func TestErase(t *testing.T) {
	t.Parallel()
	sim := mparticlesim.New()
	c := connect(t, sim, nil)
	for _, who := range []connectors.Update{people()[0], {VendorID: "-7342198765432109876"}} {
		before := len(sim.Erasures())
		for range 2 {
			got, err := c.Erase(t.Context(), who)
			if err != nil || got.Outcome != connectors.Submitted || !strings.HasPrefix(got.Proof, "data subject request ") {
				t.Errorf("erased = %+v, %v", got, err)
			}
		}
		if n := len(sim.Erasures()); n != before+1 {
			t.Errorf("%d requests were filed", n-before)
		}
	}
	for status, want := range map[string]connectors.Outcome{"in_progress": connectors.Submitted, "completed": connectors.OK, "cancelled": connectors.Permanent} {
		for _, id := range sim.Erasures() {
			sim.Decide(id, status)
		}
		if got, err := c.Erase(t.Context(), people()[0]); err != nil || got.Outcome != want {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
	}
	if got, err := c.Erase(t.Context(), connectors.Update{}); err != nil || got.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	bare := connect(t, sim, func(cfg *connectors.Config) { delete(cfg.Secrets, "workspace_key") })
	if _, err := bare.Erase(t.Context(), people()[0]); reasonOf(err) != connectors.ReasonSettings {
		t.Errorf("without a key: %v", err)
	}
	wrong := connect(t, sim, func(cfg *connectors.Config) {
		cfg.Secrets["workspace_secret"] = []secret.Text{secret.New("wrong-secret")}
	})
	if _, err := wrong.Erase(t.Context(), people()[0]); reasonOf(err) != connectors.ReasonAuth {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestRequestsFollowTheDescription holds every request to the Events API, and
// every answer of the stand-in, against mParticle's own description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "mparticle-events.openapi.json")
	sim := mparticlesim.New()
	described := d.Wrap(sim)
	c := connect(t, described, nil)
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	known := people()[0].Want
	moved := people()[0]
	moved.ID, moved.Known = "v8", &known
	moved.Want = connectors.State{Stage: "Advocate", Absent: []string{"at_risk"}, Traits: map[string]any{"plan": nil, "seats": 3, "tags": []any{"a"}}}
	connectortest.Push(t, c, append(people(), moved)...)
	// What the workspace refuses is sent person by person.
	refusing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bulkevents") {
			connectortest.Reply(http.StatusBadRequest, `{"errors":[{"code":"BAD_REQUEST","message":"malformed"}]}`)(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	})
	for _, r := range connectortest.Push(t, connect(t, d.Wrap(refusing), nil), people()...) {
		if r.Outcome != connectors.Unconfirmed {
			t.Errorf("result %+v", r)
		}
	}
	wrong := connect(t, described, func(cfg *connectors.Config) { cfg.Secrets["api_key"] = []secret.Text{secret.New("wrong-key")} })
	if _, err := wrong.Check(t.Context()); reasonOf(err) != connectors.ReasonAuth {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"POST /bulkevents", "POST /events"}, d.Seen()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}
