package looker_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/looker"
	"github.com/stagebridge/stagebridge/secret"
)

const delivered = `{"type":"query","scheduled_plan":{"scheduled_plan_id":501,"title":"Trial users at risk","type":"Look","url":"https://acme.looker.com/looks/77","query_id":90011,"query":{"id":90011,"model":"sales","view":"users","fields":["users.id","users.email"]},"filters_differ_from_look":false,"download_url":null},"attachment":{"mimetype":"application/json","extension":"json","data":"{\"ran_at\":\"2026-11-20T08:59:00+00:00\",\"fields\":{\"dimensions\":[{\"name\":\"users.id\",\"type\":\"string\",\"tags\":[\"user_id\"]},{\"name\":\"users.email\",\"type\":\"string\",\"tags\":[\"email\"]}],\"measures\":[]},\"data\":[{\"users.id\":{\"value\":\"u-1001\"},\"users.email\":{\"value\":\"ada@example.com\"}},{\"users.id\":{\"value\":1002},\"users.email\":{\"value\":\"bo@example.com\"}}]}"},"data":{},"form_params":{"kind":"contact","list":""}}`

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "looker", PublicURL: "https://bridge.example.com/hooks/looker",
		Secrets: map[string][]secret.Text{"hub_token": {secret.New("hub-token-now")}, "webhook_secret": {secret.New("webhook-secret-now")}},
	}
}

func keys(now, before, never string) [3]secret.Text {
	return [3]secret.Text{secret.New(now), secret.New(before), secret.New(never)}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: looker.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "hub_token", Keys: keys("hub-token-now", "hub-token-before", "hub-token-never"),
			Body: []byte(delivered), Types: []string{"people.contact", "people.contact"}, Headers: []string{"Authorization"}, BodyUnsigned: true,
			Undecodable: [][]byte{
				nil, []byte(`{}`), []byte(`{"type":"cell","data":{"value":"x"}}`), []byte(`{"type":"query","attachment":{"mimetype":"text/csv","data":"a,b"}}`),
				[]byte(`{"attachment":{"mimetype":"application/json;base64","data":"%"}}`), []byte(`{"attachment":{"data":"[1]"}}`), []byte(`{"attachment":{"data":[{"users.name":"Ada"}]}}`),
			},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Path: "/people/execute", Body: body, Header: http.Header{
					"Authorization": {`Token token="` + key.Reveal() + `"`}, "X-Looker-Webhook-Id": {"d-1"}, "X-Looker-Instance": {"acme.looker.com"},
				}}
			},
		},
	})
}

// TestConformanceWebhook is a schedule with a webhook as destination.
func TestConformanceWebhook(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: looker.Vendor(), Config: conforming(), Dir: "testdata/webhook",
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys("webhook-secret-now", "webhook-secret-before", "webhook-secret-never"),
			Body: []byte(delivered), Types: []string{"people.lead", "people.lead"}, BodyUnsigned: true,
			Unsign: func(r *connectors.Request) { r.Query = "kind=lead" },
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Path: "/webhook", Query: "kind=lead&key=" + key.Reveal(), Body: body}
			},
		},
	})
}
