package salesforcemarketingcloud_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	sfmc "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud"
	sfmcsim "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud/salesforcemarketingcloudsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "mc-eu", PublicURL: "https://bridge.example.com/hooks/mc-eu",
		Settings: map[string]string{"subdomain": "mc-stand-in", "client_id": sfmcsim.ClientID, "account_id": "510001"},
		Secrets: map[string][]secret.Text{
			"client_secret": {secret.New(sfmcsim.ClientSecret)}, "signature_key": {secret.New("signature-key-now")},
		},
		Push: connectors.PushConfig{Traits: map[string]string{"Plan": "plan"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: sfmc.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:  "signature_key",
			Keys:    [3]secret.Text{secret.New("signature-key-now"), secret.New("signature-key-before"), secret.New("signature-key-never")},
			Body:    []byte(`[{"eventCategoryType":"EngagementEvents.EmailOpen","timestampUTC":1795166100000,"mid":510001,"eid":510000,"composite":{"jobId":"1","subscriberId":"7"},"info":{}}, {"eventCategoryType":"EngagementEvents.EmailUnsubscribe","timestampUTC":1795166101000,"mid":510001,"eid":510000,"composite":{"jobId":"1","subscriberId":"7"},"info":{"to":"dana@example.com"}}]`),
			Types:   []string{"EngagementEvents.EmailOpen", "EngagementEvents.EmailUnsubscribe"},
			Headers: []string{"X-Sfmc-Ens-Signature"},
			Undecodable: [][]byte{
				[]byte(`{"mid":510001}`), []byte(`[{"eventCategoryType":"A.B"}`), []byte("eventCategoryType=A.B"), nil,
			},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Sfmc-Ens-Signature": {sfmcsim.Sign(key.Reveal(), body)}}}
			},
		},
		Destination: destination(),
	})
}

func destination() *connectortest.DestinationCase {
	var sims sync.Map // of *sfmcsim.Sim by *connectortest.Fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := sfmcsim.New()
			sims.Store(f, sim)
			for _, u := range people() {
				sim.AddContact("key-of-"+u.ID, u.Email)
			}
			serve(f, sim)
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := sfmcsim.New()
			serve(f, sim)
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Reads:   []string{"POST /v2/token", "POST /contacts/v1/addresses/email/search"},
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*sfmcsim.Sim).Refuse(u.Email, "The value of Email is not an address")
		},
		NoConsent:   "a row of a data extension changes no subscription; no call that could is made",
		Marks:       map[string]string{"stage": `"Stage":`, "segments": `"Segments":`, "traits": `"Plan":`},
		ErrorBodies: []string{`{"access_token":""}`, `{"operationStatus":"FAIL"}`, `[]`, `{}`},
	}
}

// serve puts a simulated account behind a fake.
func serve(f *connectortest.Fake, sim *sfmcsim.Sim) {
	for _, route := range []string{
		"POST /v2/token", "GET /platform/v1/tokenContext", "GET /data/v1/customobjects", "POST /data/v1/customobjects",
		"POST /hub/v1/dataevents/{extension}/rowset", "POST /contacts/v1/addresses/email/search",
		"GET /data/v1/customobjectdata/key/{key}/rowset",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
}

// people are those whom the suite pushes.
func people() []connectors.Update {
	var all []connectors.Update
	for i, name := range []string{"dana", "eli", "fay", "gus"} {
		all = append(all, connectors.Update{
			Person: lifecycle.ProfileID(i + 1), ID: "u-" + name, Email: name + "@example.com",
			Want: connectors.State{
				Stage: "Customer", Since: lifecycle.At(time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)),
				Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Plan": "team"},
			},
		})
	}
	return all
}
