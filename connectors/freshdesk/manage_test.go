package freshdesk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if words, err := open(t, config(v.URL)).Check(t.Context()); err != nil || words != "The API key of Ann Admin (admin@example.com)" {
		t.Errorf("check: %q, %v", words, err)
	}
	for name, tt := range map[string]struct {
		change func(*connectors.Config)
		want   connectors.Reason
	}{
		"wrong key": {func(c *connectors.Config) { c.Secrets["api_key"] = []secret.Text{secret.New("wrong")} }, connectors.ReasonAuth},
		"no key":    {func(c *connectors.Config) { delete(c.Secrets, "api_key"); c.Push.Enabled = false }, connectors.ReasonSettings},
	} {
		cfg := config(v.URL)
		tt.change(&cfg)
		_, err := open(t, cfg).Check(t.Context())
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != tt.want || e.Retryable {
			t.Errorf("%s: %v, want reason %s", name, err, tt.want)
		}
	}
}

func TestReadAndList(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.PageSize(2)
	dana := v.AddContact("dana@example.com", []string{"vip"})
	v.AddContact("lee@example.com", []string{"SB:dormant"})
	v.AddContact("ann@example.com", nil)
	c := open(t, config(v.URL))
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"Plan name": "Team"}
	connectortest.Push(t, c, u)
	// A connection that has not pushed yet knows no fields.
	c = open(t, config(v.URL))
	states, err := c.Read(t.Context(), []connectors.Update{u, {VendorID: dana, Want: u.Want}, {VendorID: "99", Email: "nobody@example.com"}, {}})
	if diff := cmp.Diff([]*connectors.State{&u.Want, &u.Want, nil, nil}, states); err != nil || diff != "" {
		t.Errorf("%v, states (-want +got):\n%s", err, diff)
	}
	var listed []connectors.Listing
	for cursor := ""; ; {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, page.People...)
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	want := []connectors.Listing{
		{VendorID: dana, Email: "dana@example.com", State: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Traits: map[string]any{"Plan name": "Team"}}},
		{VendorID: "8800002", Email: "lee@example.com", State: connectors.State{Segments: []string{"dormant"}, Traits: map[string]any{"Plan name": nil}}},
		{VendorID: "8800003", Email: "ann@example.com", State: connectors.State{Traits: map[string]any{"Plan name": nil}}},
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, lee, ann := v.AddContact("dana@example.com", nil), v.AddContact("lee@example.com", nil), v.AddContact("ann@example.com", nil)
	v.Delete(lee)
	v.Block(ann)
	c := open(t, config(v.URL))
	proof := func(id string) string {
		return "contact " + id + " and its tickets deleted for good: status 204, request simulated-request"
	}
	for _, tt := range []struct {
		who  connectors.Update
		want string
	}{
		{connectors.Update{VendorID: dana, Email: "dana@example.com"}, proof(dana)},
		{connectors.Update{VendorID: dana, Email: "dana@example.com"}, "Freshdesk has no such contact"},
		{connectors.Update{Email: "Lee@example.com"}, proof(lee)},
		{connectors.Update{Email: "ann@example.com"}, proof(ann)},
		{connectors.Update{}, "Freshdesk has no such contact"},
	} {
		if e, err := c.Erase(t.Context(), tt.who); err != nil || e.Outcome != connectors.OK || e.Proof != tt.want {
			t.Errorf("%+v: %+v, %v", tt.who, e, err)
		}
	}
	for status, want := range map[int]string{503: "error", 401: "error", 403: "permanent"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		got := "error"
		if e, err := open(t, config(server.URL)).Erase(t.Context(), connectors.Update{VendorID: "7"}); err == nil {
			got = string(e.Outcome)
		}
		server.Close()
		if got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddContact("dana@example.com", nil)
	v.AddTicket("4521", dana)
	c := open(t, config(v.URL))
	records, err := c.Enrich(t.Context(), []connectors.Lookup{
		{Type: "ticket_solved", Body: []byte(`{"event":"ticket_solved","ticket_id":"4521","email":""}`)},
		{Type: "freshdesk_webhook", Body: []byte(`{"freshdesk_webhook":{"ticket_id":4521}}`)},
		{Type: "freshdesk_webhook", Body: []byte(`<freshdesk_webhook><ticket_id>4521</ticket_id></freshdesk_webhook>`)},
		{Type: "ticket_solved", Body: []byte(`{"event":"ticket_solved","ticket_id":"99"}`)},
		{Type: "ticket_solved", Body: []byte(`{"event":"ticket_solved","ticket_id":"../agents"}`)},
	})
	if err != nil || len(records) != 5 {
		t.Fatalf("%+v, %v", records, err)
	}
	person := `{"email":"dana@example.com","id":"` + dana + `","name":"dana@example.com"}`
	want := `{"contacts":[` + person + `],` + person[1:]
	for i, r := range records {
		switch {
		case i < 3 && string(r.JSON) != want:
			t.Errorf("record %d: %s", i, r.JSON)
		case i >= 3 && (r.JSON != nil || r.Err != nil):
			t.Errorf("record %d: %+v", i, r)
		}
	}
	if asked := v.Took(); len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	var e *connectors.PushError
	if _, err := open(t, config(server.URL)).Enrich(t.Context(), []connectors.Lookup{{Body: []byte(`{"ticket_id":"4521"}`)}}); !errors.As(err, &e) || !e.Retryable {
		t.Errorf("while Freshdesk is away: %v", err)
	}
}

func TestOpenListsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := freshdesk.Vendor().Open(connectors.Config{
		Settings: map[string]string{"domain": "https://acme", "stage_field": "stage!", "tag_prefix": "sb,", "calls_per_minute": "many", "poll_contacts": "maybe", "base_url": "acme", "colour": "blue"},
		Push:     connectors.PushConfig{Enabled: true, Traits: map[string]string{"a.b": "x"}},
	})
	if err == nil {
		t.Fatal("opened")
	}
	for _, field := range []string{"api_key", "domain", "stage_field", "tag_prefix", "calls_per_minute", "poll_contacts", "base_url", "colour", `push.traits: "a.b"`} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("nothing about %s in: %v", field, err)
		}
	}
	_, err = freshdesk.Vendor().Open(connectors.Config{Secrets: map[string][]secret.Text{"api_key": {secret.New("k")}}})
	if err == nil || !strings.Contains(err.Error(), "domain") {
		t.Errorf("a key without a domain: %v", err)
	}
}
