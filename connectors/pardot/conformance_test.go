package pardot_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/connectors/pardot/pardotsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: oneHost(), Config: conforming("key"), Destination: destination(),
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(), Body: []byte(step), Types: []string{"action.program_step"},
			Headers: []string{"X-Stagebridge-Key"}, BodyUnsigned: true, Undecodable: undecodable(),
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Key": {key.Reveal()}}}
			},
		},
	})
}

// TestConformanceSigned is the same source with the body signed.
func TestConformanceSigned(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: conforming("hmac"), Dir: "testdata/signed",
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys(), Body: []byte(step), Types: []string{"action.program_step"},
			Headers: []string{"X-Stagebridge-Signature"}, Undecodable: undecodable(),
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				mac := hmac.New(sha256.New, []byte(key.Reveal()))
				mac.Write(body)
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Signature": {hex.EncodeToString(mac.Sum(nil))}}}
			},
		},
	})
}

// step is what an external action sends.
const step = `{"event_id":"565722-became-mql-1795166045","event":"program_step","program":"Onboarding","step":"Became MQL",` +
	`"occurred_at":"2026-11-20T09:14:05Z","business_unit_id":"0Uv5g000000AbCdEFG","prospect":{"id":565722,"email":"dana@example.com","score":120,"grade":"B+"}}`

func undecodable() [][]byte {
	return [][]byte{[]byte(`{"event":"x"}`), []byte(`{"prospect":{}}`), []byte(`{"event":"No Words","prospect":{}}`), []byte(`[]`), nil}
}

// oneHost is the vendor with tokens fetched where the API is, since the suite
// knows one address only.
func oneHost() connectors.Vendor {
	v := pardot.Vendor()
	open := v.Open
	v.Open = func(cfg connectors.Config) (connectors.Connector, error) {
		if cfg.Settings["login_url"] != "" && cfg.Settings["base_url"] != "" {
			cfg.Settings["login_url"] = cfg.Settings["base_url"]
		}
		return open(cfg)
	}
	return v
}

// receiving is the vendor with nothing but its source.
func receiving() connectors.Vendor {
	v := pardot.Vendor()
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

func conforming(proof string) connectors.Config {
	settings, secrets := pardotsim.New().Connection("https://acme.my.salesforce.com")
	settings["proof"] = proof
	return connectors.Config{
		Settings: settings,
		Secrets: map[string][]secret.Text{
			"webhook_secret": {secret.New("secret-of-today")}, "client_secret": {secret.New(secrets["client_secret"])},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"company": "company"}},
	}
}

func keys() [3]secret.Text {
	return [3]secret.Text{secret.New("secret-of-today"), secret.New("secret-of-yesterday"), secret.New("secret-of-nobody")}
}

func destination() *connectortest.DestinationCase {
	empty := func(f *connectortest.Fake) *pardotsim.Sim {
		sim := pardotsim.New()
		sim.AddField("SB_Stage")
		sim.AddField("SB_Segments")
		for _, route := range []string{
			"POST /services/oauth2/token", "GET /api/v5/objects/account", "GET /api/v5/objects/custom-fields", "GET /api/v5/objects/prospects",
			"POST /api/v5/objects/prospects/do/upsertLatestByEmail", "PATCH /api/v5/objects/prospects/{id}",
		} {
			f.Handle(route, sim.ServeHTTP)
		}
		return sim
	}
	healthy := func(f *connectortest.Fake) *pardotsim.Sim {
		sim := empty(f)
		for _, u := range people() {
			sim.AddProspect(u.Email, nil)
		}
		return sim
	}
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) { healthy(f) },
		Empty: func(f *connectortest.Fake) func() int {
			sim := empty(f)
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Reads:   []string{"POST /services/oauth2/token"},
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			healthy(f).Refuse(u.Email, pardotsim.Refusal{Status: 400, Code: 61, Message: "Invalid input: the address is not valid"})
		},
		OptsIn: func(r connectortest.Recorded) string {
			if r.Method != http.MethodGet && (bytes.Contains(r.Body, []byte("optedOut")) || bytes.Contains(r.Body, []byte("DoNotEmail"))) {
				return "it writes a field of consent"
			}
			return ""
		},
		Marks:       map[string]string{"stage": `SB_Stage__c":`, "segments": `SB_Segments__c":`, "traits": "company"},
		ErrorBodies: []string{`{}`, `{"code":0}`, `[]`},
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "lee@example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: "u-" + email[:2], Person: lifecycle.ProfileID(i + 1), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme"}},
		})
	}
	return all
}
