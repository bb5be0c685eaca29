package mailchimp_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

func TestListGivesEverybodyOnce(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("SBSTAGE", "text", false)
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("a%02d", i))
	}
	v.AddMember("dana@example.com", "", map[string]any{"SBSTAGE": "Customer"}, append(many, "sb:eu", "SB:at_risk")...)
	v.AddMember("gone@example.com", "archived", nil)
	for i := range 1100 {
		v.AddMember(fmt.Sprintf("p%04d@example.com", i), "", nil)
	}
	c := open(t, config(v))
	seen, cursor := map[string]connectors.State{}, ""
	for range 10 {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.People {
			if _, twice := seen[p.Email]; twice || len(p.VendorID) != 32 {
				t.Errorf("%s is listed twice or without an id (%q)", p.Email, p.VendorID)
			}
			seen[p.Email] = p.State
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if len(seen) != 1101 || cursor != "" {
		t.Errorf("%d people, want 1101; cursor %q", len(seen), cursor)
	}
	want := connectors.State{Stage: "Customer", Segments: []string{"at_risk", "eu"}}
	if diff := cmp.Diff(want, seen["dana@example.com"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := c.List(t.Context(), "elsewhere"); err == nil {
		t.Error("a cursor of something else is taken")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddMember("dana@example.com", "", nil)
	c := open(t, config(v))
	for range 2 { // the second time nobody is there
		if done, err := c.Erase(t.Context(), connectors.Update{Email: "Dana@example.com"}); err != nil || done.Outcome != connectors.OK || done.Proof == "" {
			t.Errorf("%+v, %v", done, err)
		}
	}
	if m, _ := v.Member("dana@example.com"); m.Status != "forgotten" {
		t.Errorf("the member is %s", m.Status)
	}
	if done, err := c.Erase(t.Context(), connectors.Update{}); err != nil || done.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody: %+v, %v", done, err)
	}
	cfg := config(v)
	cfg.Secrets["api_key"] = []secret.Text{secret.New("guess-us1")}
	var e *connectors.PushError
	if _, err := open(t, cfg).Erase(t.Context(), connectors.Update{Email: "dana@example.com"}); !errors.As(err, &e) || e.Reason != connectors.ReasonAuth {
		t.Errorf("with a wrong key: %v", err)
	}
}
