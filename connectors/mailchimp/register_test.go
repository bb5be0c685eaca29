package mailchimp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

// hears serves a connection as the product would, and keeps what arrives.
type hears struct {
	url string

	mu     sync.Mutex
	c      *mailchimp.Connector
	events []connectors.RawEvent
	last   error
}

func newHears(t *testing.T) *hears {
	t.Helper()
	h := &hears{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		receipt, err := h.c.Receive(&connectors.Request{
			Method: r.Method, URL: h.url + r.URL.RequestURI(), Query: r.URL.RawQuery, Header: r.Header, Body: body,
		})
		h.last = err
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.events = append(h.events, receipt.Events...)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hears) open(t *testing.T, cfg connectors.Config) *mailchimp.Connector {
	c := open(t, cfg)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.c = c
	return c
}

// deliver sends what the vendor has queued and gives the types that arrived.
func (h *hears) deliver(t *testing.T, v *vendor) []string {
	t.Helper()
	for _, d := range v.Take() {
		if err := v.Send(t.Context(), d); err != nil {
			t.Fatalf("deliver %s: %v (%v)", d.Type, err, h.last)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var types []string
	for _, e := range h.events {
		types = append(types, e.Type)
	}
	h.events = nil
	return types
}

func TestRegister(t *testing.T) {
	t.Parallel()
	v, h := newVendor(t, mailchimpsim.Options{Probe: true}), newHears(t)
	cfg := config(v)
	cfg.PublicURL = h.url
	c := h.open(t, cfg)
	r, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	if diff := cmp.Diff([]string{"cleaned", "profile", "subscribe", "unsubscribe", "upemail"}, r.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	signing, key := r.Secrets["signing_secret"], r.Secrets["webhook_secret"]
	if signing.Empty() || len(key.Reveal()) < 20 || strings.Contains(r.URL, key.Reveal()) {
		t.Fatalf("registration %+v", r)
	}
	cfg.Secrets["signing_secret"], cfg.Secrets["webhook_secret"] = []secret.Text{signing}, []secret.Text{key}
	c = h.open(t, cfg)

	// What people do arrives; what we do does not come back.
	v.Subscribe("dana@example.com", map[string]any{"FNAME": "Dana"})
	if r := connectortest.Push(t, c, person("dana@example.com", "Customer", []string{"x"}, nil))[0]; connectortest.Outcome(r) != "ok" {
		t.Fatalf("push: %+v", r)
	}
	for _, err := range []error{
		v.Edit("dana@example.com", map[string]any{"LNAME": "Reed"}), v.ChangeEmail("dana@example.com", "dana.new@example.com"),
		v.Unsubscribe("dana.new@example.com", "manual"), v.Clean("dana.new@example.com", "hard"), v.Remove("dana.new@example.com"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"subscribe", "profile", "upemail", "unsubscribe", "cleaned", "unsubscribe"}
	if diff := cmp.Diff(want, h.deliver(t, v)); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}

	// A second time nothing is made and nothing written.
	before := v.Counts().Webhooks
	again, err := c.Register(t.Context(), nil)
	if err != nil || again.ID != r.ID || len(again.Secrets) != 0 || v.Counts().Webhooks != before {
		t.Errorf("registered again: %+v, %v", again, err)
	}
	// Other types change the one that is there.
	if _, err := c.Register(t.Context(), []string{"subscribe", "mandrill.open"}); err != nil {
		t.Fatalf("register one type: %v", err)
	}
	all, err := c.Registered(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != r.ID || all[0].URL != h.url || !cmp.Equal(all[0].Types, []string{"subscribe"}) {
		t.Errorf("registered: %+v, %v", all, err)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Fatalf("unregister: %v", err)
		}
	}
	if all, err := c.Registered(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after unregistering: %+v, %v", all, err)
	}
}

// TestRegisterTakesOver: a webhook made by hand, with API changes on and no
// secret in its URL, is brought in line.
func TestRegisterTakesOver(t *testing.T) {
	t.Parallel()
	v, h := newVendor(t, mailchimpsim.Options{Unsigned: true}), newHears(t)
	v.AddWebhook(h.url+"?key=old", "")
	v.AddWebhook("https://other.example.com/hooks", "")
	cfg := config(v)
	cfg.PublicURL = h.url
	cfg.Secrets["webhook_secret"] = []secret.Text{secret.New("new key/1"), secret.New("old")}
	c := h.open(t, cfg)
	r, err := c.Register(t.Context(), nil)
	if err != nil || len(r.Secrets) != 0 {
		t.Fatalf("register: %+v, %v", r, err)
	}
	v.Subscribe("dana@example.com", nil)
	queued := v.Take()
	if len(queued) != 2 || queued[0].URL != h.url+"?key="+url.QueryEscape("new key/1") {
		t.Fatalf("queued %+v", queued)
	}
	if err := v.Send(t.Context(), queued[0]); err != nil {
		t.Errorf("deliver: %v (%v)", err, h.last)
	}
	if err := c.Unregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.Subscribe("lee@example.com", nil)
	if queued := v.Take(); len(queued) != 1 || !strings.HasPrefix(queued[0].URL, "https://other.example.com/") {
		t.Errorf("the webhook of somebody else: %+v", queued)
	}
}

func TestRegisterRefusals(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	for _, tt := range []struct {
		name   string
		change func(*connectors.Config)
		types  []string
	}{
		{"unknown type", func(*connectors.Config) {}, []string{"open"}},
		{"types of the other product only", func(*connectors.Config) {}, []string{"mandrill.open"}},
		{"no audience", func(c *connectors.Config) { delete(c.Settings, "audience_id"); c.Push.Enabled = false }, nil},
		{"no public URL", func(c *connectors.Config) { c.PublicURL = "" }, nil},
	} {
		cfg := config(v)
		tt.change(&cfg)
		_, err := open(t, cfg).Register(t.Context(), tt.types)
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if n := v.Counts().Webhooks; n != 0 {
		t.Errorf("%d webhooks", n)
	}
}

// TestErrorsHideTheURLSecret: the vendor may repeat the URL in its words.
func TestErrorsHideTheURLSecret(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	cfg.Secrets["webhook_secret"] = []secret.Text{secret.New("hidden-url-key")}
	v.Fail(mailchimpsim.Fault{Times: -1, Method: http.MethodPost, Status: 400, Body: problem("Invalid Resource", "we could not connect to bridge?key=hidden-url-key with "+apiKey)})
	_, err := open(t, cfg).Register(t.Context(), nil)
	if err == nil || strings.Contains(err.Error(), "hidden-url-key") || strings.Contains(err.Error(), apiKey) {
		t.Errorf("the error: %v", err)
	}
}

// TestEchoesAreListed: where the webhook reports API changes, an event lists
// what the push said it wrote.
func TestEchoesAreListed(t *testing.T) {
	t.Parallel()
	v, h := newVendor(t, mailchimpsim.Options{Echo: true}), newHears(t)
	cfg := config(v)
	cfg.PublicURL = h.url
	cfg.Settings["api_changes"] = "on"
	cfg.Secrets["signing_secret"] = []secret.Text{secret.New(v.AddWebhook(h.url, ""))}
	c := h.open(t, cfg)
	v.AddMember("dana@example.com", "", map[string]any{"COMPANY": "Acme"})
	wrote := connectortest.Push(t, c, person("Dana@example.com", "Customer", nil, nil))[0].Written
	for _, d := range v.Take() {
		if err := v.Send(t.Context(), d); err != nil {
			t.Fatalf("deliver: %v", err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) != 1 || len(wrote) == 0 {
		t.Fatalf("%d events, wrote %v", len(h.events), wrote)
	}
	if diff := cmp.Diff(wrote, h.events[0].Written); diff != "" {
		t.Errorf("fields (-written +reported):\n%s", diff)
	}
	h.events = nil

	// A person's own change is never the state that we left.
	if err := v.Edit("dana@example.com", map[string]any{"FNAME": "Dan"}); err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Take() {
		h.mu.Unlock()
		err := v.Send(t.Context(), d)
		h.mu.Lock()
		if err != nil {
			t.Fatalf("deliver: %v", err)
		}
	}
	if len(h.events) != 1 || cmp.Equal(wrote, h.events[0].Written) {
		t.Errorf("the edit: %+v", h.events)
	}
}
