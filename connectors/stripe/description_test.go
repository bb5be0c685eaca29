package stripe_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/stripe/stripesim"
)

// TestRequestsFollowTheDescription makes every call that there is and holds
// requests, and the stand-in's answers, against Stripe's own description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "stripe.openapi.json")
	sim := stripesim.New()
	s := httptest.NewServer(d.Wrap(sim))
	t.Cleanup(s.Close)
	id := sim.AddCustomer("dana@example.com", map[string]string{"sb_segments": "by_hand"})
	gone := sim.AddCustomer("fay@example.com", nil)
	sim.Delete(gone)
	for _, erasure := range []string{"clear", "delete"} {
		c := open(t, s.URL, func(c *connectors.Config) { c.Push.Create, c.Settings["on_erasure"] = true, erasure })
		want := connectors.State{Stage: "Customer", Since: 1795166100000000, Segments: []string{"a"}, Absent: []string{"b"}, Traits: map[string]any{"plan": "team"}}
		people := []connectors.Update{
			{ID: "u1", VendorID: id, Want: want}, {ID: "u2", Email: "eli@example.com", Want: want},
			{ID: "u3", VendorID: gone, Email: "fay@example.com", Want: want}, {ID: "u4", VendorID: "cus_none", Want: want},
			{ID: "u5", Email: "eli@example.com", Want: connectors.State{Traits: map[string]any{"plan": nil}, Absent: []string{"a"}}},
		}
		if _, err := c.Push(t.Context(), people); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(t.Context(), people); err != nil {
			t.Error(err)
		}
		for _, cursor := range []string{"", id} {
			if _, err := c.List(t.Context(), cursor); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Check(t.Context()); err != nil {
			t.Error(err)
		}
		lookup := connectors.Lookup{Body: []byte(`{"id":"evt_1","type":"t","data":{"object":{"customer":"` + id + `"}}}`)}
		if _, err := c.Enrich(t.Context(), []connectors.Lookup{lookup}); err != nil {
			t.Error(err)
		}
		for _, types := range [][]string{nil, {"invoice.paid"}} {
			if _, err := c.Register(t.Context(), types); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.Registered(t.Context()); err != nil {
			t.Error(err)
		}
		if err := c.Unregister(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.Erase(t.Context(), people[1]); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"DELETE /v1/webhook_endpoints/{webhook_endpoint}", "GET /v1/account", "GET /v1/customers", "GET /v1/customers/{customer}",
		"GET /v1/webhook_endpoints", "POST /v1/customers", "POST /v1/customers/{customer}", "POST /v1/webhook_endpoints",
		"POST /v1/webhook_endpoints/{webhook_endpoint}",
	}
	if diff := cmp.Diff(want, d.Seen()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// TestPayloadsFollowTheDescription holds the sample deliveries against the
// schema of an event.
func TestPayloadsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "stripe.openapi.json")
	for _, name := range []string{
		"customer-created", "customer-updated", "customer-deleted", "subscription-updated", "invoice-paid",
		"invoice-payment-failed", "checkout-paid", "checkout-subscription", "charge-refunded", "connected-account",
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "receive", name, "request.http"))
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := bytes.Cut(text, []byte("\n\n"))
		d.Payload(t, "event", body)
	}
}
