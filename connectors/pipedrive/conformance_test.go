package pipedrive_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/pipedrive"
	"github.com/stagebridge/stagebridge/connectors/pipedrive/pipedrivesim"
	"github.com/stagebridge/stagebridge/secret"
)

// goodBody is a change of labels, which no rule reads.
const goodBody = `{"data":{"id":8801,"label_ids":[5],"custom_fields":{}},"previous":{"label_ids":[4]},"meta":{"action":"change","entity":"person","entity_id":"8801","company_id":"4410","user_id":"331","id":"5f2b1c0e-0000-4000-8000-000000000001","timestamp":"2026-01-10T09:15:00.321Z","version":"2.0","change_source":"app","attempt":1}}`

func conforming() connectors.Config {
	return connectors.Config{
		ID: "sales", PublicURL: "https://bridge.example.com/hooks/sales",
		Settings: map[string]string{"base_url": "https://acme.pipedrive.com", "company_id": "4410", "user_id": "331"},
		Secrets: map[string][]secret.Text{
			"api_token": {secret.New(pipedrivesim.Token)}, "webhook_password": {secret.New("webhook-password-now")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"Plan": "plan"}},
		Now:  func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: pipedrive.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_password",
			Keys:   [3]secret.Text{secret.New("webhook-password-now"), secret.New("webhook-password-before"), secret.New("webhook-password-never")},
			Body:   []byte(goodBody), Types: []string{"person.change"},
			Headers: []string{"Authorization"}, BodyUnsigned: true,
			Undecodable: [][]byte{[]byte("{}"), []byte(`{"meta":{}}`), []byte(`{"meta":{"entity":"person"}}`), []byte(`{"meta":[]}`), nil},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Authorization": {basic("stagebridge", key.Reveal())}}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) { serve(f, company()) },
			Empty: func(f *connectortest.Fake) func() int {
				v := pipedrivesim.New()
				v.AddField("Plan", "varchar")
				serve(f, v)
				return func() int { return len(v.Held()) }
			},
			Updates: people,
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				v := company()
				serve(f, v)
				number := strconv.Itoa(102 + slices.IndexFunc(people(), func(one connectors.Update) bool { return one.Email == u.Email }))
				f.Handle("PATCH /api/v2/persons/{id}", func(w http.ResponseWriter, r *http.Request) {
					if r.PathValue("id") == number {
						connectortest.Reply(http.StatusBadRequest, `{"success":false,"error":"Validation failed: custom_fields is wrong"}`)(w, r)
						return
					}
					v.ServeHTTP(w, r)
				})
			},
			OptsIn: func(r connectortest.Recorded) string {
				if bytes.Contains(r.Body, []byte("marketing_status")) {
					return "marketing_status is consent"
				}
				return ""
			},
			Marks:       map[string]string{"stage": code("sb_stage"), "segments": code("sb_segments"), "traits": code("Plan")},
			ErrorBodies: []string{`{"success":false,"error":"Something went wrong"}`, `{}`, `{"success":true,"data":null}`},
		},
	})
}

// code is the API key that the simulated company gives a field of a name:
// printf %s sb_stage | sha1sum.
func code(name string) string {
	return map[string]string{
		"sb_stage": "0e509b3b79311f9eb9439641a652632d502c585a", "sb_segments": "0e32615e22bb14bf310957f68b1fb27cca6d1181", "Plan": "ae2f98a099fe5855c31126233e9c13641ee7fdba",
	}[name]
}

// company is a simulated company that has the field for the trait and five
// people, numbered from 101.
func company() *pipedrivesim.Sim {
	v := pipedrivesim.New()
	v.AddField("Plan", "varchar")
	v.AddPerson("Eve Example", "eve@example.com") // number 101
	for _, u := range people() {
		v.AddPerson(u.Email, u.Email)
	}
	return v
}

func serve(f *connectortest.Fake, v http.Handler) {
	for _, route := range []string{
		"GET /api/v1/users/me", "GET /api/v2/persons", "POST /api/v2/persons", "GET /api/v2/persons/search", "PATCH /api/v2/persons/{id}",
		"GET /api/v2/personFields", "POST /api/v2/personFields", "POST /api/v2/personFields/{code}/options",
	} {
		f.Handle(route, v.ServeHTTP)
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Plan": "Team"}},
		})
	}
	return all
}
