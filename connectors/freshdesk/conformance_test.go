package freshdesk_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/freshdesk"
	"github.com/stagebridge/stagebridge/connectors/freshdesk/freshdesksim"
	"github.com/stagebridge/stagebridge/secret"
)

func keys() [3]secret.Text {
	return [3]secret.Text{secret.New("webhook-secret-now"), secret.New("webhook-secret-before"), secret.New("webhook-secret-never")}
}

func conforming() connectors.Config {
	_, secrets := freshdesksim.New().Connection("")
	return connectors.Config{
		ID: "helpdesk", PublicURL: "https://bridge.example.com/hooks/helpdesk",
		Settings: map[string]string{"domain": "acme"},
		Secrets:  map[string][]secret.Text{"webhook_secret": {keys()[0]}, "api_key": {secret.New(secrets["api_key"])}},
		Push:     connectors.PushConfig{Create: true, Traits: map[string]string{"Plan name": "plan"}},
	}
}

var goodBody = []byte(`{"sb":1,"event":"ticket_solved","ticket_id":"4521","email":"dana@example.com"}`)

// TestConformance has the secret in the webhook's URL.
func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: freshdesk.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(), Body: goodBody, Types: []string{"ticket_solved"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Query = "" },
			Undecodable: [][]byte{[]byte(`{"lb":1}`), []byte(`{"event":7}`), []byte(`<other/>`), []byte(`<freshdesk_webhook><ticket_id>1</freshdesk_webhook>`), nil},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Query: "key=" + key.Reveal()}
			},
		},
		Destination: destination(),
	})
}

// TestConformanceHeader has it in a header of its own, TestConformanceBasic in
// the webhook's authentication.
func TestConformanceHeader(t *testing.T) {
	t.Parallel()
	inHeader(t, "X-Webhook-Key", func(key string) string { return key })
}

func TestConformanceBasic(t *testing.T) {
	t.Parallel()
	inHeader(t, "Authorization", func(key string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("stagebridge:"+key))
	})
}

func inHeader(t *testing.T, header string, value func(string) string) {
	connectortest.Run(t, connectortest.Case{
		Vendor: freshdesk.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(), Body: goodBody, Types: []string{"ticket_solved"},
			BodyUnsigned: true, Headers: []string{header},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{header: {value(key.Reveal())}}}
			},
		},
		Destination: destination(),
	})
}

func destination() *connectortest.DestinationCase {
	var sims sync.Map // by fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := freshdesksim.New()
			for _, u := range people()[1:] {
				sim.AddContact(u.Email, []string{"vip", "sb:promoters"})
			}
			sims.Store(f, sim)
			serve(f, sim)
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := freshdesksim.New()
			serve(f, sim)
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*freshdesksim.Sim).Refuse(u.Email, "Stage is not valid")
		},
		NoConsent: "Freshdesk keeps no consent to marketing mail",
		Marks:     map[string]string{"stage": "sb_stage", "segments": "sb:at_risk", "traits": "plan_name"},
	}
}

// serve puts a simulated account behind a fake.
func serve(f *connectortest.Fake, sim *freshdesksim.Sim) {
	for _, route := range []string{
		"GET /api/v2/agents/me", "GET /api/v2/contacts", "POST /api/v2/contacts", "GET /api/v2/contacts/{id}", "PUT /api/v2/contacts/{id}",
		"GET /api/v2/contact_fields", "POST /api/v2/contact_fields",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
}

// people are one new contact and three known ones.
func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"new@example.com", "dana@example.com", "Lee@Example.com", "ann@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Plan name": "Team"}},
		})
	}
	return all
}
