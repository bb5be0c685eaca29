package zendesk_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if words, err := open(t, config(v.URL)).Check(t.Context()); err != nil || words != "Signed in as admin@example.com (admin)" {
		t.Errorf("check: %q, %v", words, err)
	}
	for name, tt := range map[string]struct {
		change func(*connectors.Config)
		want   connectors.Reason
	}{
		// Zendesk answers 200 to strangers.
		"wrong token": {func(c *connectors.Config) { c.Secrets["api_token"] = []secret.Text{secret.New("wrong")} }, connectors.ReasonAuth},
		"as OAuth":    {func(c *connectors.Config) { delete(c.Settings, "email") }, connectors.ReasonAuth},
		"no token":    {func(c *connectors.Config) { delete(c.Secrets, "api_token"); c.Push.Enabled = false }, connectors.ReasonSettings},
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

func TestBearer(t *testing.T) {
	t.Parallel()
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"user":{"id":1,"email":"a@example.com","role":"admin"}}`))
	}))
	defer server.Close()
	cfg := config(server.URL)
	delete(cfg.Settings, "email")
	if _, err := open(t, cfg).Check(t.Context()); err != nil || got != "Bearer simulated-zendesk-token" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestReadAndList(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddUser("dana@example.com", []string{"vip"})
	v.AddUser("lee@example.com", nil)
	v.AddUser("ann@example.com", nil)
	c := open(t, config(v.URL))
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"plan_name": "Team"}
	connectortest.Push(t, c, u)
	gone := connectors.Update{VendorID: "99", Email: "nobody@example.com"}
	states, err := c.Read(t.Context(), []connectors.Update{u, {VendorID: dana, Want: u.Want}, gone})
	if diff := cmp.Diff([]*connectors.State{&u.Want, &u.Want, nil}, states); err != nil || diff != "" {
		t.Errorf("%v, states (-want +got):\n%s", err, diff)
	}
	var people []connectors.Listing
	for cursor := ""; ; {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, page.People...)
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	want := connectors.Listing{VendorID: dana, Email: "dana@example.com", State: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Traits: map[string]any{"plan_name": "Team"}}}
	if len(people) != 3 {
		t.Fatalf("listed %+v", people)
	}
	if diff := cmp.Diff(want, people[0]); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, lee, ann := v.AddUser("dana@example.com", nil), v.AddUser("lee@example.com", nil), v.AddUser("ann@example.com", nil)
	v.Pin(ann)
	c := open(t, config(v.URL))
	for _, tt := range []struct {
		who   connectors.Update
		want  connectors.Outcome
		proof string
	}{
		{connectors.Update{VendorID: dana}, connectors.OK, "user " + dana + " deleted, then erased for good: status 200, request simulated-request"},
		{connectors.Update{VendorID: dana}, connectors.OK, "Zendesk has no user " + dana + ", deleted or not"},
		{connectors.Update{Email: "LEE@example.com"}, connectors.OK, "user " + lee + " deleted, then erased for good: status 200, request simulated-request"},
		{connectors.Update{Email: "lee@example.com"}, connectors.OK, "Zendesk has no such user"},
		{connectors.Update{VendorID: ann}, connectors.Permanent, ""},
	} {
		e, err := c.Erase(t.Context(), tt.who)
		if err != nil || e.Outcome != tt.want || e.Proof != tt.proof {
			t.Errorf("%+v: %+v, %v", tt.who, e, err)
		}
		if tt.want == connectors.Permanent && !strings.Contains(e.Message, "open tickets") {
			t.Errorf("message %q", e.Message)
		}
	}
}

// TestEraseByAllAddresses: somebody may be several users, and one of them may
// be a colleague, who is not deleted by an id either.
func TestEraseByAllAddresses(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, home := v.AddUser("dana@example.com", nil), v.AddUser("dana@home.example.com", nil)
	c := open(t, config(v.URL))
	e, err := c.Erase(t.Context(), connectors.Update{
		VendorID: dana, Email: "dana@example.com", Keys: []lifecycle.Key{{Namespace: lifecycle.NamespaceEmail, Value: "dana@home.example.com"}},
	})
	if err != nil || e.Outcome != connectors.OK || !strings.Contains(e.Proof, "user "+dana+" deleted") || !strings.Contains(e.Proof, "user "+home+" deleted") {
		t.Errorf("%+v, %v", e, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/users/show_many", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"users":[{"id":7700,"email":"ann@example.com","role":"admin"}]}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	e, err = open(t, config(server.URL)).Erase(t.Context(), connectors.Update{VendorID: "7700"})
	if err != nil || e.Outcome != connectors.Permanent || !strings.Contains(e.Message, "admin") {
		t.Errorf("a colleague: %+v, %v", e, err)
	}
}

// TestEraseHalfway: a user found by address is not found again once deleted,
// so what is left to do is told at once; with an id it is tried again.
func TestEraseHalfway(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana, lee := v.AddUser("dana@example.com", nil), v.AddUser("lee@example.com", nil)
	mux := http.NewServeMux()
	mux.Handle("/", v)
	mux.HandleFunc("DELETE /api/v2/deleted_users/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	server := httptest.NewServer(mux)
	defer server.Close()
	c := open(t, config(server.URL))
	e, err := c.Erase(t.Context(), connectors.Update{Email: "dana@example.com"})
	if err != nil || e.Outcome != connectors.Permanent || !strings.Contains(e.Message, dana) {
		t.Errorf("by address: %+v, %v", e, err)
	}
	var failed *connectors.PushError
	if _, err := c.Erase(t.Context(), connectors.Update{VendorID: lee}); !errors.As(err, &failed) || !failed.Retryable {
		t.Errorf("by id: %v", err)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v.URL))
	r, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.URL != "https://bridge.example.com/hooks/support" || !slices.Contains(r.Types, "ticket.created") || r.Secrets["signing_secret"].Reveal() != "signing-secret-of-01SIM1" {
		t.Errorf("registration %+v", r)
	}
	again, err := c.Register(t.Context(), []string{"user.created", "user.merged", "trigger.ticket_solved"})
	if err != nil || again.ID != r.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	all, err := c.Registered(t.Context())
	want := []connectors.Registration{{ID: r.ID, URL: r.URL, Types: []string{"user.created", "user.merged"}}}
	if diff := cmp.Diff(want, all); err != nil || diff != "" {
		t.Errorf("%v, registered (-want +got):\n%s", err, diff)
	}
	if err := errors.Join(c.Unregister(t.Context()), c.Unregister(t.Context())); err != nil {
		t.Error(err)
	}
	if all, err := c.Registered(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after removal: %+v, %v", all, err)
	}
	if _, err := c.Register(t.Context(), []string{"trigger.ticket_solved"}); err == nil {
		t.Error("a trigger's event was registered")
	}
}

// TestRegisterNarrow: a plan without ticket events, and the other spelling.
func TestRegisterNarrow(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.Narrow()
	r, err := open(t, config(v.URL)).Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(r.Types, "ticket.created") || !slices.Contains(r.Types, "user.identity_changed") || !slices.Contains(r.Types, "user.merged") {
		t.Errorf("types %v", r.Types)
	}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddUser("dana@example.com", nil)
	c := open(t, config(v.URL))
	ticket := func(requester string) connectors.Lookup {
		return connectors.Lookup{Type: "ticket.created", Body: []byte(`{"detail":{"id":"1","requester_id":"` + requester + `"}}`)}
	}
	records, err := c.Enrich(t.Context(), []connectors.Lookup{ticket(dana), ticket("99"), ticket("no id"), ticket(dana)})
	if err != nil || len(records) != 4 {
		t.Fatalf("%+v, %v", records, err)
	}
	want := `{"contacts":[{"email":"dana@example.com","id":"` + dana + `","name":"dana@example.com","role":"end-user"}],"email":"dana@example.com","id":"` + dana + `","name":"dana@example.com","role":"end-user"}`
	for i, r := range records {
		switch {
		case i == 0 || i == 3:
			if string(r.JSON) != want || r.ModifiedAt == lifecycle.Instant(0) {
				t.Errorf("record %d: %s at %v", i, r.JSON, r.ModifiedAt)
			}
		case r.JSON != nil || r.Err != nil:
			t.Errorf("record %d: %+v", i, r)
		}
	}
	if asked := v.Took(); len(asked) != 1 {
		t.Errorf("asked %v", asked)
	}
	if !json.Valid(records[0].JSON) {
		t.Error("not JSON")
	}
}

func TestOpenListsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := zendesk.Vendor().Open(connectors.Config{
		Settings: map[string]string{"subdomain": "https://acme", "stage_field": "Lifecycle Stage", "tag_prefix": "SB ", "base_url": "acme", "colour": "blue"},
		Push:     connectors.PushConfig{Enabled: true, Traits: map[string]string{"sb stage": "x"}},
	})
	if err == nil {
		t.Fatal("opened")
	}
	for _, field := range []string{"api_token", "subdomain", "stage_field", "tag_prefix", "base_url", "colour", `push.traits: "sb stage"`} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("nothing about %s in: %v", field, err)
		}
	}
	_, err = zendesk.Vendor().Open(connectors.Config{Secrets: map[string][]secret.Text{"api_token": {secret.New("t")}}})
	if err == nil || !strings.Contains(err.Error(), "subdomain") {
		t.Errorf("a token without a subdomain: %v", err)
	}
}
