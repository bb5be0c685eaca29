package helpscout_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/helpscout"
	"github.com/stagebridge/stagebridge/connectors/helpscout/helpscoutsim"
	"github.com/stagebridge/stagebridge/secret"
)

const goodBody = `{"id":550042,"firstName":"Dana","updatedAt":"2026-11-20T09:16:00Z"}`

func conforming() connectors.Config {
	return connectors.Config{
		ID: "support", PublicURL: "https://bridge.example.com/hooks/support",
		Settings: map[string]string{"app_id": helpscoutsim.App},
		Secrets:  map[string][]secret.Text{"app_secret": {secret.New(helpscoutsim.Secret)}, "webhook_secret": {secret.New("webhook-secret-now")}},
		Push:     connectors.PushConfig{Create: true, Traits: map[string]string{"plan": "plan"}},
		Now:      func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: helpscout.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret",
			Keys:   [3]secret.Text{secret.New("webhook-secret-now"), secret.New("webhook-secret-before"), secret.New("webhook-secret-never")},
			Body:   []byte(goodBody), Types: []string{"customer.updated"},
			Headers:     []string{"X-Helpscout-Signature"},
			Undecodable: [][]byte{[]byte("{}"), []byte(`{"id":null}`), []byte(`{"uri":"https://api.helpscout.net/v2/customers/1"}`), nil},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return signed(key.Reveal(), "customer.updated", body)
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) { serve(f, account()) },
			Empty: func(f *connectortest.Fake) func() int {
				v := helpscoutsim.New()
				v.Define("plan", "text")
				serve(f, v)
				return func() int { return len(v.Held()) }
			},
			Bodiless: map[string]string{"PATCH /v2/customers/{id}/properties": "Help Scout answers a change with 204"},
			Updates:  people,
			Reads:    []string{"POST /v2/oauth2/token"},
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				v := account()
				serve(f, v)
				number := strconv.Itoa(550001 + slices.IndexFunc(people(), func(one connectors.Update) bool { return one.Email == u.Email }))
				f.Handle("PATCH /v2/customers/{id}/properties", func(w http.ResponseWriter, r *http.Request) {
					if r.PathValue("id") == number {
						connectortest.Reply(http.StatusBadRequest, `{"message":"Bad request","_embedded":{"errors":[{"path":"/sb_stage","message":"is refused"}]}}`)(w, r)
						return
					}
					v.ServeHTTP(w, r)
				})
			},
			NoConsent:   "Help Scout sends no marketing mail and keeps no consent",
			Marks:       map[string]string{"stage": "/sb_stage", "segments": "/sb_segments", "traits": "/plan"},
			ErrorBodies: []string{`{}`, `{"access_token":""}`, `{"access_token":"helpscout-token-of-the-example"}`},
		},
	})
}

// signed is a delivery of an event.
func signed(key, event string, body []byte) *connectors.Request {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return &connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{
		"X-Helpscout-Signature": {base64.StdEncoding.EncodeToString(mac.Sum(nil))}, "X-Helpscout-Event": {event},
	}}
}

// account is a simulated account that has all the people and the trait's property.
func account() *helpscoutsim.Sim {
	v := helpscoutsim.New()
	v.Define("plan", "text")
	for _, u := range people() {
		v.AddCustomer(strings.ToLower(u.Email))
	}
	return v
}

func serve(f *connectortest.Fake, v http.Handler) {
	for _, route := range []string{
		"POST /v2/oauth2/token", "GET /v2/users/me", "GET /v2/customers", "POST /v2/customers", "GET /v2/customers/{id}",
		"PATCH /v2/customers/{id}/properties", "GET /v2/customer-properties", "POST /v2/customer-properties",
	} {
		f.Handle(route, v.ServeHTTP)
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, address := range []string{"dana@example.com", "Lee@Example.com", "ann+help@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: address,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"plan": "Team"}},
		})
	}
	return all
}
