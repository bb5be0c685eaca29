package customerio_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/customerio"
	"github.com/stagebridge/stagebridge/connectors/customerio/customeriosim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "customerio", PublicURL: "https://bridge.example.com/hooks/customerio",
		Settings: map[string]string{"site_id": customeriosim.SiteID},
		Secrets: map[string][]secret.Text{
			"track_api_key": {secret.New(customeriosim.TrackKey)}, "app_api_key": {secret.New(customeriosim.AppKey)},
			"webhook_key": {secret.New("webhook-key-now")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"company": "company"}},
		Now:  func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func sign(key, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: customerio.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:  "webhook_key",
			Keys:    [3]secret.Text{secret.New("webhook-key-now"), secret.New("webhook-key-before"), secret.New("webhook-key-never")},
			Body:    []byte(`{"event_id":"01KAHB6Z0W3N1S5T7V9X2Y4Z6A","object_type":"customer","metric":"unsubscribed","timestamp":1795166100,"data":{"customer_id":"u-42","email_address":"dana@example.com","identifiers":{"id":"u-42","email":"dana@example.com","cio_id":"a3000001"}}}`),
			Types:   []string{"customer_unsubscribed"},
			Headers: []string{"X-CIO-Signature", "X-CIO-Timestamp"}, Tolerance: 8 * 24 * time.Hour,
			Undecodable: [][]byte{[]byte(`{"event_id":"01K","metric":"sent"}`), []byte(`[]`), []byte(`{"object_type":["email"],"metric":"sent"}`), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				stamp := fmt.Sprint(at.Unix())
				return &connectors.Request{Body: body, Header: http.Header{
					"Content-Type": {"application/json"}, "X-Cio-Timestamp": {stamp}, "X-Cio-Signature": {sign(key.Reveal(), stamp, body)},
				}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) {
				workspace(f, populated())
			},
			Reads:   []string{"POST /v1/customers/attributes"},
			Empty:   func(f *connectortest.Fake) func() int { return workspace(f, customeriosim.New()) },
			Updates: people,
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				sim := customeriosim.New() // nobody is there, so all go out by address
				f.Handle("POST /v1/customers/attributes", sim.ServeHTTP)
				f.Handle("POST /api/v2/batch", func(w http.ResponseWriter, r *http.Request) {
					// The stand-in refuses an address without an @.
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					broken := strings.Replace(u.Email, "@", " at ", 1)
					r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(strings.ToLower(u.Email)), []byte(broken))))
					sim.ServeHTTP(w, r)
				})
			},
			OptsIn: func(r connectortest.Recorded) string {
				for _, word := range []string{"unsubscribed", "cio_subscription_preferences", "unsuppress"} {
					if bytes.Contains(r.Body, []byte(word)) {
						return word
					}
				}
				return ""
			},
			Marks: map[string]string{"stage": "sb_stage", "segments": "sb_seg_", "traits": "company"},
			ErrorBodies: []string{
				`{"errors":[{"reason":"invalid","field":"batch","message":"refused"}]}`,
				`{"errors":[{"batch_index":99,"reason":"invalid","field":"id","message":"nobody"}]}`,
			},
		},
	})
}

// workspace puts a simulated workspace behind a fake.
func workspace(f *connectortest.Fake, sim *customeriosim.Sim) (held func() int) {
	for _, route := range []string{"GET /api/v1/accounts/region", "POST /api/v2/batch", "POST /v1/customers/attributes", "GET /v1/segments"} {
		f.Handle(route, sim.ServeHTTP)
	}
	return func() int { return len(sim.Held()) }
}

// populated is a workspace that holds all of the people.
func populated() *customeriosim.Sim {
	sim := customeriosim.New()
	for i, u := range people() {
		sim.Add(fmt.Sprintf("u-%d", i+1), u.Email, nil)
	}
	return sim
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email, Keys: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u-%d", i+1)}},
			Want: connectors.State{Stage: "Customer", Since: lifecycle.Instant(1795166100e6), Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme"}},
		})
	}
	return all
}
