package segment_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/connectors/segment/segmentsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func keys(names ...string) [3]secret.Text {
	return [3]secret.Text{secret.New(names[0]), secret.New(names[1]), secret.New(names[2])}
}

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "product", PublicURL: "https://bridge.example.com/hooks/product",
		Settings: map[string]string{"group_trait": "account_id"},
		Secrets: map[string][]secret.Text{
			"write_key": {secret.New(segmentsim.WriteKey)}, "shared_secret": {secret.New("shared-secret-now")},
			"server_key": {secret.New("server-write-key-now")}, "browser_key": {secret.New("browser-key-now")},
		},
		Push: connectors.PushConfig{Create: true, Traits: map[string]string{"plan": "plan", "account_id": "account_id"}},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: segment.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "shared_secret", Keys: keys("shared-secret-now", "shared-secret-before", "shared-secret-never"),
			Body:        []byte(`{"type":"track","event":"Trial Started","userId":"u-1001","messageId":"m-1"}`),
			Types:       []string{"track.trial_started"},
			Headers:     []string{"X-Signature"},
			Undecodable: [][]byte{[]byte(`{"type":"track"`), []byte(`"text"`), nil, []byte(`{"batch":`)},
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Signature": {sign(key.Reveal(), body)}}}
			},
		},
		Destination: &connectortest.DestinationCase{
			BaseURL: "base_url",
			Healthy: func(f *connectortest.Fake) {
				f.Handle("POST /v1/batch", segmentsim.New().ServeHTTP)
			},
			Empty: func(f *connectortest.Fake) func() int {
				sim := segmentsim.New()
				f.Handle("POST /v1/batch", sim.ServeHTTP)
				return func() int { return len(sim.Held()) }
			},
			EmptyWith: func(cfg *connectors.Config) { cfg.Settings["identify_by"] = "email" },
			Strangers: func() []connectors.Update {
				all := people()
				for i := range all {
					all[i].Keys = all[i].Keys[1:] // the address alone
				}
				return all
			},
			Updates:     people,
			NoConsent:   "consent at Segment is context.consent, which is never sent",
			Done:        connectors.Unconfirmed,
			ErrorBodies: []string{`{"success":false,"message":"no"}`, `{}`},
			Headers:     []string{"Authorization"},
		},
	})
}

// TestConformanceHeader is a webhook that proves itself with a header of ours.
func TestConformanceHeader(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "shared_secret")
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: cfg, Dir: "testdata/header",
		Source: &connectortest.SourceCase{
			Secret: "header_secret", Keys: keys("header-secret-now", "header-secret-before", "header-secret-never"),
			Body:         []byte(`[{"type":"identify","userId":"u-1","messageId":"m-1"},{"type":"page","userId":"u-1","messageId":"m-2"}]`),
			Types:        []string{"identify", "page"},
			Headers:      []string{"X-Stagebridge-Secret"},
			BodyUnsigned: true,
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"X-Stagebridge-Secret": {key.Reveal()}}}
			},
		},
	})
}

// TestConformanceTracking is the tracking API that a connection serves.
func TestConformanceTracking(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "browser_key")
	connectortest.Run(t, connectortest.Case{
		Vendor: receiving(), Config: cfg, Dir: "testdata/tracking",
		Source: &connectortest.SourceCase{
			Secret: "server_key", Keys: keys("server-write-key-now", "server-write-key-before", "server-write-key-never"),
			Body:         []byte(`{"batch":[{"type":"track","event":"Signed Up","userId":"u-1","messageId":"m-1"},{"type":"alias","previousId":"a-1","userId":"u-1","messageId":"m-2"}],"sentAt":"2026-11-20T09:00:00Z"}`),
			Types:        []string{"track.signed_up", "alias"},
			Headers:      []string{"Authorization"},
			BodyUnsigned: true,
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Path: "/v1/batch", Body: body, Header: http.Header{
					"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(key.Reveal()+":"))},
				}}
			},
		},
	})
}

// sign is the vendor's recipe: the first element where the body is a list.
func sign(key string, body []byte) string {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// receiving is the vendor with nothing but its source.
func receiving() connectors.Vendor {
	v := segment.Vendor()
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
	for i, email := range []string{"dana@example.com", "lee@example.com", "ann@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Keys: []lifecycle.Key{{Namespace: "user", Value: fmt.Sprintf("u-%d", i)}, {Namespace: "email", Value: email}},
			Want: connectors.State{
				Stage: "Customer", Since: lifecycle.At(connectortest.Now), Segments: []string{"at_risk"}, Absent: []string{"promoters"},
				Traits: map[string]any{"plan": "team", "account_id": "acme"},
			},
			Moves: []connectors.Move{{ID: fmt.Sprintf("m%d", i), Seq: 1, At: lifecycle.At(connectortest.Now), From: "Trial", To: "Customer", Kind: "forward", Entered: []string{"at_risk"}}},
		})
	}
	return all
}
