package genericwebhook

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/secret"
)

// TestConformance holds the connector against the suite of all connectors.
func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: Vendor(),
		Config: connectors.Config{
			Settings: map[string]string{"url": "https://example.com/lifecycle", "auth": "bearer"},
			Secrets: map[string][]secret.Text{
				"signing_secret": {secret.New(specKey)},
				"auth_secret":    {secret.New("credential-of-the-receiver")},
			},
		},
		Source: &connectortest.SourceCase{
			Secret:    "source_secret",
			Keys:      [3]secret.Text{secret.New(specKey), secret.New(otherKey), secret.New("whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=")},
			Body:      []byte(`{"type":"subscription.started","timestamp":"2026-01-10T09:15:00.000Z","data":{"user_id":"u-1001","email":"ada@example.com","plan":"team","amount":49.0,"currency":"EUR"}}`),
			Types:     []string{"subscription.started"},
			Headers:   []string{"Webhook-Signature"},
			Tolerance: standardTolerance,
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				k, err := parseStandardKey(key)
				if err != nil {
					t.Fatal(err)
				}
				stamp := strconv.FormatInt(at.Unix(), 10)
				return &connectors.Request{Body: body, Header: http.Header{
					"Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {stamp},
					"Webhook-Signature": {k.sign("msg_1", stamp, body)},
				}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "url", BasePath: "/lifecycle",
			Healthy: func(f *connectortest.Fake) { f.Reply("POST /lifecycle", http.StatusOK, "thank you") },
			NoEmpty: "a webhook holds nobody; what its receiver does is the receiver's",
			Updates: func() []connectors.Update {
				updates := make([]connectors.Update, 3)
				for i, email := range []string{"ann@example.com", "bob@example.com", "eve@example.com"} {
					updates[i] = ann()
					updates[i].Email = email
				}
				return updates
			},
			Refuse: func(f *connectortest.Fake, u connectors.Update) {
				f.Handle("POST /lifecycle", func(w http.ResponseWriter, r *http.Request) {
					var body bytes.Buffer
					if _, err := body.ReadFrom(r.Body); err != nil {
						t.Error(err)
					}
					if bytes.Contains(body.Bytes(), []byte(u.Email)) {
						connectortest.Reply(http.StatusUnprocessableEntity, `{"error":"unknown customer"}`)(w, r)
					}
				})
			},
			NoConsent:   "a webhook carries no consent",
			BodyIgnored: "a 2xx is all that the standard asks of a receiver",
			Headers:     []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Authorization", "Content-Type"},
		},
	})
}
