package churnzero_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/churnzero"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func receiver(t *testing.T, change func(*connectors.Config)) connectors.Source {
	t.Helper()
	cfg := conforming()
	if change != nil {
		change(&cfg)
	}
	c, err := churnzero.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(connectors.Source)
}

func step(t *testing.T, src connectors.Source, body string, at time.Time) connectors.RawEvent {
	t.Helper()
	receipt, err := src.Receive(&connectors.Request{Method: http.MethodPost, Path: "/url-secret-now", Body: []byte(body), Received: at})
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("receipt = %+v, %v", receipt, err)
	}
	return receipt.Events[0]
}

var noon = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

// TestOnceADay: a step has no id, so one play tells of one contact once a day.
func TestOnceADay(t *testing.T) {
	t.Parallel()
	src := receiver(t, nil)
	first := step(t, src, `{"event":"churned","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1","reason":"a"}`, noon)
	for name, test := range map[string]struct {
		body string
		at   time.Time
		same bool
	}{
		"later that day, other words": {`{"event":"churned","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1","reason":"b"}`, noon.Add(11 * time.Hour), true},
		"the next day":                {`{"event":"churned","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1"}`, noon.Add(13 * time.Hour), false},
		"another contact":             {`{"event":"churned","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-2"}`, noon, false},
		"another account":             {`{"event":"churned","play":"P","step":"s","accountExternalId":"acm","contactExternalId":"eu-1"}`, noon, false},
		"another play":                {`{"event":"churned","play":"Q","step":"s","accountExternalId":"acme","contactExternalId":"u-1"}`, noon, false},
		"another event":               {`{"event":"trial_ended","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1"}`, noon, false},
		"another time told":           {`{"event":"churned","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1","occurredAt":"2025-12-01"}`, noon, false},
	} {
		if got := step(t, src, test.body, test.at).Dedupe == first.Dedupe; got != test.same {
			t.Errorf("%s: the same event is %v", name, got)
		}
	}
	// A date that never changes, such as the start of a contract, tells no two
	// days apart.
	fixed := `{"event":"health_changed","play":"P","step":"s","accountExternalId":"acme","contactExternalId":"u-1","occurredAt":"2025-01-01"}`
	if step(t, src, fixed, noon).Dedupe == step(t, src, fixed, noon.Add(7*24*time.Hour)).Dedupe {
		t.Error("what happened a week later is lost")
	}
	if step(t, src, `{"event":"churned","n":"1"}`, noon).Dedupe == step(t, src, `{"event":"churned","n":"2"}`, noon).Dedupe {
		t.Error("two steps that name nobody are one event")
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	src := receiver(t, nil)
	at := func(text string) lifecycle.Instant {
		got, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return lifecycle.At(got)
	}
	for text, want := range map[string]lifecycle.Instant{
		"2026-01-10": 0, "2026-01-09": 0, "2026-01-11": 0, // says less than the time of arrival
		"2025-12-01": at("2025-12-01T00:00:00Z"), "2026-01-10T09:20:00+02:00": at("2026-01-10T07:20:00Z"),
		"01/10/2026": 0, "": 0, "soon": 0, "9999-12-31T23:59:59Z": 0,
	} {
		if got := step(t, src, `{"event":"churned","occurredAt":"`+text+`"}`, noon).At; got != want {
			t.Errorf("%q is %v, want %v", text, got.Time(), want.Time())
		}
	}
}

func TestOwnPlaysAreEchoes(t *testing.T) {
	t.Parallel()
	body := `{"event":"lifecycle_changed","play":"SB stage moved","accountExternalId":"acme","contactExternalId":"u-1"}`
	if step(t, receiver(t, nil), body, noon).Echo == "" {
		t.Error("a play on our own attributes is no echo")
	}
	if e := step(t, receiver(t, nil), `{"event":"churned","play":"SBM churn"}`, noon); e.Echo != "" {
		t.Errorf("another play is an echo: %s", e.Echo)
	}
	off := receiver(t, func(cfg *connectors.Config) { cfg.Settings["own_plays"] = "-" })
	if e := step(t, off, body, noon); e.Echo != "" {
		t.Errorf("switched off, yet an echo: %s", e.Echo)
	}
}

func TestWaysOfAsking(t *testing.T) {
	t.Parallel()
	src := receiver(t, nil)
	for name, test := range map[string]struct {
		r      connectors.Request
		events int
		want   error
	}{
		"a look at the address":  {connectors.Request{Method: http.MethodGet, Path: "/url-secret-now"}, 0, nil},
		"fields in the query":    {connectors.Request{Method: http.MethodGet, Path: "/url-secret-now", Query: "event=churned"}, 1, nil},
		"the same with POST":     {connectors.Request{Method: http.MethodPost, Path: "/url-secret-now", Query: "event=churned"}, 1, nil},
		"a HEAD before it":       {connectors.Request{Method: http.MethodHead, Path: "/url-secret-now", Query: "event=churned"}, 0, nil},
		"another method":         {connectors.Request{Method: http.MethodPut, Path: "/url-secret-now"}, 0, connectors.ErrUnsupported},
		"without the secret":     {connectors.Request{Method: http.MethodGet, Query: "event=churned"}, 0, connectors.ErrUnsigned},
		"the secret in no place": {connectors.Request{Method: http.MethodGet, Query: "key=url-secret-now"}, 0, connectors.ErrUnsigned},
		"more behind it":         {connectors.Request{Method: http.MethodGet, Path: "/url-secret-now/x"}, 0, connectors.ErrSignature},
	} {
		r := test.r
		r.Header, r.Received = http.Header{}, noon
		receipt, err := src.Receive(&r)
		if !errors.Is(err, test.want) || err == nil && len(receipt.Events) != test.events {
			t.Errorf("%s: %+v, %v", name, receipt, err)
		}
	}
}

// TestSecretsThatAddressesEscape fit as they are typed and as they are sent.
func TestSecretsThatAddressesEscape(t *testing.T) {
	t.Parallel()
	src := receiver(t, func(cfg *connectors.Config) { cfg.Secrets["url_secret"] = []secret.Text{secret.New("50% of a secret")} })
	for _, path := range []string{"/50% of a secret", "/50%25%20of%20a%20secret"} {
		if _, err := src.Receive(&connectors.Request{Method: http.MethodGet, Path: path}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// FuzzReceive gives bytes to all three readers: an authentic request is always
// a receipt, and every raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"event":"churned","play":"P","accountExternalId":"a","occurredAt":"2026-01-10"}`, `{"event":7,"play":null}`, "event=churned&play=SB+x", "%", "", "[", "\xff",
	} {
		for way := range 3 {
			f.Add([]byte(seed), way)
		}
	}
	c, err := churnzero.Vendor().Open(conforming())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, way int) {
		r := &connectors.Request{Method: http.MethodPost, Path: "/url-secret-now", Header: http.Header{}, Body: body, Received: noon}
		switch way {
		case 1:
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		case 2:
			r.Method, r.Query, r.Body = http.MethodGet, string(body), nil
		}
		receipt, err := c.(connectors.Source).Receive(r)
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 100 || e.Dedupe == [32]byte{} || len(e.Body) != len(body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
