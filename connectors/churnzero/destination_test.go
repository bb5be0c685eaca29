package churnzero_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/churnzero"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestNoAccountIsInvented(t *testing.T) {
	t.Parallel()
	user := []lifecycle.Key{{Namespace: "user", Value: "u-7"}}
	for name, test := range map[string]struct {
		create   bool
		newID    string
		u        connectors.Update
		want, id string
	}{
		"create in the account of all": {true, "all", connectors.Update{Email: "ada@example.com", Want: connectors.State{Stage: "Trial"}}, "unconfirmed", "acme|ada@example.com"},
		"named by ChurnZero":           {false, "user", contact("acme|u-1", "Trial"), "unconfirmed", "acme|u-1"},
		"never named":                  {false, "user", connectors.Update{Email: "ada@example.com", Keys: user, Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "acme"}}}, "skipped not_in_vendor", ""},
		"create with an account":       {true, "user", connectors.Update{Email: "ada@example.com", Keys: user, Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "acme"}}}, "unconfirmed", "acme|u-7"},
		"create by address":            {true, "email", connectors.Update{Email: "Ada@example.com", Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "acme"}}}, "unconfirmed", "acme|ada@example.com"},
		"create by a trait":            {true, "user", connectors.Update{Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "acme", "contactExternalId": "crm-1"}}}, "unconfirmed", "acme|crm-1"},
		"create without an account":    {true, "user", connectors.Update{Email: "ada@example.com", Keys: user, Want: connectors.State{Stage: "Trial"}}, "skipped no_identity", ""},
		"an account that is emptied":   {true, "user", connectors.Update{Keys: user, Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": nil}}}, "skipped no_identity", ""},
		"create without an own id":     {true, "user", connectors.Update{Email: "ada@example.com", Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "acme"}}}, "skipped no_identity", ""},
		"ids that cannot be told":      {true, "user", connectors.Update{Keys: user, Want: connectors.State{Stage: "Trial", Traits: map[string]any{"accountExternalId": "a|b"}}}, "skipped no_identity", ""},
		"half an id":                   {false, "user", contact("acme|", "Trial"), "skipped not_in_vendor", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, nil)
			c := open(t, v, func(cfg *connectors.Config) {
				cfg.Push.Create, cfg.Settings["new_contact_id"] = test.create, test.newID
				delete(cfg.Settings, "new_account")
				if test.newID == "all" {
					cfg.Settings["new_contact_id"], cfg.Settings["new_account"] = "email", "acme"
				}
			})
			r := connectortest.Push(t, c, test.u)[0]
			if connectortest.Outcome(r) != test.want || r.VendorID != test.id {
				t.Errorf("result = %+v, want %s of %q", r, test.want, test.id)
			}
			accounts := v.Accounts()
			if test.id == "" && len(accounts) > 0 || test.id != "" && (len(accounts) != 1 || accounts[0] != "acme") {
				t.Errorf("accounts = %v", accounts)
			}
		})
	}
}

func TestWhatIsWritten(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"Plan": "plan", "Active": "active", "Seats": "seats", "Renews": "renews", "Old": "old"}
	})
	v.Add("acme", "u-1", "ada@example.com")
	u := contact("acme|u-1", "Customer")
	u.Want.Segments, u.Want.Absent = []string{"eu", "power_users"}, []string{"at_risk"}
	u.Want.Traits = map[string]any{"Plan": "Pro", "Active": true, "Seats": int64(12), "Renews": lifecycle.Instant(1795166100e6), "Old": nil}
	connectortest.Push(t, c, u)
	got := map[string]string{}
	for _, name := range []string{"SB Lifecycle Stage", "SB Segments", "Plan", "Active", "Seats", "Renews", "Old", "Email"} {
		got[name] = v.Attribute("acme", "u-1", name)
	}
	want := map[string]string{
		"SB Lifecycle Stage": "Customer", "SB Segments": "eu, power_users", "Plan": "Pro", "Active": "True", "Seats": "12",
		"Renews": "2026-11-20T09:15:00Z", "Old": "", "Email": "ada@example.com",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	known := u.Want
	u.Known, u.Want.Segments, u.Want.Absent = &known, nil, []string{"at_risk", "eu", "power_users"}
	connectortest.Push(t, c, u)
	if held := v.Attribute("acme", "u-1", "SB Segments"); held != "" {
		t.Errorf("segments that ended are held still: %q", held)
	}
	if v.Ignored() != 0 {
		t.Errorf("%d actions came to nothing", v.Ignored())
	}
}

func TestManyInOneRequest(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	var updates []connectors.Update
	for i := range 100 {
		updates = append(updates, contact(fmt.Sprintf("acme|u-%d", i), "Trial"))
	}
	connectortest.Push(t, c, updates...)
	if n := v.count("POST /i"); n != 1 || len(v.Held()) != 100 {
		t.Errorf("%d requests brought %d contacts", n, len(v.Held()))
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"stage_attribute":    func(c *connectors.Config) { c.Settings["stage_attribute"] = "Email" },
		"segments_attribute": func(c *connectors.Config) { c.Settings["segments_attribute"] = "sb lifecycle stage" },
		"base_url":           func(c *connectors.Config) { c.Settings["base_url"] = "acme.churnzero.net" },
		"rest_url":           func(c *connectors.Config) { c.Settings["rest_url"] = "https://acme.us1app.churnzero.net/public/v1" },
		"stage_property":     func(c *connectors.Config) { c.Settings["stage_property"] = "a b" },
		"push.traits":        func(c *connectors.Config) { c.Push.Traits = map[string]string{"SB Segments": "x"} },
	} {
		cfg := conforming()
		change(&cfg)
		_, err := churnzero.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: error = %v", field, err)
		}
	}
	cfg := conforming()
	cfg.Push.Traits = map[string]string{"Email Opt In": "consent"}
	if _, err := churnzero.Vendor().Open(cfg); err == nil {
		t.Error("a field of consent is written to")
	}
}

func TestListGivesWhatAPushNeeds(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	for i := range 230 {
		v.Add("acme", fmt.Sprintf("u-%d", i), fmt.Sprintf("P%d@example.com", i))
	}
	c := open(t, v, nil)
	u := contact("acme|u-7", "Customer")
	u.Want.Segments = []string{"eu"}
	connectortest.Push(t, c, u)
	var all []connectors.Listing
	pages := 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		all, cursor = append(all, page.People...), page.Cursor
	}
	if len(all) != 230 || pages != 3 {
		t.Fatalf("%d people on %d pages", len(all), pages)
	}
	want := connectors.Listing{VendorID: "acme|u-7", Email: "p7@example.com", State: connectors.State{Stage: "Customer", Segments: []string{"eu"}}}
	if diff := cmp.Diff(want, all[7]); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	for _, cursor := range []string{"x", "-1"} {
		if _, err := c.List(t.Context(), cursor); err == nil {
			t.Errorf("the cursor %q was taken", cursor)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.Add("acme", "u-1", "ada@example.com")
	v.Add("other", "u-1", "ada@example.com") // the same address in two accounts
	v.Add("acme", "u-2", "o'neil@example.com")
	c := open(t, v, nil)
	u := contact("acme|u-1", "Customer")
	u.Want.Segments, u.Want.Absent = []string{"eu"}, []string{"at_risk"}
	connectortest.Push(t, c, u)
	nobody := contact("", "")
	quoted := contact("", "")
	quoted.Email = "O'Neil@example.com"
	gone := contact("acme|u-9", "")
	gone.Email = "gone@example.com"
	silent := contact("acme|u-1", "")
	silent.Email = ""
	states, err := c.Read(t.Context(), []connectors.Update{u, nobody, quoted, gone, silent})
	if err != nil {
		t.Fatal(err)
	}
	want := []*connectors.State{{Stage: "Customer", Segments: []string{"eu"}, Absent: []string{"at_risk"}}, nil, {}, nil, nil}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	var many []connectors.Update
	for i := range 45 {
		one := contact("", "")
		one.Email = fmt.Sprintf("p%d@example.com", i)
		many = append(many, one)
	}
	before := v.count("GET /public/v1/Contact")
	if _, err := c.Read(t.Context(), many); err != nil || v.count("GET /public/v1/Contact")-before != 3 {
		t.Errorf("45 people took %d requests, %v", v.count("GET /public/v1/Contact")-before, err)
	}
}

func TestWithoutTheRESTAPINothingIsRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	bare := open(t, v, func(cfg *connectors.Config) {
		delete(cfg.Settings, "rest_url")
		delete(cfg.Settings, "rest_user")
		delete(cfg.Secrets, "rest_key")
	})
	unnamed := open(t, v, func(cfg *connectors.Config) { delete(cfg.Settings, "stage_property") })
	_, list := bare.List(t.Context(), "")
	_, read := bare.Read(t.Context(), people())
	_, spelling := unnamed.Read(t.Context(), people())
	for name, err := range map[string]error{"list": list, "read": read, "spelling": spelling} {
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	text, err := open(t, v, nil).Check(t.Context())
	if err != nil || !strings.Contains(text, "The REST API takes") || !strings.Contains(text, "it never says") || v.Writes() != 0 {
		t.Errorf("check = %q, %v after %d writes", text, err, v.Writes())
	}
	page := newVendor(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	for name, test := range map[string]struct {
		v      *vendor
		change func(*connectors.Config)
		reason connectors.Reason
	}{
		"another key":    {v, func(cfg *connectors.Config) { cfg.Settings["rest_user"] = "somebody@example.com" }, connectors.ReasonAuth},
		"something else": {page, func(*connectors.Config) {}, connectors.ReasonBadAnswer},
		"nothing to ask": {v, func(cfg *connectors.Config) { clear(cfg.Settings); clear(cfg.Secrets); cfg.Push.Enabled = false }, connectors.ReasonSettings},
	} {
		_, err := open(t, test.v, test.change).Check(t.Context())
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != test.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}
