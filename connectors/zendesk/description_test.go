package zendesk_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the stand-in, against Zendesk's own description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "zendesk.openapi.json")
	sim := zendesksim.New()
	// Zendesk's file describes neither webhooks nor the tags of a user nor the
	// deletion of one; those requests go past it.
	mux := http.NewServeMux()
	mux.Handle("/", d.Wrap(sim))
	for _, path := range []string{"/api/v2/webhooks", "/api/v2/webhooks/", "/api/v2/users/{id}/tags", "DELETE /api/v2/users/{id}", "/api/v2/deleted_users/"} {
		mux.Handle(path, sim)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	dana := sim.AddUser("dana@example.com", []string{"sb_promoters"}, "dana.old@example.com")
	cfg := config(server.URL)
	cfg.Push.Create = true
	c := open(t, cfg)
	u := person("dana.old@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"plan_name": "Team", "seats": int64(5), "beta": true, "left": nil}
	sim.Hold(2)
	job := ""
	for _, r := range connectortest.Push(t, c, u, person("new@example.com", "Trial", nil, nil), connectors.Update{VendorID: dana, Want: connectors.State{Segments: []string{"dormant"}}}) {
		if job == "" {
			job = r.Job
		}
	}
	_, running := c.Poll(t.Context(), job, []connectors.Update{{VendorID: dana}})
	_, done := c.Poll(t.Context(), job, []connectors.Update{{VendorID: dana}})
	_, read := c.Read(t.Context(), []connectors.Update{{VendorID: dana}, {Email: "new@example.com"}})
	page, list := c.List(t.Context(), "")
	_, next := c.List(t.Context(), page.Cursor)
	_, check := c.Check(t.Context())
	_, enrich := c.Enrich(t.Context(), []connectors.Lookup{{Body: []byte(`{"detail":{"requester_id":"` + dana + `"}}`)}})
	_, register := c.Register(t.Context(), nil)
	_, change := c.Register(t.Context(), []string{"user.created"})
	unregister := c.Unregister(t.Context())
	_, erase := c.Erase(t.Context(), connectors.Update{VendorID: dana})
	if err := errors.Join(running, done, read, list, next, check, enrich, register, change, unregister, erase); err != nil {
		t.Error(err)
	}
	if seen := d.Seen(); len(seen) != 10 {
		t.Errorf("%d described operations were used: %v", len(seen), seen)
	}
}
