package marketo_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated vendor, against Adobe's own API
// description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	description := connectortest.Describe(t, "marketo.openapi.json")
	v := newVendor(t)
	server := httptest.NewServer(description.Wrap(v))
	t.Cleanup(server.Close)
	cfg := config(v)
	cfg.Settings["base_url"], cfg.Settings["list_folder"] = server.URL, "1034"
	id := v.AddPerson("dana@example.com", nil)
	v.AddPerson("shared@example.com", nil)
	v.AddPerson("shared@example.com", nil)
	for _, as := range []string{"field", "lists"} {
		cfg.Settings["segments_as"] = as
		c := open(t, cfg)
		dana := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"dormant"})
		dana.Want.Traits = map[string]any{"company": "Acme"}
		gone := person("lee@example.com", "Lead", []string{"dormant"}, []string{"at_risk"})
		gone.VendorID = "7"
		for _, r := range connectortest.Push(t, c, dana, gone, person("shared@example.com", "Lead", nil, nil)) {
			if connectortest.Outcome(r) != "ok" {
				t.Errorf("push: %+v", r)
			}
		}
		dana.VendorID = fmt.Sprint(id)
		_, read := c.Read(t.Context(), []connectors.Update{dana, gone})
		if read != nil {
			t.Error(read)
		}
	}
	c := open(t, cfg)
	v.Log(2, id, "Contact us")
	v.Log(37, 7, "Somebody")
	events, _ := fetchAll(t, c, "")
	if len(events) < 2 {
		t.Errorf("told %v", told(events))
	}
	_, enrich := c.Enrich(t.Context(), []connectors.Lookup{{Body: fmt.Appendf(nil, `{"leadId":%d}`, id)}, {Body: []byte(`{"leadId":7}`)}})
	_, check := c.Check(t.Context())
	_, erase := c.Erase(t.Context(), connectors.Update{Email: "dana@example.com"})
	if err := errors.Join(enrich, check, erase); err != nil {
		t.Error(err)
	}
	if seen := description.Seen(); len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	} else {
		t.Log(seen)
	}
}
