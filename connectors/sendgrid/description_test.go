package sendgrid_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, in every form that it has, and every answer of the stand-in against
// SendGrid's own description. The erasure of message data is not in it.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "sendgrid.openapi.json")
	v := newVendor(t, nil)
	described := d.Wrap(v)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v3/recipients/erasejob" {
			v.ServeHTTP(w, r)
			return
		}
		described.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	c := open(t, v, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"age": "age", "company": "company", "first_name": "first_name", "postal_code": "zip"}
	})
	v.AddField("age", "Number")
	id := v.Add(map[string]any{"email": "dana@example.com", "external_id": "crm-7", "phone_number_id": "+15550100", "anonymous_id": "a-1"})
	all := people()
	all[0].VendorID = id
	all[1].Want.Traits = map[string]any{"age": 41, "company": nil, "first_name": "Lee", "postal_code": nil}
	all[2].Want.Traits = map[string]any{"age": nil}
	results := connectortest.Push(t, c, append(all, person("no address", "Trial"))...)
	for range 2 {
		if _, err := c.Poll(t.Context(), results[0].Job, all); err != nil {
			t.Error(err)
		}
	}
	_, gone := c.Poll(t.Context(), "5e2d0000-0000-4000-8000-00000000ffff", all)
	_, read := c.Read(t.Context(), append(all, person("gone@example.com", "")))
	_, check := c.Check(t.Context())
	_, register := c.Register(t.Context(), nil)
	_, change := c.Register(t.Context(), []string{"open"})
	_, list := c.Registered(t.Context())
	remove := c.Unregister(t.Context())
	_, erase := c.Erase(t.Context(), all[0])
	for name, err := range map[string]error{"gone": gone, "read": read, "check": check, "register": register, "change": change, "list": list, "remove": remove, "erase": erase} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := []string{
		"DELETE /v3/marketing/contacts", "DELETE /v3/user/webhooks/event/settings/{id}",
		"GET /v3/marketing/contacts/count", "GET /v3/marketing/contacts/imports/{id}", "GET /v3/marketing/field_definitions", "GET /v3/scopes",
		"GET /v3/user/webhooks/event/settings/all",
		"PATCH /v3/user/webhooks/event/settings/signed/{id}", "PATCH /v3/user/webhooks/event/settings/{id}",
		"POST /v3/marketing/contacts/batch", "POST /v3/marketing/contacts/search/emails", "POST /v3/marketing/field_definitions",
		"POST /v3/user/webhooks/event/settings", "PUT /v3/marketing/contacts",
	}
	if diff := cmp.Diff(want, d.Seen()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}
