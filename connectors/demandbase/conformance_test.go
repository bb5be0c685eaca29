package demandbase_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
	"github.com/stagebridge/stagebridge/connectors/demandbase/demandbasesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	settings, secrets := demandbasesim.New().Connection("https://uapi.demandbase.com")
	connectortest.Run(t, connectortest.Case{
		Vendor: demandbase.Vendor(),
		Config: connectors.Config{
			Settings: settings,
			Secrets: map[string][]secret.Text{
				"signing_secret": {secret.New("secret-of-today")}, "client_secret": {secret.New(secrets["client_secret"])},
			},
			Push: connectors.PushConfig{Create: true, Traits: map[string]string{"Plan": "plan"}},
		},
		Source: &connectortest.SourceCase{
			Secret: "signing_secret",
			Keys:   [3]secret.Text{secret.New("secret-of-today"), secret.New("secret-of-yesterday"), secret.New("secret-of-nobody")},
			Body:   []byte(people), Types: []string{"dbPerson", "dbPerson"},
			Headers: []string{"X-Demandbaseapi-Alertdatasignature"}, Undecodable: [][]byte{[]byte(`[1]`), []byte(`{"dbPersonAlertDetails":7}`), nil},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				mac := hmac.New(sha1.New, []byte(key.Reveal()))
				mac.Write(body)
				return &connectors.Request{Body: body, Header: http.Header{"X-Demandbaseapi-Alertdatasignature": {hex.EncodeToString(mac.Sum(nil))}}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url", Done: connectors.Submitted,
			Healthy: func(f *connectortest.Fake) { serve(f) },
			Empty: func(f *connectortest.Fake) func() int {
				sim := serve(f)
				return func() int { return len(sim.Held()) }
			},
			NotThere:    connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonSettings},
			NotThereWhy: "an import cannot be kept from making people, so with push.create off nobody is imported",
			Updates:     updates,
			Reads:       []string{"POST /auth/v1/token"},
			OptsIn: func(r connectortest.Recorded) string {
				if bytes.Contains(bytes.ToLower(r.Body), []byte("opt")) {
					return "it writes a field of consent"
				}
				return ""
			},
			Marks:       map[string]string{"stage": "Lifecycle Stage", "segments": "Lifecycle Segments", "traits": "Plan"},
			ErrorBodies: []string{`{}`, `{"id":70412,"state":"failed"}`, `{"message":"no"}`},
		},
	})
}

// serve puts a simulated account behind a fake.
func serve(f *connectortest.Fake) *demandbasesim.Sim {
	sim := demandbasesim.New()
	for _, route := range []string{"POST /auth/v1/token", "POST /import/v1/job", "PUT /import/v1/job/{id}/data", "GET /import/v1/job/{id}", "GET /import/v1/jobs"} {
		f.Handle(route, sim.ServeHTTP)
	}
	return sim
}

// people is a delivery about two people.
const people = `{"subscriptionType":"dbPerson","dbPersonAlertDetails":[{"dbPersonId":9001,"fields":["title"],"employments":[{"contactId":5,"fields":["companyId"]}]},` +
	`{"dbPersonId":9002,"fields":["title"],"employments":[]}],"pageNo":1,"pageSize":100,"totalCount":2,"totalPages":1}`

func updates() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "lee@example.com", "ann@example.com"} {
		all = append(all, connectors.Update{
			ID: "u-" + email[:2], Person: lifecycle.ProfileID(i + 1), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Plan": "Pro, yearly"}},
		})
	}
	return all
}

func TestAccountConformance(t *testing.T) {
	t.Parallel()
	settings, secrets := demandbasesim.New().Connection("https://uapi.demandbase.com")
	connectortest.RunAccounts(t, connectortest.AccountCase{
		Vendor: demandbase.Vendor(), BaseURL: "base_url",
		Config: connectors.Config{Settings: settings, Secrets: map[string][]secret.Text{"client_secret": {secret.New(secrets["client_secret"])}}},
		Serve: func(_ testing.TB, domains ...string) (http.Handler, func(string) (int, string, []string)) {
			sim := demandbasesim.New()
			for _, d := range domains {
				sim.AddAccount(d)
			}
			return sim, func(domain string) (int, string, []string) {
				held := sim.Account(domain)
				if held == nil {
					return 0, "", nil
				}
				return 1, held["Lifecycle Stage"], strings.FieldsFunc(held["Lifecycle Segments"], func(r rune) bool { return r == ';' })
			}
		},
		Done:        connectors.Submitted,
		NotThere:    connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonSettings},
		NotThereWhy: "an import cannot be kept from making accounts, so without create none is imported",
	})
}
