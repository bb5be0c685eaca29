package typeform_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/typeform"
	"github.com/stagebridge/stagebridge/connectors/typeform/typeformsim"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "surveys", PublicURL: "https://bridge.example.com/hooks/surveys",
		Secrets: map[string][]secret.Text{
			"webhook_secret": {secret.New("typeform-secret-now")}, "access_token": {secret.New(typeformsim.Token)},
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: typeform.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:  "webhook_secret",
			Keys:    [3]secret.Text{secret.New("typeform-secret-now"), secret.New("typeform-secret-before"), secret.New("typeform-secret-never")},
			Body:    []byte(`{"event_id":"01HX4","event_type":"form_response","form_response":{"form_id":"AbC123","token":"tok1","submitted_at":"2026-11-20T09:15:00Z","hidden":{"user_id":"u-42"}}}`),
			Types:   []string{"form_response"},
			Headers: []string{"Typeform-Signature"},
			Undecodable: [][]byte{
				[]byte(`{"event_id":"01HX4"}`), []byte(`{"event_type":"form_response"}`), []byte("event_type=form_response"), nil,
			},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Typeform-Signature": {typeformsim.Sign(key.Reveal(), body)}}}
			},
		},
	})
}
