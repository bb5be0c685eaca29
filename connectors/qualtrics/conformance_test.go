package qualtrics_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/qualtrics"
	"github.com/stagebridge/stagebridge/connectors/qualtrics/qualtricssim"
	"github.com/stagebridge/stagebridge/secret"
)

const completed = `{"Status":"Complete","SurveyID":"SV_3kExample0001","ResponseID":"R_1xExample01","RecipientID":"MLRP_1x","DistributionChannel":"email","CompletedDate":"2026-11-20 08:59:27","BrandID":"acmebrand","IsTest":"0","IsPreview":"0"}`

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
		Vendor: qualtrics.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "shared_key", Keys: keys("shared-key-now", "shared-key-before", "shared-key-never"),
			Body: form([]byte(completed), "shared-key-now"), Types: []string{"surveyengine.completedResponse"},
			Request: delivery,
			Unsign:  func(r *connectors.Request) { r.Body, _, _ = bytes.Cut(r.Body, []byte("&HMAC=")) },
		},
		Destination: destination(),
	})
}

// form is a delivery's body. The vendor puts the topic first; nothing covers
// it, so it stands between the two fields that belong together.
func form(message []byte, key string) []byte {
	mac := hmac.New(sha512.New, []byte(key))
	mac.Write(message)
	return []byte("MSG=" + url.QueryEscape(string(message)) + "&Topic=acmebrand.surveyengine.completedResponse.SV_3kExample0001&HMAC=" + hex.EncodeToString(mac.Sum(nil)))
}

// delivery signs the message in a form; any other body becomes the message.
func delivery(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
	message := body
	if escaped, ok := bytes.CutPrefix(body, []byte("MSG=")); ok {
		escaped, _, _ = bytes.Cut(escaped, []byte("&"))
		if plain, err := url.QueryUnescape(string(escaped)); err == nil {
			message = []byte(plain)
		}
	}
	return &connectors.Request{Body: form(message, key.Reveal()), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
}

// TestConformanceWorkflow is the other way in, with credentials of a client.
func TestConformanceWorkflow(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	oauth(&cfg)
	connectortest.Run(t, connectortest.Case{
		Vendor: qualtrics.Vendor(), Config: cfg, Dir: "testdata/workflow",
		Source: &connectortest.SourceCase{
			Secret: "workflow_secret", Keys: keys("workflow-secret-now", "workflow-secret-before", "workflow-secret-never"),
			Body:  []byte(`{"event":"response.completed","responseId":"R_1xExample01","surveyId":"SV_3kExample0001","email":"ada@example.com","externalId":"u-1001","nps":"9","recordedDate":"2026-01-10T09:15:27Z"}`),
			Types: []string{"workflow.response.completed"}, Headers: []string{"X-Stagebridge-Secret"}, BodyUnsigned: true,
			Undecodable: [][]byte{nil, []byte(`{"event":"response.completed","nps":,"a":1}`), []byte(`{"responseId":"R_1"}`), []byte(`{"event":"no name"}`)},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Path: "/workflow", Body: body, Header: http.Header{"X-Stagebridge-Secret": {key.Reveal()}}}
			},
		},
		Destination: destination(),
	})
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		u := person(email, fmt.Sprintf("u-%d", i), "Customer")
		u.ID, u.Want.Traits = fmt.Sprintf("v%d", i), map[string]any{"company": "Acme"}
		all = append(all, u)
	}
	return all
}

// directory puts a simulated brand with everybody but the last in it behind a fake.
func directory(f *connectortest.Fake) *qualtricssim.Sim {
	sim := qualtricssim.New()
	for i, u := range people()[:3] {
		sim.Add(qualtricssim.Contact{First: fmt.Sprintf("First%d", i), Email: u.Email})
	}
	serve(f, sim)
	return sim
}

func serve(f *connectortest.Fake, sim *qualtricssim.Sim) {
	const contacts = "/API/v3/directories/" + qualtricssim.Directory + "/contacts"
	for _, route := range []string{
		"GET /API/v3/whoami", "POST /oauth2/token", "POST " + contacts, "POST " + contacts + "/search", "GET " + contacts + "/{id}", "PUT " + contacts + "/{id}",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
}

func destination() *connectortest.DestinationCase {
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) { directory(f) },
		Empty: func(f *connectortest.Fake) func() int {
			sim := qualtricssim.New()
			serve(f, sim)
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Reads:   []string{"POST /API/v3/directories/" + qualtricssim.Directory + "/contacts/search", "POST /oauth2/token"},
		Refuse:  func(f *connectortest.Fake, u connectors.Update) { directory(f).Refuse(u.Email) },
		OptsIn: func(r connectortest.Recorded) string {
			if bytes.Contains(r.Body, []byte(`"unsubscribed":false`)) || r.Method == http.MethodPut && bytes.Contains(r.Body, []byte("unsubscribed")) {
				return "a subscription is written"
			}
			return ""
		},
		ErrorBodies: []string{`{}`, `{"result":{"id":"CID_1","elements":[]}}`, `{"meta":{"httpStatus":"400 - Bad Request","error":{"errorMessage":"no","errorCode":"E"}}}`, `{"meta":{"httpStatus":"200 - OK"}}`},
	}
}
