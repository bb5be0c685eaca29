package googleanalytics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics/googleanalyticssim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// connect opens a connection to a stand-in under the settings that it names.
func connect(t *testing.T, h http.Handler, change func(*connectors.Config)) *googleanalytics.Connector {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	settings, secrets := googleanalyticssim.New().Connection(s.URL)
	cfg := connectors.Config{
		ID: "web", PublicURL: "https://bridge.example.com/hooks/web", Settings: settings, Secrets: map[string][]secret.Text{},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Push: connectors.PushConfig{Enabled: true, Traits: map[string]string{"plan": "plan"}},
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

func TestPushReachesTheStream(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	for i, r := range connectortest.Push(t, connect(t, sim, nil), people()...) {
		if r.Outcome != connectors.Unconfirmed || r.Sent != 2 {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	held := sim.Held()
	slices.SortFunc(held, func(a, b standin.Held) int { return strings.Compare(a.Person, b.Person) })
	want := standin.Held{Person: "1183902211.0", Stage: "Customer", Segments: []string{"at_risk"}}
	if len(held) != 4 || !cmp.Equal(held[0], want) {
		t.Errorf("held %+v", held)
	}
	for _, e := range sim.Events() {
		age := connectortest.Now.Sub(time.UnixMicro(e.Micros))
		if want := map[string]time.Duration{"sb_stage_changed": time.Hour, "sb_segments_changed": time.Minute}[e.Name]; age != want || e.Params["engagement_time_msec"] == nil {
			t.Errorf("event %+v is %v old", e, age)
		}
	}
}

// TestWrongSecret is why a push ends unconfirmed.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	c := connect(t, sim, func(cfg *connectors.Config) { cfg.Secrets["api_secret"] = []secret.Text{secret.New("wrong-secret")} })
	for _, r := range connectortest.Push(t, c, people()...) {
		if r.Outcome != connectors.Unconfirmed {
			t.Errorf("result %+v", r)
		}
	}
	if sim.Writes() != 0 {
		t.Error("the stand-in took what was not for it")
	}
}

// TestManySegments: more user properties than a request holds are several
// requests, each with an event.
func TestManySegments(t *testing.T) {
	t.Parallel()
	u := connectors.Update{ID: "v", VendorID: "1.2", Want: connectors.State{Stage: "Customer"}, Moves: []connectors.Move{{ID: "m", Seq: 1, From: "A", To: "Customer"}}}
	for i := range 60 {
		u.Want.Segments = append(u.Want.Segments, fmt.Sprintf("segment_%02d", i))
	}
	sim := googleanalyticssim.New()
	if r := connectortest.Push(t, connect(t, sim, nil), u)[0]; r.Outcome != connectors.Unconfirmed || r.Sent != 1 {
		t.Errorf("result %+v", r)
	}
	var names []string
	for _, e := range sim.Events() {
		names = append(names, e.Name)
	}
	if n := len(sim.Properties("1.2")); n != 61 {
		t.Errorf("%d user properties are held", n)
	}
	if diff := cmp.Diff([]string{"sb_stage_changed", "sb_sync", "sb_sync"}, names); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestNamesOfSegments: names that Google would not take never meet.
func TestNamesOfSegments(t *testing.T) {
	t.Parallel()
	segments := []string{"a b", "a_b", "a-b", "a segment with a very long name", "a segment with a very long nam"}
	sim := googleanalyticssim.New()
	connectortest.Push(t, connect(t, sim, nil), connectors.Update{ID: "v", VendorID: "1.2", Want: connectors.State{Segments: segments}})
	held := sim.Properties("1.2")
	if len(held) != len(segments) || held["sb_seg_a_b"] != "true" {
		t.Errorf("held %v", held)
	}
}

// TestPersonalData: no address leaves, neither as an id nor in another stream.
func TestPersonalData(t *testing.T) {
	t.Parallel()
	f := connectortest.NewFake(t)
	f.Reply("POST /mp/collect", http.StatusNoContent, "")
	c := connect(t, f, func(cfg *connectors.Config) { cfg.Settings["firebase_app_id"] = "1:123:android:4a5b" })
	connectortest.Push(t, c, connectors.Update{
		ID: "v", VendorID: "0a1b2c", Email: "ada@example.com", Want: connectors.State{Stage: strings.Repeat("é", 50), Traits: map[string]any{"plan": true}},
		Keys: []lifecycle.Key{{Namespace: "user", Value: "ada@example.com"}, {Namespace: "email", Value: "ada@example.com"}},
	})
	r := f.Requests()[0]
	if strings.Contains(string(r.Body), "ada@") || strings.Contains(r.Path, "measurement_id") || !strings.Contains(r.Path, "firebase_app_id=1%3A123") {
		t.Errorf("%s %s", r.Path, r.Body)
	}
	want := map[string]any{"plan": map[string]any{"value": "true"}, "sb_stage": map[string]any{"value": strings.Repeat("é", 36)}}
	body := r.JSON(t).(map[string]any)
	if diff := cmp.Diff(want, body["user_properties"]); diff != "" || body["app_instance_id"] != "0a1b2c" {
		t.Errorf("user properties (-want +got):\n%s", diff)
	}
}

// TestClientIDs: an anonymous id counts only where that is wanted, and after the
// client ids that a tag gave out.
func TestClientIDs(t *testing.T) {
	t.Parallel()
	anonymous := lifecycle.Key{Namespace: "anonymous", Value: "118.9"}
	for _, tt := range []struct {
		from string
		keys []lifecycle.Key
		want string
	}{
		{"tag", []lifecycle.Key{anonymous}, ""},
		{"anonymous", []lifecycle.Key{anonymous}, "118.9"},
		{"anonymous", []lifecycle.Key{anonymous, {Namespace: "web", Value: "118.1"}}, "118.1"},
	} {
		sim := googleanalyticssim.New()
		c := connect(t, sim, func(cfg *connectors.Config) { cfg.Settings["client_id_from"] = tt.from })
		r := connectortest.Push(t, c, connectors.Update{ID: "v", Keys: tt.keys, Want: connectors.State{Stage: "Trial"}})[0]
		if tt.want == "" && r.Reason != connectors.ReasonNoIdentity || tt.want != "" && sim.Properties(tt.want)["sb_stage"] != "Trial" {
			t.Errorf("%+v: %+v, held %v", tt, r, sim.Held())
		}
	}
}

// TestHalfWay: what arrived before a failure counts as sent, and a failure that
// concerns everybody ends the batch.
func TestHalfWay(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if r := connectortest.Push(t, connect(t, h, nil), people()[0])[0]; r.Outcome != connectors.Retry || r.Sent != 1 || n.Load() != 2 {
		t.Errorf("result %+v after %d requests", r, n.Load())
	}
	n.Store(0)
	limited := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	var many []connectors.Update
	for i := range 100 {
		many = append(many, connectors.Update{ID: fmt.Sprint(i), VendorID: fmt.Sprint("1.", i), Want: connectors.State{Stage: "A"}})
	}
	for _, r := range connectortest.Push(t, connect(t, limited, nil), many...) {
		if r.Outcome != connectors.Retry || r.Reason != connectors.ReasonRateLimit || r.Delay != 9*time.Second {
			t.Fatalf("result %+v", r)
		}
	}
	if n.Load() > 16 {
		t.Errorf("%d requests after being told to wait", n.Load())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sim := googleanalyticssim.New()
	if text, err := connect(t, sim, nil).Check(t.Context()); err != nil || !strings.Contains(text, "neither id nor secret") {
		t.Errorf("%q, %v", text, err)
	}
	if sim.Writes() != 0 {
		t.Error("a test wrote something")
	}
	f := connectortest.NewFake(t)
	f.Reply("POST /debug/mp/collect", http.StatusOK, `{"validationMessages":[{"fieldPath":"events","description":"no good","validationCode":"NAME_INVALID"}]}`)
	_, err := connect(t, f, nil).Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonInvalid || !strings.Contains(e.Message, "NAME_INVALID") {
		t.Errorf("a finding: %v", err)
	}
	receiving := connect(t, sim, func(cfg *connectors.Config) { delete(cfg.Secrets, "api_secret"); cfg.Push.Enabled = false })
	if text, err := receiving.Check(t.Context()); err != nil || !strings.Contains(text, "only collects") {
		t.Errorf("%q, %v", text, err)
	}
}
