package salesforce_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: salesforce.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(),
			Body: []byte(outbound("Lead", "Contact")), Types: []string{"Lead", "Contact"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Query = "" },
			Undecodable: [][]byte{
				[]byte(`<?xml version="1.0"?><a/>`), []byte("<"), []byte(outbound()), []byte(outbound("Lead") + "<b/>"),
				[]byte(`<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`), []byte(`{"object":"Lead"}`), []byte(`{"object":"a b","sObject":{}}`), nil,
			},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Query: "key=" + key.Reveal()}
			},
		},
		Destination: destination(),
	})
}

// TestConformanceFlow is the other way in: JSON with the secret in a header.
func TestConformanceFlow(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: conforming(), Dir: "testdata/flow",
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(),
			Body: []byte(flow("Contact", "updated")), Types: []string{"Contact"},
			Headers: []string{"X-Stagebridge-Key"}, BodyUnsigned: true,
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Key": {key.Reveal()}}}
			},
		},
	})
}

// receiving is the vendor with nothing but its source.
func receiving() connectors.Vendor {
	v := salesforce.Vendor()
	open := v.Open
	v.Open = func(cfg connectors.Config) (connectors.Connector, error) {
		c, err := open(cfg)
		if err != nil {
			return nil, err
		}
		return source{c, c.(connectors.Source)}, nil
	}
	return v
}

type source struct {
	connectors.Connector
	connectors.Source
}

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	settings, secrets := salesforcesim.New().Connection("https://acme.my.salesforce.com")
	settings["organization_id"] = "00D5g00000AbCdE"
	settings["integration_user"] = "0055g000001AbCd"
	return connectors.Config{
		Settings: settings,
		Secrets: map[string][]secret.Text{
			"webhook_secret": {secret.New("secret-of-today")}, "client_secret": {secret.New(secrets["client_secret"])},
		},
		Push: connectors.PushConfig{Traits: map[string]string{"Title": "job_title"}},
	}
}

func keys() [3]secret.Text {
	return [3]secret.Text{secret.New("secret-of-today"), secret.New("secret-of-yesterday"), secret.New("secret-of-nobody")}
}

// routes of the stand-in, each of which the suite lets fail alone.
var routes = []string{
	"POST /services/oauth2/token", "GET /services/data/v66.0/limits", "GET /services/data/v66.0/query",
	"PATCH /services/data/v66.0/composite/sobjects", "PATCH /services/data/v66.0/composite/sobjects/{object}/{field}",
}

func destination() *connectortest.DestinationCase {
	healthy := func(f *connectortest.Fake) *salesforcesim.Sim {
		sim := salesforcesim.New()
		for i, u := range people() {
			// A contact, then a lead, and so on.
			object := []string{"Contact", "Lead"}[i%2]
			sim.Add(salesforcesim.Record{Object: object, Fields: map[string]any{"Email": u.Email, "IsConverted": false}})
		}
		for _, route := range routes {
			f.Handle(route, sim.ServeHTTP)
		}
		return sim
	}
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) { healthy(f) },
		Empty: func(f *connectortest.Fake) func() int {
			sim := salesforcesim.New()
			for _, route := range routes {
				f.Handle(route, sim.ServeHTTP)
			}
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Reads:   routes[:1],
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			healthy(f).Refuse(u.Email, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "The stage may not be changed here.")
		},
		OptsIn: func(r connectortest.Recorded) string {
			if r.Method != http.MethodGet && bytes.Contains(r.Body, []byte("HasOptedOut")) {
				return "it writes a field of consent"
			}
			return ""
		},
		Marks: map[string]string{"stage": "SB_Stage__c", "segments": "SB_Segments__c", "traits": "Title"},
		ErrorBodies: []string{
			`[]`, `{"hasErrors":true}`,
			`[{"success":false,"errors":[{"statusCode":"INVALID_FIELD","message":"No such column"}]}]`,
		},
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "o'ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: "u-" + email[:2], Person: lifecycle.ProfileID(i + 1), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Title": "CEO"}},
		})
	}
	return all
}

func TestAccountConformance(t *testing.T) {
	t.Parallel()
	connectortest.RunAccounts(t, connectortest.AccountCase{
		Vendor: salesforce.Vendor(), Config: conforming(), BaseURL: "base_url",
		Serve: func(_ testing.TB, domains ...string) (http.Handler, func(string) (int, string, []string)) {
			sim := salesforcesim.New()
			for _, d := range domains {
				sim.Add(salesforcesim.Record{Object: "Account", Fields: map[string]any{"Name": "Acme", "Website": d}})
			}
			return sim, func(domain string) (int, string, []string) {
				found := sim.Websites(domain)
				if len(found) == 0 {
					return 0, "", nil
				}
				stage, _ := found[0]["SB_Stage__c"].(string)
				segments, _ := found[0]["SB_Segments__c"].(string)
				return len(found), stage, strings.FieldsFunc(segments, func(r rune) bool { return r == ';' })
			}
		},
	})
}
