package hubspot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for _, as := range []string{segmentsAsProperty, segmentsAsLists} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			c, sim := startAccount(t, hubspotsim.Options{}, creating, setting(settingSegments, as))
			want := connectors.State{
				Stage: "Qualified Lead", Segments: []string{"at_risk"}, Absent: []string{"dormant"},
				Traits: map[string]any{"hubspotscore": int64(55), "jobtitle": nil},
			}
			ann := update("u1", "ann@example.com", want)
			bob := update("u2", "bob@example.com", want)
			results := mustPush(t, c, ann, bob)
			bob.VendorID = results[1].VendorID
			gone := update("u3", "gone@example.com", want)
			states, err := c.Read(t.Context(), []connectors.Update{ann, gone, bob})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]*connectors.State{&want, nil, &want}, states); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
			// What somebody changed shows as it is.
			sim.SetContact(bob.VendorID, map[string]string{"hubspotscore": "7", "sb_stage": "Visit"})
			states, err = c.Read(t.Context(), []connectors.Update{bob})
			if err != nil {
				t.Fatal(err)
			}
			changed := want
			changed.Stage, changed.Traits = "Visit", map[string]any{"hubspotscore": "7", "jobtitle": nil}
			if diff := cmp.Diff(&changed, states[0]); diff != "" {
				t.Errorf("after a change (-want +got):\n%s", diff)
			}
		})
	}
}

// A stage named by HubSpot's label reads back under our name, and reading makes
// nothing.
func TestReadNativeStage(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native)
	sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
	states, err := c.Read(t.Context(), []connectors.Update{update("u1", "ann@example.com", connectors.State{Stage: "Customer", Segments: []string{"x"}})})
	if err != nil || states[0] == nil || states[0].Stage != "Customer" {
		t.Errorf("read %+v, %v; want Customer", states, err)
	}
	if diff := cmp.Diff([]string{"x"}, states[0].Absent); diff != "" {
		t.Errorf("absent (-want +got):\n%s", diff)
	}
	if _, there := sim.Property(ownSegmentsProperty); there || sim.Counts().Writes != 0 {
		t.Error("reading changed something")
	}
}

func TestReadFails(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	for _, f := range failures {
		if f.status == 404 {
			continue
		}
		sim.Fail(hubspotsim.Fault{Match: route("batch/read"), Status: f.status, Header: f.header, Body: f.body})
		_, err := c.Read(t.Context(), []connectors.Update{update("u1", "ann@example.com", connectors.State{})})
		checkFailure(t, f, err)
	}
}
