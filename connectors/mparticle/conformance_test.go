package mparticle_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mparticle"
	"github.com/stagebridge/stagebridge/connectors/mparticle/mparticlesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "app", PublicURL: "https://bridge.example.com/hooks/app",
		Settings: map[string]string{},
		Secrets: map[string][]secret.Text{
			"webhook_authorization": {secret.New("Bearer webhook-now")},
			"api_key":               {secret.New(mparticlesim.Key)}, "api_secret": {secret.New(mparticlesim.Secret)},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"plan": "plan"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: mparticle.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_authorization",
			Keys:   [3]secret.Text{secret.New("Bearer webhook-now"), secret.New("Basic d2ViaG9vazpiZWZvcmU="), secret.New("Bearer webhook-never")},
			Body: []byte(`{"mpid":-7342198765432109876,"environment":"production","events":[` +
				`{"event_type":"custom_event","data":{"event_name":"Signed Up","message_id":"m-1"}},{"event_type":"commerce_event","data":{"message_id":"m-2","product_action":{"action":"purchase"}}}]}`),
			Types:        []string{"custom_event.signed_up", "commerce_event.purchase"},
			Headers:      []string{"Authorization"},
			BodyUnsigned: true,
			Undecodable:  [][]byte{[]byte(`[]`), []byte(`{"events":{}}`), nil},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Authorization": {key.Reveal()}}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) {
				sim := mparticlesim.New()
				f.Handle("POST /v2/bulkevents", sim.ServeHTTP).Handle("POST /v2/events", sim.ServeHTTP)
			},
			Empty: func(f *connectortest.Fake) func() int {
				sim := mparticlesim.New()
				f.Handle("POST /v2/bulkevents", sim.ServeHTTP).Handle("POST /v2/events", sim.ServeHTTP)
				return func() int { return len(sim.Held()) }
			},
			Updates: people,
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				sim := mparticlesim.New()
				refuse := func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if bytes.Contains(body, []byte(u.Email)) || u.VendorID != "" && bytes.Contains(body, []byte(u.VendorID)) {
						connectortest.Reply(http.StatusBadRequest, `{"errors":[{"code":"BAD_REQUEST","message":"no such person"}]}`)(w, r)
						return
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					sim.ServeHTTP(w, r)
				}
				f.Handle("POST /v2/bulkevents", refuse).Handle("POST /v2/events", refuse)
			},
			NoConsent:   "consent at mParticle is consent_state, which is never sent",
			Done:        connectors.Unconfirmed,
			Marks:       map[string]string{"stage": `"sb_stage"`, "segments": `"sb_segments"`, "traits": `"plan"`},
			BodyIgnored: "the Events API answers 202 with nothing",
		},
	})
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "lee@example.com", "ann@example.com", "bo@example.com"} {
		u := connectors.Update{
			ID: fmt.Sprintf("v%d", i), Person: lifecycle.ProfileID(i + 1), Email: email,
			Keys: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u-%d", i)}},
			Want: connectors.State{
				Stage: "Customer", Since: lifecycle.At(connectortest.Now.Add(-time.Hour)), Segments: []string{"at_risk"}, Absent: []string{"promoters"},
				Traits: map[string]any{"plan": "team"},
			},
		}
		if i == 3 {
			u.VendorID = "-7342198765432109876"
		}
		all = append(all, u)
	}
	return all
}
