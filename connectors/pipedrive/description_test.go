package pipedrive_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestRequestsFollowTheDescriptions holds every request that the connector can
// make, and every answer of the simulated company, against Pipedrive's own
// descriptions of versions 1 and 2. The files we have cover neither stages and
// pipelines nor the deletion of a person; those go straight to the company.
func TestRequestsFollowTheDescriptions(t *testing.T) {
	t.Parallel()
	one := connectortest.Describe(t, "pipedrive-v1.openapi.json")
	two := connectortest.Describe(t, "pipedrive-v2.openapi.json")
	v := newVendor(t)
	// Under a company's own address version 1 is at /api/v1, in the file at /v1.
	first := http.StripPrefix("/api", one.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/api" + r.URL.Path
		v.ServeHTTP(w, r)
	})))
	second := two.Wrap(v)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/api/v1/"):
			first.ServeHTTP(w, r)
		case path == "/api/v2/stages" || path == "/api/v2/pipelines" || r.Method == http.MethodDelete:
			v.ServeHTTP(w, r)
		default:
			second.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	exercise(t, &vendor{Sim: v.Sim, url: server.URL})
	if seen := one.Seen(); !slices.Equal(seen, []string{"DELETE /webhooks/{id}", "GET /users/me", "GET /webhooks", "POST /webhooks"}) {
		t.Errorf("version 1: %v", seen)
	}
	if seen := two.Seen(); !slices.Equal(seen, []string{
		"GET /personFields", "GET /persons", "GET /persons/search", "PATCH /persons/{id}",
		"POST /personFields", "POST /personFields/{field_code}/options", "POST /persons",
	}) {
		t.Errorf("version 2: %v", seen)
	}
}

// exercise makes every call that there is.
func exercise(t *testing.T, v *vendor) {
	t.Helper()
	v.AddField("Seats", "double")
	v.AddField("Tier", "set", "Gold", "Silver")
	v.AddPerson("Dana", "dana@example.com")
	c := connect(t, v, creating, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"Seats": "a", "Tier": "b", "name": "c"}
	})
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.Want.Absent = []string{"promoters"}
	u.Want.Traits = map[string]any{"Seats": 12.5, "Tier": []any{"Gold"}, "name": "Dana Reed"}
	fresh := wanting("new@example.com", "Trial", "eu", "at_risk")
	results := connectortest.Push(t, c, u, fresh)
	cleared := wanting("dana@example.com", "Advocate")
	cleared.VendorID = results[0].VendorID
	cleared.Want.Absent, cleared.Want.Traits = []string{"at_risk"}, map[string]any{"Seats": nil, "Tier": nil}
	results = append(results, connectortest.Push(t, c, cleared)...)
	for _, r := range results {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("push: %+v", r)
		}
	}
	_, check := c.Check(t.Context())
	_, read := c.Read(t.Context(), []connectors.Update{u, fresh, cleared})
	_, list := c.List(t.Context(), "")
	_, more := c.List(t.Context(), "1")
	_, enrich := c.Enrich(t.Context(), []connectors.Lookup{dealOf(cleared.VendorID)})
	_, register := c.Register(t.Context(), nil)
	_, registered := c.Registered(t.Context())
	unregister := c.Unregister(t.Context())
	_, erase := c.Erase(t.Context(), cleared)
	for _, err := range []error{check, read, list, more, enrich, register, registered, unregister, erase} {
		if err != nil {
			t.Error(err)
		}
	}
}
