package intercom_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/intercom/intercomsim"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the stand-in, against Intercom's own description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "intercom.openapi.json")
	sim := intercomsim.New()
	server := httptest.NewServer(d.Wrap(sim))
	t.Cleanup(server.Close)
	dana := sim.AddContact("user", "u-42", "dana@example.com", "sb:promoters")
	hidden := sim.AddContact("user", "", "hidden@example.com")
	sim.Hide(hidden, false)
	sim.AddAttribute("seats", "integer")
	cfg := config(server.URL)
	cfg.Push.Create = true
	c := open(t, cfg)
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Keys = []lifecycle.Key{{Namespace: "user", Value: "u-42"}}
	u.Want.Traits = map[string]any{"plan_name": "Team", "seats": int64(5), "left": nil}
	known := u
	known.Want.Absent = []string{"at_risk"}
	known.Want.Segments, known.VendorID, known.Known = nil, dana, &u.Want
	gone := known
	gone.VendorID = "gone"
	for _, updates := range [][]connectors.Update{{u, person("new@example.com", "Trial", nil, nil), person("hidden@example.com", "Trial", nil, nil)}, {known}, {gone}} {
		for _, r := range connectortest.Push(t, c, updates...) {
			if connectortest.Outcome(r) != "ok" {
				t.Errorf("result %+v", r)
			}
		}
	}
	_, read := c.Read(t.Context(), []connectors.Update{{VendorID: dana}, {Email: "new@example.com"}})
	page, list := c.List(t.Context(), "")
	_, next := c.List(t.Context(), page.Cursor)
	_, check := c.Check(t.Context())
	_, enrich := c.Enrich(t.Context(), []connectors.Lookup{{Body: []byte(`{"data":{"item":{"contacts":{"contacts":[{"id":"` + dana + `"}]}}}}`)}})
	_, erase := c.Erase(t.Context(), u)
	if err := errors.Join(read, list, next, check, enrich, erase); err != nil {
		t.Error(err)
	}
	if seen := d.Seen(); len(seen) != 14 {
		t.Errorf("%d described operations were used: %v", len(seen), seen)
	}
}

// TestPayloadsFollowTheDescription: the samples are what the API says objects
// look like; the envelope is not described.
func TestPayloadsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "intercom.openapi.json")
	for name, schema := range map[string]string{
		"user-created": "contact", "user-updated": "contact", "email-updated": "contact", "deleted": "contact",
		"conversation-started": "conversation", "conversation-rated": "conversation", "ticket-created": "ticket",
	} {
		var want struct {
			Events []struct {
				Body struct {
					Data struct{ Item json.RawMessage }
				}
			}
		}
		text, err := os.ReadFile("testdata/receive/" + name + "/want.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil || len(want.Events) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		d.Payload(t, schema, want.Events[0].Body.Data.Item)
	}
}
