package demandbase_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestRequestsFollowTheDescriptions holds the requests for tokens and imports,
// and every answer of the simulated vendor, against Demandbase's own
// descriptions. There is none of exports.
func TestRequestsFollowTheDescriptions(t *testing.T) {
	t.Parallel()
	auth, imports := connectortest.Describe(t, "demandbase-auth.openapi.json"), connectortest.Describe(t, "demandbase-import.openapi.json")
	_, v := start(t, nil)
	byAuth, byImport := auth.Wrap(v), imports.Wrap(v)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/auth/"):
			byAuth.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/import/"):
			byImport.ServeHTTP(w, r)
		default:
			t.Errorf("%s is in no description", r.URL.Path)
		}
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	c := open(t, v, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Plan": "plan"} })
	u := person(1, "dana@example.com", "Customer")
	u.Want.Segments, u.Want.Traits = []string{"at_risk"}, map[string]any{"Plan": "Pro"}
	got := push(t, c, u, person(2, "lee@example.com", "Lead"))
	for _, r := range got {
		if r.Outcome != connectors.Submitted {
			t.Errorf("push: %+v", r)
		}
	}
	for _, state := range []string{"processing", "completed", "failed"} {
		v.States(state, "finished")
		if _, err := c.Poll(t.Context(), got[0].Job, []connectors.Update{u}); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Poll(t.Context(), "999", []connectors.Update{u}); err != nil {
		t.Error(err)
	}
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	v.Expire()
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	seen := slices.Concat(auth.Seen(), imports.Seen())
	if len(seen) != 5 {
		t.Errorf("operations %v", seen)
	}
	t.Log(seen)
}
