package standin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/genericwebhook"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func start(t testing.TB, h http.Handler) *Server {
	t.Helper()
	s, err := Start(Options{Name: "Receiver", Handler: h})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newSink(t testing.TB, o SinkOptions) *Sink {
	t.Helper()
	o.Secrets = append(o.Secrets, secret.New(key))
	s, err := NewSink(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send posts a message and gives the status, 0 for no answer.
func send(t *testing.T, ctx context.Context, url, method, id string, at time.Time, body string, change func(http.Header)) (int, http.Header) {
	t.Helper()
	reference, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := reference.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at.Unix())}, "Webhook-Signature": {signature}}
	if change != nil {
		change(req.Header)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header
}

func TestSink(t *testing.T) {
	t.Parallel()
	var accepted []Message
	sink := newSink(t, SinkOptions{Accepted: func(m Message) { accepted = append(accepted, m) }})
	s := start(t, sink)
	now := time.Now()
	body := func(stage string, seq int) string {
		return fmt.Sprintf(`{"type":"customer.stage_changed","data":{"profile_id":"17","customer_id":"u-1","stage":%q,"sequence":%d}}`, stage, seq)
	}
	steps := []struct {
		name, id, body string
		at             time.Time
		change         func(http.Header)
		status         int
		stage          string
	}{
		{"first", "m1", body("trial", 1), now, nil, 204, "trial"},
		{"second", "m3", body("advocate", 3), now, nil, 204, "advocate"},
		{"again", "m3", body("advocate", 3), now.Add(time.Second), nil, 204, "advocate"},
		{"late", "m2", body("customer", 2), now, nil, 204, "advocate"},
		{"resync", "u1", body("customer", 0), now, nil, 204, "customer"},
		{"stale", "m5", body("lost", 5), now.Add(-time.Hour), nil, 401, "customer"},
		{"forged", "m5", body("lost", 5), now, func(h http.Header) { h.Set("Webhook-Id", "m6") }, 401, "customer"},
		{"unsigned", "m5", body("lost", 5), now, func(h http.Header) { h.Del("Webhook-Signature") }, 401, "customer"},
		{"unreadable", "m5", "{", now, nil, 400, "customer"},
		{"test", "t1", `{"type":"stagebridge.test","data":{}}`, now, nil, 204, "customer"},
	}
	for _, step := range steps {
		status, header := send(t, t.Context(), s.URL(), "POST", step.id, step.at, step.body, step.change)
		held, _ := sink.Customer("u-1")
		if status != step.status || held.Stage != step.stage || header.Get(Header) != "Receiver" {
			t.Errorf("%s: status %d, stage %q, label %q", step.name, status, held.Stage, header.Get(Header))
		}
	}
	if diff := cmp.Diff(SinkCounts{Accepted: 5, Duplicates: 1, Rejected: 4}, sink.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if len(accepted) != 5 || accepted[1].Customer.Stage != "advocate" || len(sink.Customers()) != 1 {
		t.Errorf("accepted = %+v", accepted)
	}
	if s.Accepted() != 6 || s.Requests() != 10 || s.Label() != "Receiver (simulated)" {
		t.Errorf("%s: %d accepted of %d", s.Label(), s.Accepted(), s.Requests())
	}
}

func TestSinkWithoutSecret(t *testing.T) {
	t.Parallel()
	for _, secrets := range [][]secret.Text{nil, {secret.New("whsec_~")}, {secret.New("whsec_")}} {
		if _, err := NewSink(SinkOptions{Secrets: secrets}); err == nil {
			t.Errorf("a sink with %d secrets was made", len(secrets))
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	status := func(ctx context.Context) int {
		got, _ := send(t, ctx, s.URL(), "POST", "m", time.Now(), "", nil)
		return got
	}
	s.Fail(503, 2)
	if got := []int{status(t.Context()), status(t.Context()), status(t.Context())}; !cmp.Equal(got, []int{503, 503, 200}) {
		t.Errorf("two failures give %v", got)
	}
	s.Fail(500, -1)
	if got := []int{status(t.Context()), status(t.Context())}; !cmp.Equal(got, []int{500, 500}) {
		t.Errorf("all failing gives %v", got)
	}
	s.Heal()
	s.Silent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got := status(ctx); got != 0 || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("silence gives %d", got)
	}
	s.Heal()
	s.Slow(30 * time.Millisecond)
	begun := time.Now()
	if got := status(t.Context()); got != 200 || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("slow gives %d after %v", got, time.Since(begun))
	}
	if s.Accepted() != 2 {
		t.Errorf("%d writes accepted, want 2", s.Accepted())
	}
	s.Slow(time.Hour)
	answered := make(chan int)
	before := s.Requests()
	go func() { answered <- status(t.Context()) }()
	for s.Requests() == before && t.Context().Err() == nil { // until it is there
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := <-answered; got != 0 {
		t.Errorf("a request that was broken off got %d", got)
	}
}

func TestStartAtATakenAddress(t *testing.T) {
	t.Parallel()
	s := start(t, http.NotFoundHandler())
	if _, err := Start(Options{Name: "Receiver", Addr: strings.TrimPrefix(s.URL(), "http://")}); err == nil {
		t.Error("two servers listen at one address")
	}
}

// connection sends to a sink the way the product does.
func connection(t testing.TB, url string) connectors.Destination {
	t.Helper()
	conn, err := genericwebhook.Vendor().Open(connectors.Config{
		ID: "sink", Instance: "inst1", Settings: map[string]string{"url": url},
		Secrets: map[string][]secret.Text{"signing_secret": {secret.New(key)}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn.(connectors.Destination)
}

func moved(n int) []connectors.Update {
	updates := make([]connectors.Update, n)
	for i := range updates {
		updates[i] = connectors.Update{
			Person: lifecycle.ProfileID(i + 1), ID: fmt.Sprintf("u%d", i), Want: connectors.State{Stage: "customer", Segments: []string{"eu"}},
			Moves: []connectors.Move{{ID: fmt.Sprintf("m%d", i), Seq: 1, To: "customer", Kind: "forward"}},
		}
	}
	return updates
}

func TestConnectorToSink(t *testing.T) {
	t.Parallel()
	sink := newSink(t, SinkOptions{})
	s := start(t, sink)
	dest := connection(t, s.URL())
	for range 2 { // the same moves again are the same messages
		results, err := dest.Push(t.Context(), moved(100))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Outcome != connectors.OK || r.Sent != 1 {
				t.Fatalf("result %d = %+v", i, r)
			}
		}
	}
	if diff := cmp.Diff(SinkCounts{Accepted: 100, Duplicates: 100}, sink.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if c, ok := sink.Customer("profile:42"); !ok || c.Stage != "customer" {
		t.Errorf("customer 42 = %+v", c)
	}
	text, err := dest.(connectors.Checker).Check(t.Context())
	if err != nil || !strings.Contains(text, "204") {
		t.Errorf("check = %q, %v", text, err)
	}
}

// BenchmarkConnectorToSink is a push of signed messages over loopback, with
// the receiver's verification in the same process.
func BenchmarkConnectorToSink(b *testing.B) {
	sink := newSink(b, SinkOptions{})
	s := start(b, sink)
	dest := connection(b, s.URL())
	updates := moved(200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dest.Push(b.Context(), updates); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(updates))/b.Elapsed().Seconds(), "messages/s")
}
