package genericwebhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// receiver is a fake with one route and a connection that sends to it.
func receiver(t testing.TB, change func(*connectors.Config)) (*connectortest.Fake, *Connector) {
	t.Helper()
	f := connectortest.NewFake(t)
	f.Reply("POST /lifecycle", http.StatusNoContent, "")
	cfg := config(map[string]string{"url": f.URL + "/lifecycle"}, time.Now())
	cfg.Secrets["signing_secret"] = []secret.Text{secret.New(specKey)}
	cfg.Push.Enabled = true
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	if change != nil {
		change(&cfg)
	}
	conn, err := Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f, conn.(*Connector)
}

var eventTime = lifecycle.At(time.Date(2026, 1, 10, 9, 19, 58, 0, time.UTC))

// ann moved from trial to customer and into a segment.
func ann() connectors.Update {
	return connectors.Update{
		Person: 17, ID: "u17", Email: "ann@example.com",
		Keys:  []lifecycle.Key{{Namespace: "user", Value: "u-1001"}, {Namespace: "email", Value: "ann@example.com"}, {Namespace: "hubspot-eu", Value: "880011"}},
		Want:  connectors.State{Stage: "customer", Since: eventTime, Segments: []string{"eu", "power_users"}, Absent: []string{"at_risk"}, Traits: map[string]any{"company": "Acme"}},
		Moves: []connectors.Move{{ID: "m1", Seq: 3, At: eventTime, From: "trial", To: "customer", Kind: "forward", Entered: []string{"power_users"}}},
	}
}

func sent(t *testing.T, f *connectortest.Fake) []string {
	t.Helper()
	var lines []string
	for _, r := range f.Requests() {
		var b struct {
			Type string
			Data customer
		}
		if err := json.Unmarshal(r.Body, &b); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s>%s +%v -%v", r.Header.Get("Webhook-Id"), b.Type, b.Data.PreviousStage, b.Data.Stage, b.Data.SegmentsAdded, b.Data.SegmentsRemoved))
	}
	return lines
}

func TestPushVerifiesWithTheReferenceLibrary(t *testing.T) {
	t.Parallel()
	f, c := receiver(t, func(cfg *connectors.Config) {
		cfg.Secrets["signing_secret"] = []secret.Text{secret.New(specKey), secret.New(otherKey)}
	})
	results, err := c.Push(t.Context(), []connectors.Update{ann()})
	if err != nil || results[0].Outcome != connectors.OK || results[0].Sent != 1 {
		t.Fatalf("push = %+v, %v", results, err)
	}
	r := f.Requests()[0]
	for _, key := range []string{specKey, otherKey} { // both, while one is rotated out
		reference, err := standardwebhooks.NewWebhook(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.Verify(r.Body, r.Header); err != nil {
			t.Errorf("the reference refuses it: %v", err)
		}
	}
	want := `{"type":"customer.stage_changed","timestamp":"2026-01-10T09:19:58.000Z","data":{"source":"stagebridge","source_instance":"inst1",` +
		`"profile_id":"17","customer_id":"u-1001","email":"ann@example.com","external_ids":{"hubspot-eu":"880011"},` +
		`"stage":"customer","previous_stage":"trial","stage_changed_at":"2026-01-10T09:19:58.000Z","transition":"forward","sequence":3,` +
		`"segments":["eu","power_users"],"segments_added":["power_users"],"segments_removed":[],"traits":{"company":"Acme"}}}`
	if diff := cmp.Diff(want, string(r.Body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(r.Header.Get("User-Agent"), "stagebridge/") || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers = %v", r.Header)
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	with := func(change func(*connectors.Update)) connectors.Update {
		u := ann()
		change(&u)
		return u
	}
	held := ann().Want
	tests := []struct {
		name   string
		update connectors.Update
		want   []string
	}{
		{"stage", ann(), []string{"msg_sb_inst1_m1 customer.stage_changed trial>customer +[power_users] -[]"}},
		{"segment entered", with(func(u *connectors.Update) {
			u.Moves[0] = connectors.Move{ID: "m2", Entered: []string{"eu"}}
		}), []string{"msg_sb_inst1_m2 customer.segment_entered >customer +[eu] -[]"}},
		{"segment left, stage named", with(func(u *connectors.Update) {
			u.Moves[0] = connectors.Move{ID: "m2", From: "trial", To: "trial", Exited: []string{"eu"}}
			u.Want.Stage = "trial"
		}), []string{"msg_sb_inst1_m2 customer.segment_exited >trial +[] -[eu]"}},
		{"segments both ways", with(func(u *connectors.Update) {
			u.Moves[0] = connectors.Move{ID: "m2", Entered: []string{"a"}, Exited: []string{"b"}}
		}), []string{"msg_sb_inst1_m2 customer.segment_entered >customer +[a] -[]", "msg_sb_inst1_m2-x customer.segment_exited >customer +[] -[b]"}},
		{"two moves, oldest first", with(func(u *connectors.Update) {
			u.Moves = append([]connectors.Move{{ID: "m0", To: "trial"}}, u.Moves...)
		}), []string{"msg_sb_inst1_m0 customer.stage_changed >trial +[] -[]", "msg_sb_inst1_m1 customer.stage_changed trial>customer +[power_users] -[]"}},
		{"resync, nothing known", with(func(u *connectors.Update) { u.Moves = nil }),
			[]string{"msg_sb_inst1_u17 customer.stage_changed >customer +[] -[]"}},
		{"resync, something differs", with(func(u *connectors.Update) {
			u.Moves, u.Known = nil, &connectors.State{Stage: "trial", Segments: []string{"at_risk", "eu"}}
		}), []string{"msg_sb_inst1_u17 customer.stage_changed trial>customer +[power_users] -[at_risk]"}},
		{"resync, nothing differs", with(func(u *connectors.Update) { u.Moves, u.Known = nil, &held }), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, c := receiver(t, nil)
			results, err := c.Push(t.Context(), []connectors.Update{tt.update})
			if err != nil || results[0].Outcome != connectors.OK || results[0].Sent != len(tt.update.Moves) {
				t.Fatalf("push = %+v, %v", results, err)
			}
			if diff := cmp.Diff(tt.want, sent(t, f)); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetriesKeepTheID(t *testing.T) {
	t.Parallel()
	now := time.Unix(1767225600, 0)
	f, c := receiver(t, func(cfg *connectors.Config) {
		cfg.Now = func() time.Time { now = now.Add(time.Second); return now }
	})
	u := ann()
	u.Moves = append(u.Moves, connectors.Move{ID: "m2", From: "customer", To: "advocate", At: eventTime})
	u.Want.Stage = "advocate"
	refuse := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("Webhook-Id"), "m2") {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	f.Fail(refuse)
	first, err := c.Push(t.Context(), []connectors.Update{u})
	if err != nil || first[0].Outcome != connectors.Retry || first[0].Sent != 1 {
		t.Fatalf("push = %+v, %v; want one move sent and a retry", first, err)
	}
	f.Fail(nil)
	u.Moves = u.Moves[first[0].Sent:]
	if again, err := c.Push(t.Context(), []connectors.Update{u}); err != nil || again[0].Outcome != connectors.OK {
		t.Fatalf("push again = %+v, %v", again, err)
	}
	all := f.Requests()
	if len(all) != 3 {
		t.Fatalf("%d requests, want 3", len(all))
	}
	second, third := all[1].Header, all[2].Header
	if second.Get("Webhook-Id") != third.Get("Webhook-Id") || second.Get("Webhook-Timestamp") == third.Get("Webhook-Timestamp") ||
		second.Get("Webhook-Signature") == third.Get("Webhook-Signature") {
		t.Errorf("the retry's headers are %v, the attempt's were %v", third, second)
	}
}

func TestGoneEndsTheSending(t *testing.T) {
	t.Parallel()
	f, c := receiver(t, nil)
	f.Fail(connectortest.Reply(http.StatusGone, ""))
	updates := make([]connectors.Update, batchSize)
	for i := range updates {
		updates[i] = ann()
	}
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Outcome != connectors.Permanent || r.Reason != connectors.ReasonGone {
			t.Fatalf("result %d = %+v", i, r)
		}
	}
	if n := len(f.Requests()); n > 2*requestsRun {
		t.Errorf("%d requests to a receiver that wants no more", n)
	}
}

// TestPeopleGoSideBySide holds every request until as many are there as may
// run at once; one by one they would wait for ever.
func TestPeopleGoSideBySide(t *testing.T) {
	t.Parallel()
	f, c := receiver(t, nil)
	var inFlight atomic.Int64
	all := make(chan struct{})
	f.Handle("POST /lifecycle", func(w http.ResponseWriter, r *http.Request) {
		if inFlight.Add(1) == requestsRun {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
	})
	updates := make([]connectors.Update, requestsRun)
	for i := range updates {
		updates[i] = ann()
	}
	results, err := c.Push(t.Context(), updates)
	if err != nil || results[0].Outcome != connectors.OK {
		t.Errorf("push = %+v, %v", results[0], err)
	}
}

func TestSlowReceiverEndsTheBatch(t *testing.T) {
	t.Parallel()
	now := time.Unix(1767225600, 0)
	var calls atomic.Int64
	_, c := receiver(t, func(cfg *connectors.Config) {
		// The clock stands still until the first request is on its way.
		cfg.Now = func() time.Time {
			if calls.Add(1) > 3 {
				return now.Add(time.Minute)
			}
			return now
		}
	})
	u := ann()
	u.Moves = append(u.Moves, connectors.Move{ID: "m2", From: "customer", To: "advocate"})
	results, err := c.Push(t.Context(), []connectors.Update{u})
	if err != nil || results[0].Outcome != connectors.Retry || results[0].Reason != connectors.ReasonNotDone || results[0].Sent != 1 {
		t.Errorf("push = %+v, %v", results, err)
	}
}

func TestReceiversAuthentication(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settings map[string]string
		header   string
		want     string
	}{
		"bearer":  {map[string]string{"auth": "bearer"}, "Authorization", "Bearer credential-1"},
		"basic":   {map[string]string{"auth": "basic", "auth_username": "sb"}, "Authorization", "Basic c2I6Y3JlZGVudGlhbC0x"},
		"api key": {map[string]string{"auth": "api_key", "auth_header": "x-key"}, "X-Key", "credential-1"},
		"none":    {map[string]string{"auth": "none"}, "Authorization", ""},
		"more":    {map[string]string{"headers": "X-Tenant: acme\n\nX-Other:b:c"}, "X-Other", "b:c"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := receiver(t, func(cfg *connectors.Config) {
				for k, v := range tt.settings {
					cfg.Settings[k] = v
				}
				cfg.Secrets["auth_secret"] = []secret.Text{secret.New("credential-1")}
			})
			if _, err := c.Push(t.Context(), []connectors.Update{ann()}); err != nil {
				t.Fatal(err)
			}
			if got := f.Requests()[0].Header.Get(tt.header); got != tt.want {
				t.Errorf("%s = %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestWithoutURL(t *testing.T) {
	t.Parallel()
	c := connect(t, nil, time.Now(), specKey)
	if text, err := c.Check(t.Context()); err != nil || !strings.Contains(text, "only receives") {
		t.Errorf("check = %q, %v", text, err)
	}
	if _, err := c.Push(t.Context(), []connectors.Update{ann()}); err == nil {
		t.Error("a push went nowhere without an error")
	}
}

func BenchmarkPush(b *testing.B) {
	f := connectortest.NewFake(b)
	f.Fail(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	cfg := config(map[string]string{"url": f.URL}, time.Now())
	cfg.Secrets["signing_secret"] = []secret.Text{secret.New(specKey)}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	conn, err := Vendor().Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	updates := make([]connectors.Update, batchSize)
	for i := range updates {
		updates[i] = ann()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.(*Connector).Push(b.Context(), updates); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batchSize)/b.Elapsed().Seconds(), "posts/s")
}

// TestMovesThatDoNotLeadToTheStage tells the state behind moves of which the
// last ones were left out.
func TestMovesThatDoNotLeadToTheStage(t *testing.T) {
	t.Parallel()
	f, c := receiver(t, nil)
	u := ann()
	u.Moves = []connectors.Move{{ID: "m1", Seq: 3, At: eventTime, From: "", To: "trial", Kind: "forward"}}
	results, err := c.Push(t.Context(), []connectors.Update{u})
	if err != nil || results[0].Outcome != connectors.OK || results[0].Sent != 1 {
		t.Fatalf("push = %+v, %v", results, err)
	}
	var stages []string
	ids := map[string]bool{}
	for _, r := range f.Requests() {
		var b struct{ Data customer }
		if err := json.Unmarshal(r.Body, &b); err != nil {
			t.Fatal(err)
		}
		stages = append(stages, b.Data.PreviousStage+">"+b.Data.Stage+" "+b.Data.Transition)
		ids[r.Header.Get("Webhook-Id")] = true
	}
	if got := strings.Join(stages, ", "); got != ">trial forward, trial>customer resync" || len(ids) != 2 {
		t.Errorf("told %s under %d ids", got, len(ids))
	}
}

// TestUnsettledMovesAreFollowedByTheState tells the state under an id of its
// own where the receiver may have a move already, with an older state in it.
func TestUnsettledMovesAreFollowedByTheState(t *testing.T) {
	t.Parallel()
	f, c := receiver(t, nil)
	u := ann()
	u.Unsettled = true
	if results, err := c.Push(t.Context(), []connectors.Update{u}); err != nil || results[0].Outcome != connectors.OK || results[0].Sent != 1 {
		t.Fatalf("push = %+v, %v", results, err)
	}
	want := []string{"msg_sb_inst1_m1 customer.stage_changed trial>customer +[power_users] -[]", "msg_sb_inst1_u17 customer.stage_changed >customer +[] -[]"}
	if diff := cmp.Diff(want, sent(t, f)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}
