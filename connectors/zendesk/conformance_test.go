package zendesk_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
	"github.com/stagebridge/stagebridge/secret"
)

// routes of the stand-in that a push may use.
func routes() []string {
	return []string{
		"GET /api/v2/users/me", "GET /api/v2/users/show_many", "GET /api/v2/users/search", "GET /api/v2/users/{id}/identities",
		"PUT /api/v2/users/update_many", "POST /api/v2/users/create_or_update", "PUT /api/v2/users/{id}/tags", "DELETE /api/v2/users/{id}/tags",
		"GET /api/v2/user_fields", "POST /api/v2/user_fields", "GET /api/v2/job_statuses/{id}",
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	_, secrets := zendesksim.New().Connection("")
	connectortest.Run(t, connectortest.Case{
		Vendor: zendesk.Vendor(),
		Config: connectors.Config{
			ID: "support", PublicURL: "https://bridge.example.com/hooks/support",
			Settings: map[string]string{"email": "admin@example.com", "subdomain": "acme"},
			Secrets:  map[string][]secret.Text{"signing_secret": {secret.New("signing-secret-now")}, "api_token": {secret.New(secrets["api_token"])}},
			Push:     connectors.PushConfig{Create: true, Traits: map[string]string{"plan_name": "plan"}},
		},
		Source:      source(),
		Destination: destination(),
	})
}

func source() *connectortest.SourceCase {
	return &connectortest.SourceCase{
		Secret:  "signing_secret",
		Keys:    [3]secret.Text{secret.New("signing-secret-now"), secret.New("signing-secret-before"), secret.New("signing-secret-never")},
		Body:    []byte(`{"type":"zen:event-type:user.created","account_id":9001001,"id":"3f8e0d8a","time":"2026-11-20T08:59:00Z","detail":{"id":"6590001","email":"dana@example.com","role":"end-user"},"event":null}`),
		Types:   []string{"user.created"},
		Headers: []string{"X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"}, Tolerance: 5 * time.Minute,
		Undecodable: [][]byte{[]byte(`{"lb":1}`), []byte(`{"type":7,"event":{}}`), []byte(`{"type":"zen:event-type:user.created","detail":{"id":"1","id":"2"}}`), nil},
		Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
			stamp := at.UTC().Format(time.RFC3339)
			return &connectors.Request{Body: body, Header: http.Header{
				"X-Zendesk-Webhook-Signature":           {sign(key.Reveal(), stamp, body)},
				"X-Zendesk-Webhook-Signature-Timestamp": {stamp},
			}}
		},
	}
}

func sign(key, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func destination() *connectortest.DestinationCase {
	var sims sync.Map // by fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := zendesksim.New()
			for _, u := range people()[1:] {
				sim.AddUser(u.Email, []string{"vip", "sb_promoters"})
			}
			sims.Store(f, sim)
			for _, route := range routes() {
				f.Handle(route, sim.ServeHTTP)
			}
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := zendesksim.New()
			for _, route := range routes() {
				f.Handle(route, sim.ServeHTTP)
			}
			return func() int { return len(sim.Held()) }
		},
		MayFail: map[string]string{"GET /api/v2/job_statuses/{id}": "the job goes on, and is followed later"},
		Bodiless: map[string]string{
			"PUT /api/v2/users/{id}/tags":    "an answer without a list of tags says nothing against them; one with a list is compared",
			"DELETE /api/v2/users/{id}/tags": "a tag that was not there is as gone as one that was",
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*zendesksim.Sim).Refuse(u.Email, "Stage is not valid")
		},
		NoConsent: "Zendesk keeps no consent to marketing mail",
		Marks:     map[string]string{"stage": "sb_stage", "segments": "sb_at_risk", "traits": "plan_name"},
		// Two writes of one record at once.
		Outcomes: map[int]connectors.Outcome{http.StatusConflict: connectors.Retry},
	}
}

// people are one new user and three known ones.
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
