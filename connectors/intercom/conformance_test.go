package intercom_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/intercom"
	"github.com/stagebridge/stagebridge/connectors/intercom/intercomsim"
	"github.com/stagebridge/stagebridge/secret"
)

// routes of the stand-in that a push or a check may use.
func routes() []string {
	return []string{
		"GET /me", "GET /contacts/{id}", "POST /contacts", "POST /contacts/search",
		"PUT /contacts/{id}", "GET /contacts/{id}/{more}", "POST /contacts/{id}/tags", "DELETE /contacts/{id}/tags/{tag}",
		"GET /tags", "POST /tags", "GET /data_attributes", "POST /data_attributes",
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	_, secrets := intercomsim.New().Connection("")
	connectortest.Run(t, connectortest.Case{
		Vendor: intercom.Vendor(),
		Config: connectors.Config{
			ID: "messenger", PublicURL: "https://bridge.example.com/hooks/messenger",
			Secrets: map[string][]secret.Text{"client_secret": {secret.New("client-secret-now")}, "access_token": {secret.New(secrets["access_token"])}},
			Push:    connectors.PushConfig{Create: true, Traits: map[string]string{"plan_name": "plan"}},
		},
		Source:      source(),
		Destination: destination(),
	})
}

func source() *connectortest.SourceCase {
	return &connectortest.SourceCase{
		Secret:      "client_secret",
		Keys:        [3]secret.Text{secret.New("client-secret-now"), secret.New("client-secret-before"), secret.New("client-secret-never")},
		Body:        []byte(`{"type":"notification_event","app_id":"ab12cd34","id":"notif_1","topic":"contact.user.created","created_at":1795166100,"data":{"item":{"type":"contact","id":"66aa11bb22cc33dd44ee5501","role":"user","external_id":"u-42","email":"dana@example.com"}}}`),
		Types:       []string{"contact.user.created"},
		Headers:     []string{"X-Hub-Signature"},
		Undecodable: [][]byte{[]byte(`{"type":"notification_event"}`), []byte(`{"topic":7}`), []byte(`{"topic":"contact.user.created","data":{"item":{"id":"1","id":"2"}}}`), nil},
		Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
			return &connectors.Request{Body: body, Header: http.Header{"X-Hub-Signature": {sign(key.Reveal(), body)}}}
		},
	}
}

func sign(key string, body []byte) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}

func destination() *connectortest.DestinationCase {
	var sims sync.Map // by fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := intercomsim.New()
			for _, u := range people()[1:] {
				sim.AddContact("user", "", u.Email, "vip", "sb:promoters")
			}
			sims.Store(f, sim)
			for _, route := range routes() {
				f.Handle(route, sim.ServeHTTP)
			}
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := intercomsim.New()
			for _, route := range routes() {
				f.Handle(route, sim.ServeHTTP)
			}
			return func() int { return len(sim.Held()) }
		},
		Bodiless: map[string]string{
			"POST /contacts/{id}/tags":         "a tag that is not put on is refused with a status; the answer is the tag alone",
			"DELETE /contacts/{id}/tags/{tag}": "a tag that is not taken off is refused with a status; the answer is the tag alone",
		},
		Updates: people,
		Reads:   []string{"POST /contacts/search"},
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*intercomsim.Sim).Refuse(u.Email, "Stage is not valid")
		},
		OptsIn: func(r connectortest.Recorded) string {
			for _, word := range []string{"unsubscribed_from_emails", "subscription", "unarchive"} {
				if bytes.Contains(r.Body, []byte(word)) || bytes.Contains([]byte(r.Path), []byte(word)) {
					return "it says " + word
				}
			}
			return ""
		},
		Marks: map[string]string{"stage": "sb_stage", "segments": "/tags", "traits": "plan_name"},
	}
}

// people are one new contact and three known ones.
func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"new@example.com", "dana@example.com", "Lee@Example.com", "ann@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"plan_name": "Team"}},
		})
	}
	return all
}
