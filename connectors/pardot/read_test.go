package pardot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/secret"
)

func TestReadGivesWhatIsHeld(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connectors.Config){"a field": func(*connectors.Config) {}, "lists": lists} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, func(cfg *connectors.Config) {
				change(cfg)
				cfg.Push.Traits = map[string]string{"company": "company"}
			})
			u := person(1, "dana@example.com", "Customer")
			u.Want.Segments, u.Want.Absent, u.Want.Traits = []string{"at_risk"}, []string{"vip"}, map[string]any{"company": "Acme"}
			if before, err := c.Read(t.Context(), []connectors.Update{u}); err != nil || before[0] != nil || len(v.Held()) != 0 {
				t.Errorf("before: %v, %v", before, err)
			}
			byID := u
			byID.VendorID, byID.Email = connectortest.Push(t, c, u)[0].VendorID, ""
			gone := u
			gone.VendorID = "999"
			got, err := c.Read(t.Context(), []connectors.Update{u, byID, gone, person(2, "nobody@example.com", "x")})
			if err != nil {
				t.Fatal(err)
			}
			held := &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"vip"}, Traits: map[string]any{"company": "Acme"}}
			if diff := cmp.Diff([]*connectors.State{held, held, held, nil}, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListGivesEverybody(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	for i := range 1001 {
		v.AddProspect(fmt.Sprintf("p%d@example.com", i), nil)
	}
	connectortest.Push(t, c, person(1, "p5@example.com", "Lead"))
	cursor, pages, people := "", 0, map[string]connectors.Listing{}
	for {
		got, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.People {
			people[p.Email] = p
		}
		pages++
		if cursor = got.Cursor; cursor == "" || pages > 9 {
			break
		}
	}
	if pages != 2 || len(people) != 1001 || people["p5@example.com"].State.Stage != "Lead" {
		t.Errorf("%d people on %d pages, p5 is %+v", len(people), pages, people["p5@example.com"])
	}
	if _, err := c.List(t.Context(), "x"); err == nil {
		t.Error("a cursor of something else was taken")
	}
}

// The API cannot empty the recycle bin, so an erasure is never told as done.
func TestErase(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	a, b := v.AddProspect("dana@example.com", nil), v.AddProspect("dana@example.com", nil)
	who := person(1, "dana@example.com", "")
	who.VendorID = fmt.Sprint(a)
	got, err := c.Erase(t.Context(), who)
	if err != nil || got.Outcome != connectors.Unconfirmed || !strings.Contains(got.Proof, fmt.Sprint(a)) || !strings.Contains(got.Proof, fmt.Sprint(b)) || v.Get(a) != nil || v.Get(b) != nil {
		t.Fatalf("erase: %+v, %v", got, err)
	}
	if got, err = c.Erase(t.Context(), who); err != nil || got.Outcome != connectors.OK {
		t.Errorf("again: %+v, %v", got, err)
	}
	if got, err = c.Erase(t.Context(), connectors.Update{}); err != nil || got.Outcome != connectors.Skipped {
		t.Errorf("nobody: %+v, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c, _ := start(t, nil)
	if said, err := c.Check(t.Context()); err != nil || !strings.Contains(said, `account 7 of "Acme"`) {
		t.Errorf("check: %q, %v", said, err)
	}
	c, _ = start(t, func(cfg *connectors.Config) { cfg.Settings["business_unit_id"] = "0Uv5g000000ZzZzEFG" })
	if _, err := c.Check(t.Context()); err == nil {
		t.Error("another business unit was taken")
	}
	c, _ = start(t, func(cfg *connectors.Config) {
		cfg.Secrets["client_secret"] = []secret.Text{secret.New("of-another-app")}
	})
	var e *connectors.PushError
	if _, err := c.Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("check: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	base := func() connectors.Config {
		return connectors.Config{
			Settings: map[string]string{"login_url": "https://acme.my.salesforce.com", "client_id": "id", "business_unit_id": "0Uv5g000000AbCdEFG"},
			Secrets:  map[string][]secret.Text{"client_secret": {secret.New("s")}}, Push: connectors.PushConfig{Enabled: true},
		}
	}
	for _, s := range []struct{ field, value string }{
		{"base_url", "pi.pardot.com"}, {"login_url", "https://x@acme.my.salesforce.com"}, {"business_unit_id", "7"}, {"poll_minutes", "0"}, {"poll_minutes", "often"}, {"quota_reserve", "91"},
		{"stage_field", "SB Stage"}, {"segments_field", "optedOut"}, {"activity_fields", "id,a b"}, {"segments_as", "tags"}, {"proof", "none"},
	} {
		cfg := base()
		cfg.Settings[s.field] = s.value
		var wrong *connectors.SettingError
		if _, err := pardot.Vendor().Open(cfg); !errors.As(err, &wrong) || wrong.Field != s.field {
			t.Errorf("%s=%s: %v", s.field, s.value, err)
		}
	}
	for _, target := range []string{"optedOut", "isDoNotEmail", "is_do_not_call", "SB_Stage__c", "score", "a b"} {
		cfg := base()
		cfg.Push.Traits = map[string]string{target: "x"}
		var wrong *connectors.SettingError
		if _, err := pardot.Vendor().Open(cfg); !errors.As(err, &wrong) || wrong.Field != "push.traits."+target {
			t.Errorf("%s: %v", target, err)
		}
	}
}
