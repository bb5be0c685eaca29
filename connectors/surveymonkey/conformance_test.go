package surveymonkey_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey"
	"github.com/stagebridge/stagebridge/connectors/surveymonkey/surveymonkeysim"
	"github.com/stagebridge/stagebridge/secret"
)

const delivery = `{"name":"Stagebridge","filter_type":"survey","filter_id":"412093","event_type":"response_completed","event_id":"88120034","event_datetime":"2026-11-20T08:59:27.481920+00:00","object_type":"response","object_id":"7700441203","resources":{"respondent_id":"7700441203","recipient_id":"51177","collector_id":"44018822","survey_id":"412093","user_id":"902211"}}`

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	cfg := config("")
	cfg.HTTP, cfg.Instance = nil, ""
	return cfg
}

func keys(now, before, never string) [3]secret.Text {
	return [3]secret.Text{secret.New(now), secret.New(before), secret.New(never)}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: surveymonkey.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "client_secret", Keys: keys("client-secret-now", "client-secret-before", "client-secret-never"),
			Body: []byte(delivery), Types: []string{"response_completed"}, Headers: []string{"Sm-Signature"},
			Undecodable: [][]byte{nil, []byte(`{"object_id":"1"}`), []byte(`{"event_type":7}`), []byte(`{"event_type":"Not A Type"}`)},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Path: "/response_completed", Body: body, Header: http.Header{
					"Content-Type": {"application/vnd.surveymonkey.response.v1+json"},
					"Sm-Apikey":    {"client123"}, "Sm-Signature": {sign("client123&"+key.Reveal(), body)},
				}}
			},
		},
		Destination: destination(),
	})
}

// TestConformanceToken is an app whose secret is not to be seen.
func TestConformanceToken(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "client_secret")
	connectortest.Run(t, connectortest.Case{
		Vendor: surveymonkey.Vendor(), Config: cfg, Dir: "testdata/token",
		Source: &connectortest.SourceCase{
			Secret: "webhook_token", Keys: keys("webhook-token-now", "webhook-token-before", "webhook-token-never"),
			Body: []byte(delivery), Types: []string{"response_completed"}, Headers: []string{"Authorization"}, BodyUnsigned: true,
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Authorization": {"Bearer " + key.Reveal()}}}
			},
		},
		Destination: destination(),
	})
}

func sign(key string, body []byte) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"1": "Acme"}},
		})
	}
	return all
}

// account puts a simulated account with everybody in it behind a fake.
func account(f *connectortest.Fake) *surveymonkeysim.Sim {
	sim := surveymonkeysim.New()
	for i, u := range people() {
		sim.Add(surveymonkeysim.Contact{FirstName: fmt.Sprintf("First%d", i), LastName: "Last", Email: u.Email})
	}
	serve(f, sim)
	return sim
}

func serve(f *connectortest.Fake, sim *surveymonkeysim.Sim) {
	for _, route := range []string{
		"GET /v3/users/me", "GET /v3/contact_fields", "PATCH /v3/contact_fields/{id}", "POST /v3/contacts/bulk", "GET /v3/contacts", "GET /v3/contacts/{id}",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
}

func destination() *connectortest.DestinationCase {
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) { account(f) },
		Empty: func(f *connectortest.Fake) func() int {
			sim := surveymonkeysim.New()
			serve(f, sim)
			return func() int { return len(sim.Held()) }
		},
		Bodiless: map[string]string{"PATCH /v3/contact_fields/{id}": "a label that is not taken is refused with a status"},
		Updates:  people,
		Refuse:   func(f *connectortest.Fake, u connectors.Update) { account(f).Refuse(u.Email) },
		OptsIn: func(r connectortest.Recorded) string {
			if r.Method != http.MethodGet && (bytes.Contains(r.Body, []byte("status")) || bytes.Contains(r.Body, []byte("optout"))) {
				return "a status is written"
			}
			return ""
		},
		Marks:       map[string]string{"stage": `"6":`, "segments": `"5":`, "traits": `"1":`},
		ErrorBodies: []string{`{}`, `{"error":{"id":"1050","name":"Internal Server Error","message":"Oh bananas!","http_status_code":500}}`},
	}
}
