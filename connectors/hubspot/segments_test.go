package hubspot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

const membersRoute = "PUT /crm/v3/lists/{id}/memberships/add-and-remove"

func asLists(c *connectors.Config) { c.Settings[settingSegments] = segmentsAsLists }

func listsOf(t testing.TB, sim *hubspotsim.Sim, email string) []string {
	t.Helper()
	c, ok := sim.ByEmail(email)
	if !ok {
		t.Fatalf("no contact %s", email)
	}
	return c.Lists
}

func TestListsJoinAndLeave(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, asLists)
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	sim.AddContact(map[string]string{"email": "bob@example.com"})
	sim.AddList("Newsletter readers", "MANUAL")
	first := connectors.State{Segments: []string{"at risk/now", "promoters"}, Absent: []string{"dormant"}}
	results := mustPush(t, c,
		connectors.Update{ID: "u1", VendorID: ann, Want: first},
		update("u2", "bob@example.com", connectors.State{Segments: []string{"promoters"}, Absent: []string{"at risk/now", "dormant"}}))
	for _, r := range results {
		checkOutcome(t, r, connectors.OK, "")
	}
	if diff := cmp.Diff([]string{"Stagebridge: at risk/now", "Stagebridge: promoters"}, listsOf(t, sim, "ann@example.com")); diff != "" {
		t.Errorf("ann (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Stagebridge: promoters"}, listsOf(t, sim, "bob@example.com")); diff != "" {
		t.Errorf("bob (-want +got):\n%s", diff)
	}
	// One call per list that exists or is needed, none for a list nobody is in.
	if n := sim.Counts().Requests[membersRoute]; n != 2 {
		t.Errorf("%d membership calls, want 2", n)
	}
	second := connectors.State{Segments: []string{"promoters"}, Absent: []string{"at risk/now", "dormant"}}
	checkOutcome(t, mustPush(t, c, connectors.Update{ID: "u3", VendorID: ann, Want: second, Known: &first})[0], connectors.OK, "")
	if diff := cmp.Diff([]string{"Stagebridge: promoters"}, listsOf(t, sim, "ann@example.com")); diff != "" {
		t.Errorf("ann afterwards (-want +got):\n%s", diff)
	}
	if n := sim.Counts().Requests[membersRoute]; n != 3 {
		t.Errorf("%d membership calls after one change, want 3", n)
	}
	if n := sim.Counts().Requests[updateRoute]; n != 0 {
		t.Errorf("%d property writes for segments in lists", n)
	}
}

// A contact made by the push is in its lists at once.
func TestListsWithCreate(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, asLists, creating)
	r := mustPush(t, c, update("u1", "new@example.com", connectors.State{Stage: "Lead", Segments: []string{"promoters"}}))[0]
	checkOutcome(t, r, connectors.OK, "")
	if diff := cmp.Diff([]string{"Stagebridge: promoters"}, listsOf(t, sim, "new@example.com")); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func TestListsFaults(t *testing.T) {
	t.Parallel()
	in := connectors.State{Segments: []string{"promoters"}}
	t.Run("an active list of that name", func(t *testing.T) {
		t.Parallel()
		c, sim := startAccount(t, hubspotsim.Options{}, asLists)
		sim.AddList("Stagebridge: promoters", "DYNAMIC")
		sim.AddContact(map[string]string{"email": "ann@example.com"})
		r := mustPush(t, c, update("u1", "ann@example.com", in))[0]
		checkOutcome(t, r, connectors.Permanent, connectors.ReasonSettings)
		if !strings.Contains(r.Message, "active") {
			t.Errorf("message %q", r.Message)
		}
	})
	t.Run("may not create", func(t *testing.T) {
		t.Parallel()
		c, sim := startAccount(t, hubspotsim.Options{}, asLists, setting(settingCreate, "false"))
		sim.AddContact(map[string]string{"email": "ann@example.com"})
		sim.AddContact(map[string]string{"email": "bob@example.com"})
		results := mustPush(t, c, update("u1", "ann@example.com", in), update("u2", "bob@example.com", connectors.State{Absent: []string{"promoters"}}))
		checkOutcome(t, results[0], connectors.Permanent, connectors.ReasonSettings)
		checkOutcome(t, results[1], connectors.OK, "")
		if !strings.Contains(results[0].Message, "Stagebridge: promoters") {
			t.Errorf("message %q does not name the list", results[0].Message)
		}
	})
	t.Run("list deleted meanwhile", func(t *testing.T) {
		t.Parallel()
		c, sim := startAccount(t, hubspotsim.Options{}, asLists)
		ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
		u := connectors.Update{ID: "u1", VendorID: ann, Want: in}
		checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
		sim.DeleteList("Stagebridge: promoters")
		_, err := c.Push(t.Context(), []connectors.Update{u})
		if e := asPush(err); e == nil || !e.Retryable {
			t.Errorf("push gives %v, want a retry", err)
		}
		checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
		if got := listsOf(t, sim, "ann@example.com"); len(got) != 1 {
			t.Errorf("lists %v", got)
		}
	})
	t.Run("contact deleted meanwhile", func(t *testing.T) {
		t.Parallel()
		c, sim := startAccount(t, hubspotsim.Options{}, asLists)
		ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
		sim.Delete(ann, false)
		r := mustPush(t, c, connectors.Update{ID: "u1", VendorID: ann, Want: in})[0]
		checkOutcome(t, r, connectors.Skipped, connectors.ReasonNotInVendor)
	})
	t.Run("limit after the properties arrived", func(t *testing.T) {
		t.Parallel()
		c, sim := startAccount(t, hubspotsim.Options{}, asLists)
		ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
		bob := sim.AddContact(map[string]string{"email": "bob@example.com"})
		sim.Fail(hubspotsim.Fault{Match: route("memberships"), Status: 429})
		results := mustPush(t, c,
			connectors.Update{ID: "u1", VendorID: ann, Want: connectors.State{Stage: "Lead", Segments: []string{"promoters"}}},
			connectors.Update{ID: "u2", VendorID: bob, Want: connectors.State{Stage: "Lead"}})
		checkOutcome(t, results[0], connectors.Retry, connectors.ReasonRateLimit)
		checkOutcome(t, results[1], connectors.OK, "")
		if len(results[0].Written) == 0 {
			t.Error("the stage arrived, and the result does not say so")
		}
	})
}

// Names that a multi-checkbox property cannot hold get values of their own.
func TestOptionValue(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"at_risk", "At Risk", "sécurité", "a,b"} {
		if got := optionValue(name); got != name {
			t.Errorf("optionValue(%q) = %q, want it unchanged", name, got)
		}
	}
	seen := map[string]string{}
	for _, name := range []string{"a;b", "a_b", " a_b", "a_b ", strings.Repeat("x", 300), strings.Repeat("x", 301), strings.Repeat("é", 150)} {
		value := optionValue(name)
		if strings.Contains(value, ";") || strings.TrimSpace(value) != value || len(value) > maxOptionValue || value == "" {
			t.Errorf("optionValue(%q) = %q", name, value)
		}
		if other, twice := seen[value]; twice {
			t.Errorf("%q and %q share the value %q", name, other, value)
		}
		seen[value] = name
	}
}

func TestSegmentsWithStrangeNames(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	want := connectors.State{Segments: []string{"a;b", "plain"}, Absent: []string{"c"}}
	u := connectors.Update{ID: "u1", VendorID: ann, Want: want}
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	if got := held(t, sim, "ann@example.com")["sb_segments"]; got != fmt.Sprintf("%s;plain", optionValue("a;b")) {
		t.Errorf("HubSpot holds %q", got)
	}
	states, err := c.Read(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, states[0]); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}
