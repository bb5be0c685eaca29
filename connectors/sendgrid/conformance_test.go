package sendgrid_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
	"github.com/stagebridge/stagebridge/connectors/sendgrid/sendgridsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "sendgrid", PublicURL: "https://bridge.example.com/hooks/sendgrid",
		Settings: map[string]string{},
		Secrets:  map[string][]secret.Text{"api_key": {secret.New(sendgridsim.Key)}},
		Push:     connectors.PushConfig{Create: true, Traits: map[string]string{"company": "company", "first_name": "first_name"}},
		Now:      func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	pairs := map[string]keyPair{}
	var keys [3]secret.Text
	for i := range keys {
		pair := newKeyPair()
		pairs[pair.public], keys[i] = pair, secret.New(pair.public)
	}
	cfg := conforming()
	cfg.Secrets["verification_key"] = []secret.Text{keys[0]}
	connectortest.Run(t, connectortest.Case{
		Vendor: sendgrid.Vendor(), Config: cfg,
		Source: &connectortest.SourceCase{
			Secret: "verification_key", Keys: keys,
			Body: []byte(`[{"email":"dana@example.com","timestamp":1795166100,"event":"open","sg_event_id":"ev-1"},` + "\r\n" +
				`{"email":"lee@example.com","timestamp":1795166101,"event":"unsubscribe","sg_event_id":"ev-2"}]` + "\r\n"),
			Types:   []string{"open", "unsubscribe"},
			Headers: []string{"X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"}, Tolerance: 26 * time.Hour,
			Undecodable: [][]byte{[]byte(`{"email":"dana@example.com","event":"open"}`), []byte(`[{"event":"open"},`), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				stamp := fmt.Sprint(at.Unix())
				return &connectors.Request{Body: body, Header: http.Header{
					"Content-Type":                           {"application/json"},
					"X-Twilio-Email-Event-Webhook-Timestamp": {stamp},
					"X-Twilio-Email-Event-Webhook-Signature": {pairs[key.Reveal()].sign(stamp, body)},
				}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url", Done: connectors.Submitted,
			Healthy: func(f *connectortest.Fake) { healthy(f) },
			Reads:   []string{"POST /v3/marketing/contacts/batch", "POST /v3/marketing/contacts/search/emails"},
			Empty: func(f *connectortest.Fake) func() int {
				sim := account(f)
				return func() int { return len(sim.Held()) }
			},
			Updates: people,
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				sim := healthy(f)
				f.Handle("PUT /v3/marketing/contacts", func(w http.ResponseWriter, r *http.Request) {
					// The stand-in refuses an address without an @.
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					email := strings.ToLower(u.Email)
					r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(email), []byte(strings.Replace(email, "@", " at ", 1)))))
					sim.ServeHTTP(w, r)
				})
			},
			OptsIn: func(r connectortest.Recorded) string {
				for _, word := range []string{"list_ids", "suppressions", "asm/", "unsubscribe"} {
					if bytes.Contains(r.Body, []byte(word)) || strings.Contains(r.Path, word) {
						return word
					}
				}
				return ""
			},
			Marks:       map[string]string{"stage": `"e1_T"`, "segments": `"e3_T"`, "traits": `"e4_T"`},
			ErrorBodies: []string{`{"errors":[{"message":"too many requests"}]}`, `{}`},
		},
	})
}

// healthy gives a fake the routes of a simulated account with all the fields
// and everybody in it.
func healthy(f *connectortest.Fake) *sendgridsim.Sim {
	sim := account(f)
	sim.Add(map[string]any{"email": "dana@example.com", "external_id": "u-42"})
	for _, u := range people()[1:] {
		sim.Add(map[string]any{"email": strings.ToLower(u.Email)})
	}
	return sim
}

// account is one that holds nobody.
func account(f *connectortest.Fake) *sendgridsim.Sim {
	sim := sendgridsim.New()
	for _, name := range []string{"sb_stage", "sb_stage_at", "sb_segments", "company"} {
		kind := "Text"
		if name == "sb_stage_at" {
			kind = "Date"
		}
		sim.AddField(name, kind)
	}
	for _, route := range []string{
		"GET /v3/scopes", "GET /v3/marketing/contacts/count", "GET /v3/marketing/field_definitions", "PUT /v3/marketing/contacts",
		"POST /v3/marketing/contacts/batch", "POST /v3/marketing/contacts/search/emails", "GET /v3/marketing/contacts/imports/{id}",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
	return sim
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Since: lifecycle.Instant(1795166100e6), Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme"}},
		})
	}
	return all
}
