package calendly_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/calendly"
	"github.com/stagebridge/stagebridge/connectors/calendly/calendlysim"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "meetings", PublicURL: "https://bridge.example.com/hooks/meetings",
		Secrets: map[string][]secret.Text{
			"signing_key": {secret.New("signing-key-now")}, "access_token": {secret.New(calendlysim.Token)},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: calendly.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:  "signing_key",
			Keys:    [3]secret.Text{secret.New("signing-key-now"), secret.New("signing-key-before"), secret.New("signing-key-never")},
			Body:    []byte(`{"event":"invitee.created","created_at":"2026-11-20T09:15:00.000000Z","payload":{"uri":"https://api.calendly.com/scheduled_events/E1/invitees/I1","email":"ada@example.com"}}`),
			Types:   []string{"invitee.created"},
			Headers: []string{"Calendly-Webhook-Signature"}, Tolerance: 5 * time.Minute,
			Undecodable: [][]byte{[]byte(`{"created_at":"2026-11-20T09:15:00Z"}`), []byte(`{"event":""}`), []byte("event=invitee.created"), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Calendly-Webhook-Signature": {calendlysim.Sign(key.Reveal(), at.Unix(), body)}}}
			},
		},
	})
}
