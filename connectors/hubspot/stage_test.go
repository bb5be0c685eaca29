package hubspot

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

func native(c *connectors.Config) { c.Settings[settingStage] = nativeStageProperty }

func stageUpdate(id, email, stage string) connectors.Update {
	return update(id, email, connectors.State{Stage: stage})
}

func TestNativeStageMovesBothWays(t *testing.T) {
	t.Parallel()
	for _, create := range []bool{false, true} {
		c, sim := startAccount(t, hubspotsim.Options{}, native, func(c *connectors.Config) { c.Push.Create = create })
		ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
		sim.AddContact(map[string]string{"email": "bob@example.com", "lifecyclestage": "lead"})
		sim.AddContact(map[string]string{"email": "cid@example.com"})
		results := mustPush(t, c, stageUpdate("u1", "ann@example.com", "lead"), stageUpdate("u2", "bob@example.com", "opportunity"), stageUpdate("u3", "cid@example.com", "subscriber"))
		for i, r := range results {
			checkOutcome(t, r, connectors.OK, "")
			if r.VendorID == "" {
				t.Errorf("update %d has no vendor id", i)
			}
		}
		for email, want := range map[string]string{"ann@example.com": "lead", "bob@example.com": "opportunity", "cid@example.com": "subscriber"} {
			if got := held(t, sim, email)["lifecyclestage"]; got != want {
				t.Errorf("create %v: %s is %q, want %q", create, email, got, want)
			}
		}
		// The ledger knows the clearing too: it comes back as a change of its own.
		var stages []string
		for _, f := range results[0].Written {
			if f.Record == ann && f.Name == nativeStageProperty {
				stages = append(stages, f.Value)
			}
		}
		if diff := cmp.Diff([]string{"lead", "", "lead"}, stages); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	}
}

// Only those who have to move back take the three steps.
func TestNativeStageForwardIsOneCall(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	u := stageUpdate("u1", "", "customer")
	u.VendorID = sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "lead"})
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	if n := sim.Counts().Requests[updateRoute]; n != 1 {
		t.Errorf("%d calls for a move forward, want 1", n)
	}
	if n := sim.Counts().Requests[readRoute]; n != 0 {
		t.Errorf("%d reads for a move forward, want none", n)
	}
}

// An answer that does not tell the stage is not believed.
func TestNativeStageReadBack(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
	u := stageUpdate("u1", "", "lead")
	u.VendorID = ann
	sim.Fail(hubspotsim.Fault{Match: route("batch/update"), Status: 200, Body: `{"results":[{"id":"` + ann + `","properties":{}}]}`})
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	if got := held(t, sim, "ann@example.com")["lifecyclestage"]; got != "lead" {
		t.Errorf("the stage is %q", got)
	}
}

// A stage that a workflow holds on to is reported, not repeated for ever.
func TestNativeStageRefused(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
	u := stageUpdate("u1", "", "lead")
	u.VendorID = ann
	sim.Fail(hubspotsim.Fault{Match: route("batch/update"), Times: -1, Status: 200, Body: `{"results":[{"id":"` + ann + `","properties":{"lifecyclestage":"customer"}}]}`})
	checkOutcome(t, mustPush(t, c, u)[0], connectors.Permanent, connectors.ReasonStageRefused)
	if n := sim.Counts().Requests[updateRoute]; n != 3 {
		t.Errorf("%d writes, want set, clear, set", n)
	}
	if n := sim.Counts().Requests[readRoute]; n != 1 {
		t.Errorf("%d reads, want one after the last write", n)
	}
}

// When HubSpot fails between clearing and setting, the next push sets it.
func TestNativeStageFailsHalfWay(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
	u := stageUpdate("u1", "", "lead")
	u.VendorID = ann
	// Let two writes through and fail the third.
	writes := 0
	sim.Fail(hubspotsim.Fault{Match: func(r *http.Request) bool {
		if !route("batch/update")(r) {
			return false
		}
		writes++
		return writes == 3
	}, Status: 503})
	r := mustPush(t, c, u)[0]
	checkOutcome(t, r, connectors.Retry, connectors.ReasonServer)
	if len(r.Written) != 2 {
		t.Errorf("written %v, want the first write and the clearing", r.Written)
	}
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	if got := held(t, sim, "ann@example.com")["lifecyclestage"]; got != "lead" {
		t.Errorf("the stage is %q", got)
	}
}

// HubSpot's stages are the account's: by internal name, by label, never made.
func TestNativeStageNames(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	sim.AddOption(nativeStageProperty, "168234091", "Champion")
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		sim.AddContact(map[string]string{"email": email})
	}
	results := mustPush(t, c, stageUpdate("u1", "a@example.com", "Champion"), stageUpdate("u2", "b@example.com", "Retained Customer"), stageUpdate("u3", "c@example.com", "Marketing Qualified Lead"))
	checkOutcome(t, results[0], connectors.OK, "")
	checkOutcome(t, results[1], connectors.Permanent, connectors.ReasonSettings)
	checkOutcome(t, results[2], connectors.OK, "")
	if held(t, sim, "a@example.com")["lifecyclestage"] != "168234091" || held(t, sim, "c@example.com")["lifecyclestage"] != "marketingqualifiedlead" {
		t.Errorf("a %v, c %v", held(t, sim, "a@example.com"), held(t, sim, "c@example.com"))
	}
	if options, _ := sim.Property(nativeStageProperty); len(options) != 9 {
		t.Errorf("the account's stages became %v", options)
	}
}
