package crisp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/crisp"
	"github.com/stagebridge/stagebridge/connectors/crisp/crispsim"
	"github.com/stagebridge/stagebridge/secret"
)

const goodBody = `{"website_id":"5d0c1f7e-1111-4222-8333-444455556666","event":"session:set_phone","data":{"session_id":"session_9a1b2c3d-0000-4000-8000-000000000001","phone":"+15550100"},"timestamp":1795166100000}`

const site = "/v1/website/" + crispsim.Website

func keys(names ...string) [3]secret.Text {
	return [3]secret.Text{secret.New(names[0]), secret.New(names[1]), secret.New(names[2])}
}

func conforming() connectors.Config {
	return connectors.Config{
		ID: "chat", PublicURL: "https://bridge.example.com/hooks/chat",
		Settings: map[string]string{"website_id": crispsim.Website, "token_identifier": crispsim.Identifier},
		Secrets:  map[string][]secret.Text{"token_key": {secret.New(crispsim.Key)}, "signing_secret": {secret.New("signing-secret-now")}},
		Push:     connectors.PushConfig{Create: true, Traits: map[string]string{"plan": "plan"}},
		Now:      func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: crisp.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret: "signing_secret", Keys: keys("signing-secret-now", "signing-secret-before", "signing-secret-never"),
			Body: []byte(goodBody), Types: []string{"session:set_phone"},
			Headers: []string{"X-Crisp-Signature", "X-Crisp-Request-Timestamp"}, Tolerance: time.Hour,
			Undecodable: [][]byte{[]byte("{}"), []byte(`{"event":""}`), []byte(`{"event":{}}`), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				return signed(key.Reveal(), fmt.Sprint(at.UnixMilli()), body)
			},
		},
		Destination: destination(),
	})
}

// TestConformanceURLSecret is a website hook, which Crisp does not sign.
func TestConformanceURLSecret(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	delete(cfg.Secrets, "signing_secret")
	connectortest.Run(t, connectortest.Case{
		Vendor: crisp.Vendor(), Config: cfg, Dir: "testdata/url-secret",
		Source: &connectortest.SourceCase{
			Secret: "webhook_secret", Keys: keys("url-secret-now", "url-secret-before", "url-secret-never"),
			Body: []byte(goodBody), Types: []string{"session:set_phone"},
			BodyUnsigned: true, Unsign: func(r *connectors.Request) { r.Query = "" },
			Request: func(_ connectors.Config, key secret.Text, _ time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Query: "key=" + key.Reveal()}
			},
		},
		Destination: destination(),
	})
}

// signed is a delivery of a plugin hook.
func signed(key, stamp string, body []byte) *connectors.Request {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "[%s;%s]", stamp, body)
	return &connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{
		"X-Crisp-Signature": {hex.EncodeToString(mac.Sum(nil))}, "X-Crisp-Request-Timestamp": {stamp},
	}}
}

func destination() *connectortest.DestinationCase {
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) { serve(f, workspace()) },
		Empty: func(f *connectortest.Fake) func() int {
			v := crispsim.New()
			serve(f, v)
			return func() int { return len(v.Held()) }
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			v := workspace()
			serve(f, v)
			number := fmt.Sprintf("%012d", 1+slices.IndexFunc(people(), func(one connectors.Update) bool { return one.Email == u.Email }))
			f.Handle("PATCH "+site+"/people/data/{key}", func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.PathValue("key"), number) {
					connectortest.Reply(http.StatusBadRequest, `{"error":true,"reason":"invalid_data","data":{"message":"a key is not allowed"}}`)(w, r)
					return
				}
				v.ServeHTTP(w, r)
			})
		},
		OptsIn: func(r connectortest.Recorded) string {
			if strings.Contains(r.Path, "subscription") || strings.Contains(string(r.Body), "subscri") {
				return "a subscription is consent"
			}
			return ""
		},
		Marks:       map[string]string{"stage": "sb_stage", "segments": "sb:", "traits": `"plan"`},
		ErrorBodies: []string{`{"error":true,"reason":"something_failed","data":{}}`, `{}`, `{"error":false,"reason":"resolved","data":null}`},
	}
}

// workspace is a simulated workspace that has all the people.
func workspace() *crispsim.Sim {
	v := crispsim.New()
	for _, u := range people() {
		v.AddProfile(u.Email, "vip")
	}
	return v
}

func serve(f *connectortest.Fake, v http.Handler) {
	for _, route := range []string{
		"GET " + site, "POST " + site + "/people/profile", "GET " + site + "/people/profile/{key}", "PATCH " + site + "/people/profile/{key}",
		"GET " + site + "/people/data/{key}", "PATCH " + site + "/people/data/{key}",
	} {
		f.Handle(route, v.ServeHTTP)
	}
}

func people() []connectors.Update {
	var all []connectors.Update
	for i, email := range []string{"dana@example.com", "Lee@Example.com", "ann+chat@example.com", "bo@example.com"} {
		all = append(all, connectors.Update{
			ID: fmt.Sprintf("v%d", i), Email: email,
			Want: connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"plan": "Team"}},
		})
	}
	return all
}
