package customerio_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestReadGivesWhatWasPushed(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	u := people()[0]
	u.Want.Traits = map[string]any{"company": "Acme"}
	connectortest.Push(t, c, u)
	states, err := c.Read(t.Context(), []connectors.Update{u, person("gone@example.com", "")})
	if err != nil {
		t.Fatal(err)
	}
	want := []*connectors.State{{
		Stage: "Customer", Since: lifecycle.Instant(1795166100e6), Segments: []string{"at_risk"}, Absent: []string{"promoters"},
		Traits: map[string]any{"company": "Acme"},
	}, nil}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestListGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	for i := range 230 {
		v.Add(fmt.Sprintf("u-%d", i), fmt.Sprintf("P%d@example.com", i), map[string]any{"sb_stage": "Trial", "sb_seg_at_risk": i == 7, "company": 5})
	}
	c := open(t, v, nil)
	seen := map[string]connectors.Listing{}
	cursor, pages := "", 0
	for {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.People {
			seen[p.Email] = p
		}
		if pages++; page.Cursor == "" {
			break
		}
		cursor = page.Cursor
	}
	if len(seen) != 230 || pages != 3 {
		t.Errorf("%d people on %d pages", len(seen), pages)
	}
	want := connectors.Listing{VendorID: "a3000008", Email: "p7@example.com", State: connectors.State{Stage: "Trial", Segments: []string{"at_risk"}, Traits: map[string]any{"company": "5"}}}
	if diff := cmp.Diff(want, seen["p7@example.com"]); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	if _, err := c.List(t.Context(), "no cursor"); err == nil {
		t.Error("a cursor of somebody else's was taken")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"suppress", "delete"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, nil)
			v.Add("u-1", "dana@example.com", nil)
			v.Add("u-2", "dana@example.com", nil) // a second one with the same address
			v.Add("u-3", "lee@example.com", nil)
			c := open(t, v, func(cfg *connectors.Config) { cfg.Settings["erase_by"] = action })
			who := person("Dana@example.com", "")
			who.Keys = []lifecycle.Key{{Namespace: "user", Value: "u-1"}}
			done, err := c.Erase(t.Context(), who)
			if err != nil || done.Outcome != connectors.Submitted || !strings.Contains(done.Proof, action+" for 2 records") {
				t.Errorf("erased = %+v, %v", done, err)
			}
			if held := v.Held(); len(held) != 1 || held[0].Person != "lee@example.com" {
				t.Errorf("held = %+v", held)
			}
			again, err := c.Erase(t.Context(), who)
			if err != nil || again.Outcome != connectors.OK || again.Proof == "" {
				t.Errorf("again = %+v, %v", again, err)
			}
		})
	}
	t.Run("without the App API key", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, nil)
		v.Add("u-1", "dana@example.com", nil)
		c := open(t, v, func(cfg *connectors.Config) { delete(cfg.Secrets, "app_api_key") })
		done, err := c.Erase(t.Context(), person("dana@example.com", ""))
		if err != nil || done.Outcome != connectors.Submitted || len(v.Held()) != 0 {
			t.Errorf("erased = %+v, %v", done, err)
		}
		done, err = c.Erase(t.Context(), person("", ""))
		if err != nil || done.Outcome != connectors.Skipped || done.Reason != connectors.ReasonNoIdentity {
			t.Errorf("nobody = %+v, %v", done, err)
		}
		done, err = c.Erase(t.Context(), person("no address", ""))
		if err != nil || done.Outcome != connectors.Permanent || !strings.Contains(done.Message, "valid email") {
			t.Errorf("refused = %+v, %v", done, err)
		}
	})
}

func TestRegister(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	made, err := c.Register(t.Context(), nil)
	if err != nil || made.URL != "https://bridge.example.com/hooks/customerio" || !slices.Contains(made.Types, "email_clicked") || slices.Contains(made.Types, "email_delivered") || len(made.Secrets) > 0 {
		t.Fatalf("registration = %+v, %v", made, err)
	}
	changed, err := c.Register(t.Context(), []string{"customer_unsubscribed"})
	if err != nil || changed.ID != made.ID {
		t.Errorf("changed = %+v, %v", changed, err)
	}
	list, err := c.Registered(t.Context())
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Types, []string{"customer_unsubscribed"}) {
		t.Errorf("registered = %+v, %v", list, err)
	}
	_, err = c.Register(t.Context(), []string{"customer_born"})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("an unknown event: %v", err)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if list, err = c.Registered(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("registered = %+v, %v", list, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	for name, test := range map[string]struct {
		change func(*connectors.Config)
		text   string
		reason connectors.Reason
	}{
		"both keys":    {func(*connectors.Config) {}, "workspace 3, region us. It takes the App API key", ""},
		"the App API":  {func(c *connectors.Config) { delete(c.Secrets, "track_api_key"); c.Push.Enabled = false }, "It takes the App API key", ""},
		"neither":      {func(c *connectors.Config) { clear(c.Secrets); c.Push.Enabled = false }, "", connectors.ReasonSettings},
		"other region": {func(c *connectors.Config) { c.Settings["region"] = "eu" }, "", connectors.ReasonSettings},
		"other keys":   {func(c *connectors.Config) { c.Settings["site_id"] = "another" }, "", connectors.ReasonAuth},
	} {
		text, err := open(t, v, test.change).Check(t.Context())
		var e *connectors.PushError
		switch {
		case test.reason == "" && (err != nil || !strings.Contains(text, test.text)):
			t.Errorf("%s: %q, %v", name, text, err)
		case test.reason != "" && (!errors.As(err, &e) || e.Reason != test.reason):
			t.Errorf("%s: error = %v, want %s", name, err, test.reason)
		}
	}
}

// TestWithoutAnAppKeyNothingIsRead names the key that is missing.
func TestWithoutAnAppKeyNothingIsRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	c := open(t, v, func(cfg *connectors.Config) { delete(cfg.Secrets, "app_api_key") })
	_, read := c.Read(t.Context(), []connectors.Update{person("dana@example.com", "")})
	_, list := c.List(t.Context(), "")
	_, hooks := c.Registered(t.Context())
	for name, err := range map[string]error{"read": read, "list": list, "registered": hooks} {
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
			t.Errorf("%s: %v", name, err)
		}
	}
}
