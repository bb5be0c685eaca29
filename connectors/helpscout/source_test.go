package helpscout_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/helpscout"
	"github.com/stagebridge/stagebridge/secret"
)

func received(t *testing.T, event, body string, change ...func(*connectors.Config)) connectors.RawEvent {
	t.Helper()
	receipt, err := connect(t, "https://api.helpscout.net", change...).Receive(signed("webhook-secret-now", event, []byte(body)))
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("receive: %v", err)
	}
	return receipt.Events[0]
}

// TestSignatureVector was computed outside of this program:
//
//	printf '{"id":4711}' | openssl dgst -sha1 -hmac lb-test-secret-helpscout -binary | base64
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const signature = "4bNA29qdPsds+9pRqyCwVbIwjqs="
	c := connect(t, "https://api.helpscout.net", func(cfg *connectors.Config) {
		cfg.Secrets["webhook_secret"] = []secret.Text{secret.New("lb-test-secret-helpscout")}
	})
	deliver := func(signature, body string) error {
		_, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{
			"X-Helpscout-Signature": {signature}, "X-Helpscout-Event": {"customer.deleted"},
		}})
		return err
	}
	if err := deliver(signature, `{"id":4711}`); err != nil {
		t.Errorf("the vector is refused: %v", err)
	}
	for name, err := range map[string]error{
		"a changed body":      deliver(signature, `{"id":4712}`),
		"a changed signature": deliver("5"+signature[1:], `{"id":4711}`),
		"no base64":           deliver("%", `{"id":4711}`),
	} {
		if !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEventHeader: the header alone names the event.
func TestEventHeader(t *testing.T) {
	t.Parallel()
	c := connect(t, "https://api.helpscout.net")
	for name, change := range map[string]func(http.Header){
		"missing": func(h http.Header) { h.Del("X-Helpscout-Event") },
		"twice":   func(h http.Header) { h.Add("X-Helpscout-Event", "customer.deleted") },
		"empty":   func(h http.Header) { h.Set("X-Helpscout-Event", "\x00") },
	} {
		r := signed("webhook-secret-now", "customer.updated", []byte(goodBody))
		change(r.Header)
		receipt, err := c.Receive(r)
		if err != nil || len(receipt.Events) != 1 || receipt.Events[0].Broken == "" || receipt.Events[0].Type != "unknown" {
			t.Errorf("%s: %+v, %v", name, receipt, err)
		}
	}
	receipt, err := c.Receive(signed("webhook-secret-now", "helpscout.test", []byte("anything")))
	if err != nil || len(receipt.Events) != 0 {
		t.Errorf("the test of the webhooks app: %+v, %v", receipt, err)
	}
	r := signed("webhook-secret-never", "helpscout.test", []byte("anything"))
	if _, err := c.Receive(r); !errors.Is(err, connectors.ErrSignature) {
		t.Errorf("a test that is not proved: %v", err)
	}
	for _, r := range []*connectors.Request{{Method: http.MethodGet}, {Method: http.MethodPost, Path: "/x"}} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
	}
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	first := received(t, "customer.updated", goodBody).Dedupe
	if received(t, "customer.updated", goodBody).Dedupe != first {
		t.Error("the same delivery has another key")
	}
	if received(t, "customer.created", goodBody).Dedupe == first || received(t, "customer.updated", strings.Replace(goodBody, "Dana", "Dora", 1)).Dedupe == first {
		t.Error("another event has the same key")
	}
}

// TestTimes: a conversation's createdAt is not when it was replied to.
func TestTimes(t *testing.T) {
	t.Parallel()
	const created, later = "2026-11-20T09:00:00Z", "2026-11-20T11:00:00Z"
	for _, c := range []struct{ event, body, want string }{
		{"convo.created", `{"id":1,"createdAt":"` + created + `"}`, created},
		{"convo.customer.reply.created", `{"id":1,"createdAt":"` + created + `"}`, ""},
		{"convo.customer.reply.created", `{"id":1,"createdAt":"` + created + `","_embedded":{"threads":[{"createdAt":"` + created + `"},{"createdAt":"` + later + `"}]}}`, later},
		{"convo.status", `{"id":1,"status":"closed","createdAt":"` + created + `","closedAt":"` + later + `"}`, later},
		{"convo.status", `{"id":1,"status":"active","createdAt":"` + created + `","closedAt":"` + later + `"}`, ""},
		{"convo.tags", `{"id":1,"createdAt":"` + created + `"}`, ""},
		{"customer.updated", `{"id":1,"createdAt":"` + created + `","updatedAt":"` + later + `"}`, later},
		{"customer.created", `{"id":1,"createdAt":"` + created + `"}`, created},
		{"customer.deleted", `{"id":1}`, ""},
		{"satisfaction.ratings", `{"id":1,"createdAt":"` + created + `","modifiedAt":"` + later + `"}`, later},
		{"satisfaction.ratings", `{"id":1,"createdAt":"` + created + `"}`, created},
		{"customer.created", `{"id":1,"createdAt":"soon"}`, ""},
	} {
		got := ""
		if at := received(t, c.event, c.body).At; at != 0 {
			got = at.Time().Format("2006-01-02T15:04:05Z07:00")
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.event, c.body, got, c.want)
		}
	}
}

// TestOddMembers: a member of another form than expected does not spoil the
// event, since rules may not need it.
func TestOddMembers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":1,"customer":"Dana"}`, `{"id":1,"_embedded":[]}`, `{"id":1,"_embedded":{"threads":{}}}`, `{"id":1,"emails":"x"}`, `{"id":1,"status":{}}`,
	} {
		if e := received(t, "convo.status", body); e.Broken != "" {
			t.Errorf("%s: %s", body, e.Broken)
		}
	}
	for _, body := range []string{`[]`, `"x"`, `5`, `null`, `{"id":1`} {
		if e := received(t, "convo.status", body); e.Broken == "" {
			t.Errorf("%s is taken for an event", body)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"stage_property":    setting("stage_property", "Lifecycle stage"),
		"segments_property": setting("segments_property", "sb_stage"),
		"mailbox_ids":       setting("mailbox_ids", "3001, support"),
		"base_url":          setting("base_url", "api.helpscout.net"),
		"push.traits":       func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"jobTitle": "x"} },
		"webhook_secret": func(cfg *connectors.Config) {
			cfg.Secrets["webhook_secret"] = []secret.Text{secret.New(strings.Repeat("x", 41))}
		},
	} {
		cfg := conforming()
		change(&cfg)
		_, err := helpscout.Vendor().Open(cfg)
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("customer.updated", []byte(goodBody))
	f.Add("convo.customer.reply.created", []byte(`{"id":1,"_embedded":{"threads":[{"createdAt":5},null]}}`))
	f.Add("satisfaction.ratings", []byte(`{"id":{},"customer":{"id":[]}}`))
	opened, err := helpscout.Vendor().Open(conforming())
	if err != nil {
		f.Fatal(err)
	}
	c := opened.(*helpscout.Connector)
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		receipt, err := c.Receive(signed("webhook-secret-now", event, body))
		if err != nil || len(receipt.Events) != 1 && event != "helpscout.test" {
			t.Fatalf("an authentic request gave %v, %v", receipt, err)
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 100 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || string(e.Body) != string(body) || e.At < 0 {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
