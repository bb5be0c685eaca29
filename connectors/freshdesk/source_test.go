package freshdesk_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/secret"
)

func receiving(t testing.TB, keys ...secret.Text) *freshdesk.Connector {
	t.Helper()
	c, err := freshdesk.Vendor().Open(connectors.Config{
		ID: "helpdesk", PublicURL: "https://bridge.example.com/hooks/helpdesk", Settings: map[string]string{"domain": "acme"},
		Secrets: map[string][]secret.Text{"webhook_secret": keys, "api_key": {secret.New("the-api-key")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*freshdesk.Connector)
}

func TestProofs(t *testing.T) {
	t.Parallel()
	c := receiving(t, secret.New("now & then"), secret.New("before"), secret.Text{})
	for name, tt := range map[string]struct {
		query  string
		header http.Header
		want   error
	}{
		"in the URL":          {query: "key=now+%26+then"},
		"the one before":      {query: "key=before"},
		"one byte off":        {query: "key=befors", want: connectors.ErrSignature},
		"empty":               {query: "key=", want: connectors.ErrUnsigned},
		"twice":               {query: "key=before&key=before", want: connectors.ErrSignature},
		"broken query":        {query: "key=%zz", want: connectors.ErrSignature},
		"as the password":     {header: http.Header{"Authorization": {"Basic YW55Ym9keTpiZWZvcmU="}}}, // anybody:before
		"as an API key":       {header: http.Header{"Authorization": {"Basic YmVmb3JlOlg="}}},         // before:X
		"wrong password":      {header: http.Header{"Authorization": {"Basic YTpi"}}, want: connectors.ErrSignature},
		"another scheme":      {header: http.Header{"Authorization": {"Bearer before"}}, want: connectors.ErrSignature},
		"empty password":      {header: http.Header{"Authorization": {"Basic Og=="}}, want: connectors.ErrUnsigned},
		"header before query": {query: "key=before", header: http.Header{"X-Webhook-Key": {"wrong"}}, want: connectors.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &connectors.Request{Method: http.MethodPost, Query: tt.query, Header: tt.header, Body: goodBody}
			if _, err := c.Receive(r); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	if _, err := c.Receive(&connectors.Request{Method: http.MethodGet, Query: "key=before"}); !errors.Is(err, connectors.ErrUnsupported) {
		t.Errorf("GET: %v", err)
	}
}

// TestNeedsRecord: only a ticket whose webhook names no address is looked up.
func TestNeedsRecord(t *testing.T) {
	t.Parallel()
	c := receiving(t, secret.New("before"))
	for body, want := range map[string]bool{
		`{"event":"ticket_solved","ticket_id":"4521","email":"dana@example.com"}`:                                                             false,
		`{"event":"ticket_solved","ticket_id":4521,"email":" "}`:                                                                              true,
		`{"event":"ticket_solved","ticket_id":"{{ticket.id}}"}`:                                                                               false,
		`{"freshdesk_webhook":{"ticket_id":4521}}`:                                                                                            true,
		`<freshdesk_webhook><ticket_id>4521</ticket_id></freshdesk_webhook>`:                                                                  true,
		`<freshdesk_webhook><ticket_id>4521</ticket_id><ticket_requester_email>dana@example.com</ticket_requester_email></freshdesk_webhook>`: false,
	} {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Query: "key=before", Body: []byte(body)})
		if err != nil || len(rc.Events) != 1 || rc.Events[0].Broken != "" || rc.Events[0].NeedsRecord != want {
			t.Errorf("%s: %+v, %v, want %v", body, rc, err, want)
		}
	}
}

func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		string(goodBody), "{}", "null", "[]", `{"event":"\u0000"}`, `{"freshdesk_webhook":{"ticket_id":1}}`, `{"freshdesk_webhook":7,"event":"x","time":"2026-11-20T09:00:00Z"}`,
		`<freshdesk_webhook><ticket_id>1</ticket_id></freshdesk_webhook>`, `<!DOCTYPE a [<!ENTITY b "c">]><freshdesk_webhook>&b;</freshdesk_webhook>`, "<", "<a>\xff</a>",
	} {
		f.Add([]byte(seed))
	}
	c := receiving(f, secret.New("before"))
	f.Fuzz(func(t *testing.T, body []byte) {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Query: "key=before", Body: body})
		if err != nil || len(rc.Events) != 1 {
			t.Fatalf("an authentic request gives %+v, %v", rc, err)
		}
		e := rc.Events[0]
		if e.Type == "" || len(e.Type) > 120 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || !bytes.Equal(e.Body, body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
