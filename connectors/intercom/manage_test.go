package intercom_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/intercom"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if words, err := open(t, config(v.URL)).Check(t.Context()); err != nil || words != `Workspace "Example Ltd" (ab12cd34)` {
		t.Errorf("check: %q, %v", words, err)
	}
	for name, tt := range map[string]struct {
		change func(*connectors.Config)
		want   connectors.Reason
	}{
		"wrong token":         {func(c *connectors.Config) { c.Secrets["access_token"] = []secret.Text{secret.New("wrong")} }, connectors.ReasonAuth},
		"no token":            {func(c *connectors.Config) { delete(c.Secrets, "access_token"); c.Push.Enabled = false }, connectors.ReasonSettings},
		"another workspace's": {func(c *connectors.Config) { c.Settings["workspace_id"] = "zz99" }, connectors.ReasonSettings},
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
	var tags []string
	for i := range 12 {
		tags = append(tags, "tag "+strconv.Itoa(i))
	}
	dana := v.AddContact("user", "u-42", "dana@example.com", tags...)
	v.AddContact("lead", "", "lee@example.com", "sb:dormant")
	v.AddContact("lead", "", "")
	c := open(t, config(v.URL))
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"plan_name": "Team"}
	connectortest.Push(t, c, u)
	people := []connectors.Update{
		u, {VendorID: dana, Want: u.Want}, {Keys: []lifecycle.Key{{Namespace: "user", Value: "u-42"}}, Want: u.Want},
		{VendorID: "gone", Email: "nobody@example.com"}, {},
	}
	states, err := c.Read(t.Context(), people)
	if diff := cmp.Diff([]*connectors.State{&u.Want, &u.Want, &u.Want, nil, nil}, states); err != nil || diff != "" {
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
	for i := range listed {
		listed[i].VendorID = ""
	}
	want := []connectors.Listing{
		{Email: "dana@example.com", State: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Traits: map[string]any{"plan_name": "Team"}}},
		{Email: "lee@example.com", State: connectors.State{Segments: []string{"dormant"}}}, {},
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	user := v.AddContact("user", "u-42", "dana@example.com")
	lead := v.AddContact("lead", "", "Dana@example.com")
	lee := v.AddContact("user", "", "lee@example.com")
	home := v.AddContact("lead", "", "dana@home.example.com")
	c := open(t, config(v.URL))
	who := connectors.Update{Email: "dana@example.com", Keys: []lifecycle.Key{{Namespace: "user", Value: "u-42"}, {Namespace: "email", Value: "dana@home.example.com"}}}
	e, err := c.Erase(t.Context(), who)
	if err != nil || e.Outcome != connectors.OK || e.Proof != "deleted for good: "+user+", "+lead+", "+home {
		t.Errorf("%+v, %v", e, err)
	}
	e, err = c.Erase(t.Context(), who)
	if err != nil || e.Outcome != connectors.OK || e.Proof != "Intercom has no such contact" {
		t.Errorf("again: %+v, %v", e, err)
	}
	if e, err = c.Erase(t.Context(), connectors.Update{VendorID: lee}); err != nil || e.Proof != "deleted for good: "+lee {
		t.Errorf("by id: %+v, %v", e, err)
	}
	for status, want := range map[int]string{503: "error", 403: "permanent"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		got := "error"
		if e, err := open(t, config(server.URL)).Erase(t.Context(), connectors.Update{VendorID: lee}); err == nil {
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
	dana, lee := v.AddContact("user", "u-42", "dana@example.com"), v.AddContact("lead", "", "lee@example.com")
	c := open(t, config(v.URL))
	item := func(text string) connectors.Lookup {
		text = strings.NewReplacer("DANA", dana, "LEE", lee).Replace(text)
		return connectors.Lookup{Body: []byte(`{"data":{"item":` + text + `}}`)}
	}
	records, err := c.Enrich(t.Context(), []connectors.Lookup{
		item(`{"source":{"author":{"type":"user","id":"DANA"}},"contacts":{"contacts":[{"id":"LEE"}]}}`),
		item(`{"source":{"author":{"type":"admin","id":"7"}},"contacts":{"contacts":[{"id":"DANA"}]}}`),
		item(`{"source":{"author":{"type":"user","id":"LEE"}},"conversation_parts":{"conversation_parts":[{"author":{"type":"lead","id":"LEE"}},{"author":{"type":"user","id":"DANA"}},{"author":{"type":"bot","id":"9"}}]}}`),
		item(`{"conversation_rating":{"rating":5,"contact":{"id":"DANA"}},"contacts":{"contacts":[{"id":"LEE"}]}}`),
		item(`{"ticket":{"contacts":{"contacts":[{"id":"DANA"}]}}}`),
		item(`{"contacts":{"contacts":[{"id":"gone"}]}}`),
		item(`{}`),
	})
	if err != nil || len(records) != 7 {
		t.Fatalf("%+v, %v", records, err)
	}
	person := `{"email":"dana@example.com","external_id":"u-42","id":"` + dana + `","role":"user"}`
	want := `{"contacts":[` + person + `],` + person[1:]
	for i, r := range records {
		switch {
		case i < 5 && (string(r.JSON) != want || r.ModifiedAt == 0):
			t.Errorf("record %d: %s at %v", i, r.JSON, r.ModifiedAt)
		case i >= 5 && (r.JSON != nil || r.Err != nil):
			t.Errorf("record %d: %+v", i, r)
		}
	}
	if asked := v.Took(); len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer server.Close()
	var e *connectors.PushError
	if _, err := open(t, config(server.URL)).Enrich(t.Context(), []connectors.Lookup{item(`{"contacts":{"contacts":[{"id":"DANA"}]}}`)}); !errors.As(err, &e) || !e.Retryable {
		t.Errorf("while Intercom is away: %v", err)
	}
}

func TestOpenListsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := intercom.Vendor().Open(connectors.Config{
		Settings: map[string]string{"region": "mars", "stage_field": "stage.name", "role_if_new": "admin", "base_url": "api", "colour": "blue"},
		Push:     connectors.PushConfig{Enabled: true, Traits: map[string]string{"a.b": "x"}},
	})
	if err == nil {
		t.Fatal("opened")
	}
	for _, field := range []string{"access_token", "region", "stage_field", "role_if_new", "base_url", "colour", `push.traits: "a.b"`} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("nothing about %s in: %v", field, err)
		}
	}
}
