package churnzero_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/churnzero"
	"github.com/stagebridge/stagebridge/connectors/churnzero/churnzerosim"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "churnzero", PublicURL: "https://bridge.example.com/hooks/churnzero",
		Settings: map[string]string{"base_url": "https://acme.us1app.churnzero.net/i"},
		Secrets: map[string][]secret.Text{
			"app_key": {secret.New(churnzerosim.AppKey)}, "url_secret": {secret.New("url-secret-now")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"Plan": "plan", "accountExternalId": "account_id"}},
		Now:  func() time.Time { return time.Date(2026, 1, 10, 9, 20, 0, 0, time.UTC) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: churnzero.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:       "url_secret",
			Keys:         [3]secret.Text{secret.New("url-secret-now"), secret.New("url-secret-before"), secret.New("url-secret-never")},
			Body:         []byte(`{"event":"health_changed","play":"Churn risk","step":"tell","accountExternalId":"acme","contactExternalId":"u-1001","contactEmail":"ada@example.com","churnScore":"38"}`),
			Types:        []string{"health_changed"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Path = "" },
			Undecodable: [][]byte{[]byte(`["event"]`), []byte(`{}`)},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Path: "/" + key.Reveal()}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url", BasePath: "/i", Done: connectors.Unconfirmed,
			Healthy: func(f *connectortest.Fake) { f.Handle("POST /i", churnzerosim.New().ServeHTTP) },
			Empty: func(f *connectortest.Fake) func() int {
				sim := churnzerosim.New()
				f.Handle("POST /i", sim.ServeHTTP)
				return func() int { return len(sim.Held()) }
			},
			Updates: people,
			OptsIn: func(r connectortest.Recorded) string {
				for _, word := range []string{"nsubscribe", "OptIn", "arketing"} {
					if bytes.Contains(r.Body, []byte(word)) {
						return word
					}
				}
				return ""
			},
			Marks:       map[string]string{"stage": "SB Lifecycle Stage", "segments": "SB Segments", "traits": "attr_Plan"},
			BodyIgnored: "ChurnZero answers with a picture, whatever became of the request",
		},
	})
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, name := range []string{"ada", "bob", "eve"} {
		u := connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: name + "@example.com", Keys: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u-%d", i)}},
			Want: connectors.State{Stage: "customer", Segments: []string{"eu", "power_users"}, Absent: []string{"at_risk"}, Traits: map[string]any{"Plan": "Pro", "accountExternalId": "acme"}},
		}
		if i == 0 {
			u.VendorID = "acme|u-1001"
		}
		all = append(all, u)
	}
	return all
}

func TestAccountConformance(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	connectortest.RunAccounts(t, connectortest.AccountCase{
		Vendor: churnzero.Vendor(), Config: cfg, BaseURL: "base_url", Done: connectors.Unconfirmed,
		VendorID: func(domain string) string { return "ext-" + domain },
		Serve: func(_ testing.TB, domains ...string) (http.Handler, func(string) (int, string, []string)) {
			sim := churnzerosim.New()
			for _, d := range domains {
				sim.AddAccount("ext-" + d)
			}
			tenant := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.Path = "/i" + strings.TrimSuffix(r.URL.Path, "/")
				sim.ServeHTTP(w, r)
			})
			return tenant, func(domain string) (int, string, []string) {
				held := sim.Account("ext-" + domain)
				if held == nil {
					return 0, "", nil
				}
				return 1, held["SB Lifecycle Stage"], strings.FieldsFunc(held["SB Segments"], func(r rune) bool { return r == ',' || r == ' ' })
			}
		},
	})
}
