package segment_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/connectors/segment/segmentsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// connect opens a connection to a stand-in under the settings that it names.
func connect(t *testing.T, h http.Handler, sim *segmentsim.Sim, change func(*connectors.Config)) *segment.Connector {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	settings, secrets := sim.Connection(s.URL)
	cfg := connectors.Config{
		ID: "product", PublicURL: "https://bridge.example.com/hooks/product", Settings: settings, Secrets: map[string][]secret.Text{},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Push: connectors.PushConfig{Enabled: true},
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

func user(id string) []lifecycle.Key { return []lifecycle.Key{{Namespace: "user", Value: id}} }

func TestPushReachesTheWorkspace(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, nil)
	updates := people()
	for range 2 { // the second time everything is a repetition
		for i, r := range push(t, c, updates) {
			if r.Outcome != connectors.Unconfirmed || r.Sent != 1 {
				t.Errorf("result %d = %+v", i, r)
			}
		}
	}
	want := standin.Held{Person: "dana@example.com", Stage: "Customer", Segments: []string{"at_risk"}}
	for _, held := range sim.Held() {
		if held.Person == want.Person && !cmp.Equal(held, want) {
			t.Errorf("held: %s", cmp.Diff(want, held))
		}
	}
	if n := len(sim.Held()); n != len(updates) {
		t.Errorf("%d people are held", n)
	}
	if n := len(sim.Tracks()); n != len(updates) {
		t.Errorf("%d track calls were taken, want one per person: message ids must stay", n)
	}
}

func push(t *testing.T, c *segment.Connector, updates []connectors.Update) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	return results
}

// TestWrongWriteKey is why a push ends unconfirmed.
func TestWrongWriteKey(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, func(cfg *connectors.Config) {
		cfg.Secrets["write_key"] = []secret.Text{secret.New("another-write-key")}
	})
	for _, r := range push(t, c, people()) {
		if r.Outcome != connectors.Unconfirmed {
			t.Errorf("result %+v", r)
		}
	}
	if sim.Writes() != 0 || len(sim.Held()) != 0 {
		t.Error("the stand-in took what was not for it")
	}
}

// TestWhoIsWho: under which id a person is sent.
func TestWhoIsWho(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		keys   []lifecycle.Key
		by     string
		create bool
		want   string
		reason connectors.Reason
	}{
		{"user id", append(user("u-1"), lifecycle.Key{Namespace: "anonymous", Value: "a-1"}), "none", false, "u-1", ""},
		{"anonymous id", []lifecycle.Key{{Namespace: "anonymous", Value: "a-1"}}, "email", true, "a-1", ""},
		{"address", nil, "email", true, "dana@example.com", ""},
		{"address, nobody is to be made", nil, "email", false, "", connectors.ReasonNotInVendor},
		{"nothing", nil, "none", true, "", connectors.ReasonNoIdentity},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim := segmentsim.New()
			c := connect(t, sim, sim, func(cfg *connectors.Config) {
				cfg.Settings["identify_by"], cfg.Push.Create = tt.by, tt.create
			})
			r := push(t, c, []connectors.Update{{ID: "v", Email: "dana@example.com", Keys: tt.keys, Want: connectors.State{Stage: "Trial"}}})[0]
			if tt.want == "" {
				if r.Outcome != connectors.Skipped || r.Reason != tt.reason || sim.Writes() != 0 {
					t.Errorf("result %+v", r)
				}
				return
			}
			if sim.Traits(tt.want)["sb_stage"] != "Trial" {
				t.Errorf("result %+v, held %+v", r, sim.Held())
			}
		})
	}
}

// TestTooLarge: what Segment would drop in silence is refused here, and only
// that.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"note": "note"} })
	updates := people()
	updates[1].Want.Traits = map[string]any{"note": strings.Repeat("x", 33<<10)}
	for i, r := range push(t, c, updates) {
		switch {
		case i == 1 && (r.Outcome != connectors.Permanent || r.Reason != connectors.ReasonTooLarge):
			t.Errorf("result %d = %+v", i, r)
		case i != 1 && r.Outcome != connectors.Unconfirmed:
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if sim.Traits("u-1") != nil {
		t.Error("half of the large person arrived")
	}
}

// TestManyMoves: a Push that fits no single request is several, and where one
// of them fails what arrived before it counts as sent.
func TestManyMoves(t *testing.T) {
	t.Parallel()
	updates := []connectors.Update{{ID: "v", Keys: user("u-1")}, {ID: "w", Keys: user("u-2")}}
	for i := range 3000 {
		updates[0].Moves = append(updates[0].Moves, connectors.Move{ID: fmt.Sprintf("m%d", i), Seq: int64(i + 1), At: lifecycle.At(connectortest.Now), From: "A", To: "B", Kind: "forward"})
	}
	updates[1].Moves = []connectors.Move{{ID: "n", Seq: 1, From: "A", To: "B", Kind: "forward"}}
	sim := segmentsim.New()
	for i, r := range push(t, connect(t, sim, sim, nil), updates) {
		if r.Outcome != connectors.Unconfirmed || r.Sent != len(updates[i].Moves) {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if n := len(sim.Tracks()); n != 3001 || sim.Writes() < 2 {
		t.Errorf("%d track calls in %d requests", n, sim.Writes())
	}

	sim = segmentsim.New()
	requests := 0
	breaking := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests > 1 {
			w.Header().Set("X-RateLimit-Reset", "17")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		sim.ServeHTTP(w, r)
	})
	results := push(t, connect(t, breaking, sim, nil), updates)
	arrived := len(sim.Tracks())
	if r := results[0]; r.Outcome != connectors.Retry || r.Reason != connectors.ReasonRateLimit || r.Delay != 17*time.Second || r.Sent != arrived || arrived == 0 {
		t.Errorf("%d arrived, result %+v", arrived, r)
	}
	if r := results[1]; r.Outcome != connectors.Retry || r.Sent != 0 {
		t.Errorf("the person whose turn did not come: %+v", r)
	}
	if requests != 2 {
		t.Errorf("%d requests after being told to wait", requests)
	}
}

// TestOneRequestRefused: a 400 is about the calls of that request.
func TestOneRequestRefused(t *testing.T) {
	t.Parallel()
	var updates []connectors.Update
	for i := range 40 {
		updates = append(updates, connectors.Update{ID: fmt.Sprintf("v%d", i), Keys: user(fmt.Sprintf("u-%d", i)), Want: connectors.State{Traits: map[string]any{"note": strings.Repeat("x", 20<<10)}}})
	}
	sim := segmentsim.New()
	requests := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			connectortest.Reply(http.StatusBadRequest, `{"success":false,"message":"malformed"}`)(w, r)
			return
		}
		sim.ServeHTTP(w, r)
	})
	count := map[connectors.Outcome]int{}
	for _, r := range push(t, connect(t, h, sim, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"note": "note"} }), updates) {
		count[r.Outcome]++
	}
	if requests != 2 || count[connectors.Permanent] == 0 || count[connectors.Unconfirmed] != len(sim.Held()) || count[connectors.Permanent]+count[connectors.Unconfirmed] != 40 {
		t.Errorf("%d requests, %v, %d people held", requests, count, len(sim.Held()))
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	for name, tt := range map[string]struct {
		change func(*connectors.Config)
		want   string
		reason connectors.Reason
	}{
		"token":       {nil, `"Simulated workspace"`, ""},
		"wrong token": {func(c *connectors.Config) { c.Secrets["public_api_token"] = []secret.Text{secret.New("wrong-token")} }, "", connectors.ReasonAuth},
		"write key":   {func(c *connectors.Config) { delete(c.Secrets, "public_api_token") }, "stagebridge-connection-test", ""},
		"nothing": {func(c *connectors.Config) {
			delete(c.Secrets, "public_api_token")
			delete(c.Secrets, "write_key")
			c.Push.Enabled = false
		}, "only receives", ""},
	} {
		text, err := connect(t, sim, sim, tt.change).Check(t.Context())
		if reason := reasonOf(err); reason != tt.reason || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func reasonOf(err error) connectors.Reason {
	var e *connectors.PushError
	if errors.As(err, &e) {
		return e.Reason
	}
	return connectors.ReasonNone
}

func TestErase(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, nil)
	push(t, c, people())
	got, err := c.Erase(t.Context(), connectors.Update{Keys: append(user("u-1"), user("u-99")...)})
	if err != nil || got.Outcome != connectors.Submitted || got.Proof != "regulation reg-1" {
		t.Errorf("erased = %+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"u-1", "u-99"}, sim.Erased()); diff != "" || sim.Traits("u-1") != nil {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
	got, err = c.Erase(t.Context(), connectors.Update{Email: "dana@example.com"})
	if err != nil || got.Outcome != connectors.Skipped || got.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	one := connect(t, sim, sim, func(cfg *connectors.Config) { cfg.Settings["source_id"] = "src 1" })
	if _, err := one.Erase(t.Context(), connectors.Update{Keys: user("u-2")}); err != nil || len(sim.Erased()) != 3 {
		t.Errorf("from one source: %v", err)
	}
	bare := connect(t, sim, sim, func(cfg *connectors.Config) { delete(cfg.Secrets, "public_api_token") })
	if _, err := bare.Erase(t.Context(), connectors.Update{Keys: user("u-2")}); reasonOf(err) != connectors.ReasonSettings {
		t.Errorf("without a token: %v", err)
	}
}

// TestOwnMessagesAreEchoes: what was pushed comes back by Segment's webhook and
// is known again, another installation's is not.
func TestOwnMessagesAreEchoes(t *testing.T) {
	t.Parallel()
	for _, instance := range []string{"instance-1", "an instance with a name that is far too long for a message id", "a_b"} {
		cfg := conforming()
		cfg.Instance = instance
		mine := open(t, cfg)
		cfg.Instance = "other"
		other := open(t, cfg)
		f := connectortest.NewFake(t)
		f.Reply("POST /v1/batch", http.StatusOK, `{"success":true}`)
		cfg.Instance, cfg.Settings["base_url"], cfg.Push.Enabled = instance, f.URL, true
		cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
		updates := people()
		updates[0].ID, updates[0].Moves[0].ID = strings.Repeat("v", 200), strings.Repeat("m", 200)
		push(t, open(t, cfg), updates)
		body := f.Requests()[0].Body
		for c, want := range map[*segment.Connector]string{mine: "messageId", other: ""} {
			rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Path: "/v1/batch", Body: body, Header: http.Header{"Authorization": {basic("server-write-key-now:")}}})
			if err != nil || len(rc.Events) < 8 {
				t.Fatalf("%d events, %v", len(rc.Events), err)
			}
			for _, e := range rc.Events {
				if e.Echo != want || e.Broken != "" {
					t.Errorf("%s: echo %q, broken %q", instance, e.Echo, e.Broken)
				}
			}
		}
	}
}
