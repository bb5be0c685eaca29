package hubspot_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/hubspot"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

const token = "pat-eu1-conformance-token"

// conforming is the connection that the suite opens.
func conforming(settings map[string]string) connectors.Config {
	return connectors.Config{
		ID: "hubspot-eu", PublicURL: "https://bridge.example.com/hooks/hubspot-eu",
		Settings: settings,
		Secrets: map[string][]secret.Text{
			"client_secret": {secret.New("client-secret-now")}, "access_token": {secret.New(token)},
			"developer_api_key": {secret.New("developer-key-of-the-example")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"jobtitle": "job_title"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: hubspot.Vendor(), Config: conforming(map[string]string{"app_id": "556677"}),
		Source:      source(),
		Destination: destination(map[string]string{"stage": "sb_stage", "segments": "sb_segments", "traits": "jobtitle"}),
	})
}

// TestConformanceLists is the other form of segments, and HubSpot's own stage.
func TestConformanceLists(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: hubspot.Vendor(), Dir: "testdata/lists",
		Config:      conforming(map[string]string{"app_id": "556677", "segments_as": "lists", "stage_property": "lifecyclestage"}),
		Source:      source(),
		Destination: destination(map[string]string{"stage": "lifecyclestage", "segments": "memberships", "traits": "jobtitle"}),
	})
}

func source() *connectortest.SourceCase {
	return &connectortest.SourceCase{
		Secret: "client_secret",
		Keys:   [3]secret.Text{secret.New("client-secret-now"), secret.New("client-secret-before"), secret.New("client-secret-never")},
		Body:   []byte(`[{"eventId":1,"portalId":4400112,"subscriptionType":"contact.creation","objectId":880011,"occurredAt":1764547199000},{"eventId":2,"portalId":4400112,"subscriptionType":"deal.creation","objectId":550001,"occurredAt":1764547199000}]`),
		Types:  []string{"contact.creation", "deal.creation"}, Headers: []string{"X-HubSpot-Signature-v3"}, Tolerance: 5 * time.Minute,
		Undecodable: [][]byte{[]byte("vid=880011&email=ann%40example.com"), []byte("{}"), []byte(`{"subscriptionType":"contact.creation"`), nil},
		Request: func(cfg connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
			r := &connectors.Request{Header: http.Header{}, Body: body}
			hubspot.Sign(r.Header, key, http.MethodPost, cfg.PublicURL, body, at)
			return r
		},
	}
}

func destination(marks map[string]string) *connectortest.DestinationCase {
	var sims sync.Map // of *hubspotsim.Sim by *connectortest.Fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := hubspotsim.New(hubspotsim.Options{Token: secret.New(token)})
			sims.Store(f, sim)
			serve(f, sim)
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := hubspotsim.New(hubspotsim.Options{Token: secret.New(token)})
			serve(f, sim)
			return func() int { return len(sim.Contacts()) }
		},
		Updates: people,
		Reads:   []string{"POST /crm/v3/objects/{type}/batch/read"},
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*hubspotsim.Sim).Refuse(u.Email, "Property values were not valid: this contact is locked by a rule")
		},
		OptsIn: func(r connectortest.Recorded) string {
			for _, field := range []string{"hs_email_optout", "hs_legal_basis", "hs_marketable", "opt_in", "subscription"} {
				if bytes.Contains(r.Body, []byte(field)) {
					return "it names " + field
				}
			}
			return ""
		},
		Marks:       marks,
		ErrorBodies: []string{`{"status":"COMPLETE","results":[],"errors":[]}`, `{"status":"error","message":"no"}`, `{}`},
	}
}

// serve puts a simulated account behind a fake.
func serve(f *connectortest.Fake, sim *hubspotsim.Sim) {
	for _, route := range []string{
		"POST /crm/v3/objects/{type}/batch/read", "POST /crm/v3/objects/{type}/batch/update", "POST /crm/v3/objects/{type}/batch/upsert",
		"POST /crm/v3/properties/{type}", "GET /crm/v3/properties/{type}/{name}", "PATCH /crm/v3/properties/{type}/{name}",
		"POST /crm/v3/properties/{type}/groups", "POST /crm/v3/lists/{$}", "GET /crm/v3/lists/object-type-id/{objectType}/name/{name}",
		"PUT /crm/v3/lists/{id}/memberships/add-and-remove", "GET /account-info/v3/details",
	} {
		f.Handle(route, sim.Handler().ServeHTTP)
	}
}

// people are those whom the suite pushes. Their stages are HubSpot's own labels,
// so that they fit either property.
func people() []connectors.Update {
	var all []connectors.Update
	for i, name := range []string{"dana", "eli", "fay", "gus"} {
		all = append(all, connectors.Update{
			Person: lifecycle.ProfileID(i + 1), ID: "u-" + name, Email: name + "@example.com",
			Want: connectors.State{
				Stage: []string{"Lead", "Customer"}[i%2], Segments: []string{"at_risk"}, Absent: []string{"dormant"},
				Traits: map[string]any{"jobtitle": "CTO"},
			},
		})
	}
	return all
}

func TestAccountConformance(t *testing.T) {
	t.Parallel()
	connectortest.RunAccounts(t, connectortest.AccountCase{
		Vendor: hubspot.Vendor(), Config: conforming(map[string]string{"app_id": "556677"}), BaseURL: "base_url",
		Serve: func(_ testing.TB, domains ...string) (http.Handler, func(string) (int, string, []string)) {
			sim := hubspotsim.New(hubspotsim.Options{Token: secret.New(token)})
			for _, d := range domains {
				sim.AddCompany(map[string]string{"domain": d})
			}
			return sim.Handler(), func(domain string) (int, string, []string) {
				found := sim.CompaniesOf(domain)
				if len(found) == 0 {
					return 0, "", nil
				}
				return len(found), found[0]["sb_stage"], strings.FieldsFunc(found[0]["sb_segments"], func(r rune) bool { return r == ';' })
			}
		},
	})
}
