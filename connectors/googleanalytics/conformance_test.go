package googleanalytics_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics/googleanalyticssim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func keys(names ...string) [3]secret.Text {
	return [3]secret.Text{secret.New(names[0]), secret.New(names[1]), secret.New(names[2])}
}

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "web", PublicURL: "https://bridge.example.com/hooks/web",
		Settings: map[string]string{"measurement_id": googleanalyticssim.MeasurementID},
		Secrets: map[string][]secret.Text{
			"api_secret": {secret.New(googleanalyticssim.Secret)}, "collect_secret": {secret.New("collect-secret-now")},
		},
		Push: connectors.PushConfig{Traits: map[string]string{"plan": "plan"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: googleanalytics.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "collect_secret", Keys: keys("collect-secret-now", "collect-secret-before", "collect-secret-never"),
			Body:         []byte(`[{"event_id":"e-1","event_name":"sign_up","client_id":"1.2"},{"event_id":"e-2","event_name":"login","client_id":"1.2"}]`),
			Types:        []string{"sign_up", "login"},
			Headers:      []string{"X-Stagebridge-Secret"},
			BodyUnsigned: true,
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Secret": {key.Reveal()}}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) {
				sim := googleanalyticssim.New()
				f.Handle("POST /mp/collect", sim.ServeHTTP).Handle("POST /debug/mp/collect", sim.ServeHTTP)
			},
			NoEmpty:     "a stream of events, and whoever has a client id is there",
			Updates:     people,
			NoConsent:   "consent at Google is the member consent, which is never sent",
			Done:        connectors.Unconfirmed,
			BodyIgnored: "the Measurement Protocol answers with nothing",
		},
	})
}

// TestConformanceKey is a page that posts with the public key.
func TestConformanceKey(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "collect_secret")
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: cfg, Dir: "testdata/key",
		Source: &connectortest.SourceCase{
			Secret: "collect_key", Keys: keys("collect-key-now", "collect-key-before", "collect-key-never"),
			Body: []byte(`{"event_id":"e-1","event_name":"page_view","client_id":"1.2"}`), Types: []string{"page_view"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Query = "" },
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Query: "key=" + key.Reveal()}
			},
		},
	})
}

// receiving is the vendor with nothing but its source.
func receiving() connectors.Vendor {
	v := googleanalytics.Vendor()
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

func people() []connectors.Update {
	var all []connectors.Update
	for i := range 4 {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), VendorID: fmt.Sprintf("1183902211.%d", i),
			Keys: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u-%d", i)}},
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"plan": "team"}},
			Moves: []connectors.Move{
				{ID: fmt.Sprintf("m%d", i), Seq: 1, At: lifecycle.At(connectortest.Now.Add(-time.Hour)), From: "Trial", To: "Customer", Kind: "forward"},
				{ID: fmt.Sprintf("n%d", i), Seq: 2, At: lifecycle.At(connectortest.Now.Add(-time.Minute)), From: "Customer", To: "Customer", Entered: []string{"at_risk"}, Kind: "forward"},
			},
		})
	}
	return all
}
