package hubspot

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated account, against HubSpot's own API
// description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	description := connectortest.Describe(t, "hubspot.openapi.json")
	sim := hubspotsim.New(hubspotsim.Options{Now: testConfig().Now, Subscriptions: []string{}})
	server := httptest.NewServer(description.Wrap(sim.Handler()))
	t.Cleanup(server.Close)
	exercise(t, sim, server.URL)
	if seen := description.Seen(); len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	}
}

// exercise makes every call that there is.
func exercise(t *testing.T, sim *hubspotsim.Sim, base string) {
	t.Helper()
	for _, lists := range []string{segmentsAsProperty, segmentsAsLists} {
		for _, stage := range []string{ownStageProperty, nativeStageProperty} {
			for _, create := range []bool{false, true} {
				c := mustOpen(t, testConfig(setting(settingBase, base), setting(settingSegments, lists), setting(settingStage, stage),
					withSecret(secretDeveloper, developerKey), func(c *connectors.Config) { c.Push.Create = create }))
				ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
				sim.SetContact(ann, map[string]string{"lifecyclestage": "customer"})
				deal := sim.AddDeal(map[string]string{"amount": "5"}, ann)
				want := connectors.State{Stage: "Lead", Segments: []string{"a", lists + stage}, Absent: []string{"b"}, Traits: map[string]any{"hubspotscore": int64(3)}}
				u := update("u1", "ann@example.com", want)
				mustPush(t, c, u, update("u2", fmt.Sprintf("new-%s-%s@example.com", lists, stage), want))
				if _, err := c.Read(t.Context(), []connectors.Update{u}); err != nil {
					t.Error(err)
				}
				if _, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("contact.creation", ann), lookup("deal.creation", deal)}); err != nil {
					t.Error(err)
				}
				if _, err := c.Check(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := c.List(t.Context(), ""); err != nil {
					t.Error(err)
				}
				if _, err := c.Erase(t.Context(), u); err != nil {
					t.Error(err)
				}
				if _, err := c.Register(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if _, err := c.Registered(t.Context()); err != nil {
					t.Error(err)
				}
				if err := c.Unregister(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	c := mustOpen(t, testConfig(setting(settingBase, base), oauth("refresh-token-example")))
	c.config.Secrets[secretClient] = []secret.Text{secret.New(testSecret)}
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
