package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

const (
	makeRoute   = "POST /crm/v3/properties/{type}"
	changeRoute = "PATCH /crm/v3/properties/{type}/{name}"
	lookRoute   = "GET /crm/v3/properties/{type}/{name}"
)

func TestPropertiesAreMadeOnce(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	for i, stage := range []string{"Lead", "Customer", "Lead", "Customer"} {
		u := update(fmt.Sprint(i), "", connectors.State{Stage: stage, Segments: []string{"promoters"}})
		u.VendorID = ann
		checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	}
	options, ok := sim.Property("sb_stage")
	if diff := cmp.Diff([]string{"Lead", "Customer"}, options); !ok || diff != "" {
		t.Errorf("sb_stage (-want +got):\n%s", diff)
	}
	counts := sim.Counts().Requests
	if counts[makeRoute] != 2 || counts[changeRoute] != 1 || counts[updateRoute] != 4 {
		t.Errorf("calls %v; want two properties made, one option added, four writes", counts)
	}
}

func TestPropertiesMissingAndNotToBeMade(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, setting(settingCreate, "false"))
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	stage := update("u1", "", connectors.State{Stage: "Lead"})
	segment := update("u2", "", connectors.State{Segments: []string{"promoters"}})
	none := update("u3", "", connectors.State{Absent: []string{"promoters"}})
	other := update("u4", "", connectors.State{Traits: map[string]any{"jobtitle": "CTO"}})
	for _, u := range []*connectors.Update{&stage, &segment, &none, &other} {
		u.VendorID = ann
	}
	results := mustPush(t, c, stage, segment, none, other)
	for i, name := range []string{"sb_stage", "sb_segments", "sb_segments"} {
		checkOutcome(t, results[i], connectors.Permanent, connectors.ReasonSettings)
		if !strings.Contains(results[i].Message, name) {
			t.Errorf("message %q does not name %s", results[i].Message, name)
		}
	}
	checkOutcome(t, results[3], connectors.OK, "")
	if _, there := sim.Property("sb_stage"); there {
		t.Error("a property was made")
	}
}

// Somebody else adds the option between our look and our change: their option
// is there, our change is refused, and nobody sees an error.
func TestOptionAddedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 409} {
		c, sim := startAccount(t, hubspotsim.Options{})
		u := update("u", "", connectors.State{Stage: "Lead"})
		u.VendorID = sim.AddContact(map[string]string{"email": "ann@example.com"})
		checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
		sim.Fail(hubspotsim.Fault{
			Match:  func(r *http.Request) bool { return r.Method == http.MethodPatch },
			Before: func() { sim.AddOption("sb_stage", "Customer", "Customer") },
			Status: status, Body: `{"status":"error","message":"option is not unique"}`,
		})
		u.Want.Stage = "Customer"
		checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
		if got := held(t, sim, "ann@example.com")["sb_stage"]; got != "Customer" {
			t.Errorf("status %d: the stage is %q", status, got)
		}
	}
}

// Two first pushes at once make one property, whoever comes first.
func TestPropertiesMadeAtOnce(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	other := mustOpen(t, c.config)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			from := []*Connector{c, other}[i%2]
			results, err := from.Push(t.Context(), []connectors.Update{update(fmt.Sprintf("u%d", i), fmt.Sprintf("p%d@example.com", i), connectors.State{Stage: "Lead"})})
			if err != nil || results[0].Outcome != connectors.OK {
				t.Errorf("push %d: %+v, %v", i, results, err)
			}
		})
	}
	wait.Wait()
	if n := len(sim.Contacts()); n != 8 {
		t.Errorf("%d contacts, want 8", n)
	}
}

// Somebody else makes the property between our look and our making it, with the
// option that they need: ours is added to it.
func TestPropertyMadeMeanwhile(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	other := mustOpen(t, c.config)
	sim.Fail(hubspotsim.Fault{
		Match: func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == propertiesPath },
		Before: func() {
			results, err := other.Push(t.Context(), []connectors.Update{update("u1", "ann@example.com", connectors.State{Stage: "Lead"})})
			if err != nil || results[0].Outcome != connectors.OK {
				t.Errorf("the other push: %+v, %v", results, err)
			}
		},
		Status: 409, Body: `{"category":"CONFLICT","message":"A property named 'sb_stage' already exists"}`,
	})
	checkOutcome(t, mustPush(t, c, update("u2", "ben@example.com", connectors.State{Stage: "Customer"}))[0], connectors.OK, "")
	for address, want := range map[string]string{"ann@example.com": "Lead", "ben@example.com": "Customer"} {
		if got := held(t, sim, address)["sb_stage"]; got != want {
			t.Errorf("%s: the stage is %q, want %q", address, got, want)
		}
	}
}

// An option that a person removed is found missing, and made again.
func TestOptionRemoved(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	u := update("u", "", connectors.State{Stage: "Lead"})
	u.VendorID = ann
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	sim.RemoveOption("sb_stage", "Lead")
	checkOutcome(t, mustPush(t, c, u)[0], connectors.Retry, connectors.ReasonInvalid)
	checkOutcome(t, mustPush(t, c, u)[0], connectors.OK, "")
	if options, _ := sim.Property("sb_stage"); len(options) != 1 {
		t.Errorf("options %v", options)
	}
}

// A refused creation is about those who need what is missing.
func TestPropertyRefused(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	sim.Fail(hubspotsim.Fault{Match: route("/crm/v3/properties/contacts/groups"), Times: -1, Status: 403, Body: `{"category":"MISSING_SCOPES","message":"crm.schemas.contacts.write is missing"}`})
	stage := update("u1", "", connectors.State{Stage: "Lead"})
	other := update("u2", "", connectors.State{Traits: map[string]any{"jobtitle": "CTO"}})
	stage.VendorID, other.VendorID = ann, ann
	results := mustPush(t, c, stage, other)
	checkOutcome(t, results[0], connectors.Permanent, connectors.ReasonForbidden)
	checkOutcome(t, results[1], connectors.OK, "")
	if !strings.Contains(results[0].Message, "crm.schemas.contacts.write") {
		t.Errorf("message %q", results[0].Message)
	}
}
