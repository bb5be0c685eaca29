package hubspot

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

func TestListGivesEverybodyOnce(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	held := connectors.State{Stage: "Customer", Segments: []string{"At risk", "eu"}, Absent: []string{"vip"}}
	mustPush(t, c, update("u", "ann@example.com", held))
	for i := range 250 {
		sim.AddContact(map[string]string{"email": fmt.Sprintf("p%03d@example.com", i)})
	}
	seen, cursor := map[string]connectors.State{}, ""
	for range 10 {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.People {
			if _, twice := seen[p.Email]; twice || !digits(p.VendorID) {
				t.Errorf("%s is listed twice or without an id (%q)", p.Email, p.VendorID)
			}
			seen[p.Email] = p.State
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if len(seen) != 251 || cursor != "" {
		t.Errorf("%d people, want 251; cursor %q", len(seen), cursor)
	}
	want := connectors.State{Stage: "Customer", Segments: []string{"At risk", "eu"}}
	if diff := cmp.Diff(want, seen["ann@example.com"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	byID := sim.AddContact(map[string]string{"email": "ann@example.com"})
	sim.AddContact(map[string]string{"email": "bo@example.com"})
	for _, who := range []connectors.Update{{VendorID: byID}, {Email: "BO@example.com"}, {Email: "nobody@example.com"}, {VendorID: byID}} {
		done, err := c.Erase(t.Context(), who)
		if err != nil || done.Outcome != connectors.OK || done.Proof == "" {
			t.Errorf("%+v: %+v, %v", who, done, err)
		}
	}
	if left := sim.Contacts(); len(left) != 0 {
		t.Errorf("%d contacts are left", len(left))
	}
	if done, err := c.Erase(t.Context(), connectors.Update{}); err != nil || done.Reason != connectors.ReasonNoIdentity {
		t.Errorf("nobody: %+v, %v", done, err)
	}
	refused, _ := startAccount(t, hubspotsim.Options{}, withSecret(secretToken, "wrong-token-example"))
	if _, err := refused.Erase(t.Context(), connectors.Update{Email: "ann@example.com"}); reason(err) != connectors.ReasonAuth {
		t.Errorf("with a wrong token: %v", err)
	}
}
