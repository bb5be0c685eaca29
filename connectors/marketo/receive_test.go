package marketo_test

import (
	"errors"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/marketo"
	"github.com/stagebridge/stagebridge/secret"
)

func receiving(t testing.TB, change func(*connectors.Config)) connectors.Source {
	t.Helper()
	cfg := connectors.Config{
		ID: "marketo", Settings: map[string]string{"time_zone": "America/Chicago"},
		Secrets: map[string][]secret.Text{"webhook_token": {secret.New("token-now"), secret.New("token-before")}},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := marketo.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(connectors.Source)
}

func delivery(body string) *connectors.Request {
	return &connectors.Request{
		Method: http.MethodPost, Header: http.Header{"X-Stagebridge-Token": {"token-now"}}, Body: []byte(body),
		Received: time.Date(2026, 11, 20, 9, 14, 7, 0, time.UTC),
	}
}

func TestReceiveProof(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*connectors.Request)
		want   error
	}{
		{"header", func(*connectors.Request) {}, nil},
		{"url", func(r *connectors.Request) { r.Header = http.Header{}; r.Query = "key=token-before" }, nil},
		{"one byte changed", func(r *connectors.Request) { r.Header.Set("X-Stagebridge-Token", "token-noW") }, connectors.ErrSignature},
		{"url with another", func(r *connectors.Request) { r.Header = http.Header{}; r.Query = "key=token-never" }, connectors.ErrSignature},
		{"url twice", func(r *connectors.Request) { r.Header = http.Header{}; r.Query = "key=token-now&key=token-now" }, connectors.ErrSignature},
		{"url unreadable", func(r *connectors.Request) { r.Header = http.Header{}; r.Query = "key=%zz" }, connectors.ErrSignature},
		{"a wrong header is not made up for by the url", func(r *connectors.Request) {
			r.Header.Set("X-Stagebridge-Token", "no")
			r.Query = "key=token-now"
		}, connectors.ErrSignature},
		{"nothing", func(r *connectors.Request) { r.Header = http.Header{} }, connectors.ErrUnsigned},
		{"empty", func(r *connectors.Request) { r.Header.Set("X-Stagebridge-Token", "") }, connectors.ErrUnsigned},
		{"get", func(r *connectors.Request) { r.Method = http.MethodGet }, connectors.ErrUnsupported},
		{"path", func(r *connectors.Request) { r.Path = "/x" }, connectors.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := delivery("event=form_filled&lead_id=1")
			tt.change(r)
			if _, err := receiving(t, nil).Receive(r); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestReceiveTellsEventsApart: Marketo gives no id.
func TestReceiveTellsEventsApart(t *testing.T) {
	t.Parallel()
	key := func(body string, later time.Duration) [32]byte {
		r := delivery(body)
		r.Received = r.Received.Add(later)
		receipt, err := receiving(t, nil).Receive(r)
		if err != nil || len(receipt.Events) != 1 || string(receipt.Reply.Body) != `{"ok":true}` {
			t.Fatalf("%s: %+v, %v", body, receipt, err)
		}
		return receipt.Events[0].Dedupe
	}
	const timed = "event=form_filled&lead_id=1&occurred_at=2026-11-20+03%3A14%3A05"
	if key(timed, 0) != key(timed, time.Hour) {
		t.Error("the same event later is another one")
	}
	if key("event=form_filled&lead_id=1", 0) == key("event=form_filled&lead_id=1", time.Minute) {
		t.Error("without a time, the same act a minute later is lost")
	}
	for _, empty := range []string{"%7B%7Bsystem.dateTime%7D%7D", "null"} {
		if untold := "event=form_filled&lead_id=1&occurred_at=" + empty; key(untold, 0) == key(untold, time.Minute) {
			t.Errorf("with the time %s, the same act a minute later is lost", empty)
		}
	}
	if key(timed, 0) == key("event=form_filled&lead_id=2&occurred_at=2026-11-20+03%3A14%3A05", 0) {
		t.Error("two people have one key")
	}
}

// FuzzReceive gives authentic bytes: always a receipt of one event that fits
// the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		"event=form_filled&lead_id=318592&email=dana%40example.com&occurred_at=2026-11-20+03%3A14%3A05", `{"event":"a","lead_id":1}`,
		`{"event":"a","score":,}`, " {", "{{{{", "event=%7B%7Bmy.X%7D%7D", "&&=;", "%", "null", "\x00", `{"event":{"a":1},"event":"b"}`,
	} {
		f.Add([]byte(seed))
	}
	src := receiving(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		receipt, err := src.Receive(delivery(string(body)))
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		if len(receipt.Events) != 1 {
			t.Fatalf("%d events", len(receipt.Events))
		}
		e := receipt.Events[0]
		if len(e.Type) > 120 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || string(e.Body) != string(body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
