package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/stripe"
	"github.com/stagebridge/stagebridge/connectors/stripe/stripesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// conforming is the connection that the suite opens.
func conforming() connectors.Config {
	return connectors.Config{
		ID: "shop", PublicURL: "https://bridge.example.com/hooks/shop",
		Secrets: map[string][]secret.Text{
			"api_key": {secret.New(stripesim.APIKey)}, "signing_secret": {secret.New("whsec_now")},
		},
		Settings: map[string]string{"mode": "any"},
		Push:     connectors.PushConfig{Traits: map[string]string{"plan": "plan"}},
		Now:      func() time.Time { return time.Unix(1795166110, 0) },
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Case{
		Vendor: stripe.Vendor(), Config: conforming(),
		Source: &connectortest.SourceCase{
			Secret:  "signing_secret",
			Keys:    [3]secret.Text{secret.New("whsec_now"), secret.New("whsec_before"), secret.New("whsec_never")},
			Body:    []byte(`{"id":"evt_1SB","object":"event","created":1795166100,"type":"customer.created","livemode":true,"data":{"object":{"id":"cus_SB42","object":"customer","email":"dana@example.com"}}}`),
			Types:   []string{"customer.created"},
			Headers: []string{"Stripe-Signature"}, Tolerance: 300 * time.Second,
			Undecodable: [][]byte{[]byte(`{"id":"evt_1SB"}`), []byte(`{"type":"customer.created"}`), []byte("type=customer.created"), nil},
			Request: func(_ connectors.Config, key secret.Text, at time.Time, body []byte) *connectors.Request {
				return &connectors.Request{Body: body, Header: http.Header{"Stripe-Signature": {sign(key.Reveal(), at.Unix(), body)}}}
			},
		},
		Destination: destination(),
	})
}

// sign makes the header as Stripe does.
func sign(key string, at int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%d.%s", at, body)
	return fmt.Sprintf("t=%d,v1=%s,v0=00", at, hex.EncodeToString(mac.Sum(nil)))
}

func destination() *connectortest.DestinationCase {
	var sims sync.Map // of *stripesim.Sim by *connectortest.Fake
	return &connectortest.DestinationCase{
		BaseURL: "base_url",
		Healthy: func(f *connectortest.Fake) {
			sim := stripesim.New()
			sims.Store(f, sim)
			for _, u := range people() {
				sim.AddCustomer(u.Email, nil)
			}
			serve(f, sim)
		},
		Empty: func(f *connectortest.Fake) func() int {
			sim := stripesim.New()
			serve(f, sim)
			return func() int { return len(sim.Held()) }
		},
		Updates: people,
		Refuse: func(f *connectortest.Fake, u connectors.Update) {
			sim, _ := sims.Load(f)
			sim.(*stripesim.Sim).Refuse(u.Email, "This customer is locked.")
		},
		NoConsent: "Stripe holds no consent to mail that a push could reach; only metadata is written",
		Marks:     map[string]string{"stage": "sb_stage", "segments": "sb_segments", "traits": "plan"},
		// A conflict at Stripe is with another request under way.
		Outcomes: map[int]connectors.Outcome{http.StatusConflict: connectors.Retry},
		ErrorBodies: []string{
			`{"id":"cus_SB42","object":"customer","deleted":true}`, `{"object":"list","data":"none"}`, `{}`,
			`{"error":{"type":"api_error","message":"no"}}`,
		},
		Headers: []string{"Idempotency-Key", "Content-Type"},
	}
}

// serve puts a simulated account behind a fake.
func serve(f *connectortest.Fake, sim *stripesim.Sim) {
	for _, route := range []string{
		"GET /v1/account", "GET /v1/customers", "POST /v1/customers", "GET /v1/customers/{id}", "POST /v1/customers/{id}",
	} {
		f.Handle(route, sim.ServeHTTP)
	}
}

// people are those whom the suite pushes.
func people() []connectors.Update {
	var all []connectors.Update
	for i, name := range []string{"dana", "eli", "fay", "gus"} {
		all = append(all, connectors.Update{
			Person: lifecycle.ProfileID(i + 1), ID: "u-" + name, Email: name + "@example.com",
			Want: connectors.State{
				Stage: "Customer", Since: lifecycle.At(time.Date(2026, 11, 20, 9, 15, 0, 0, time.UTC)),
				Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"plan": "team"},
			},
		})
	}
	return all
}

// TestOnlyMetadataIsWritten: a push reaches nothing else of a customer, and
// never empties all of it.
func TestOnlyMetadataIsWritten(t *testing.T) {
	t.Parallel()
	f := connectortest.NewFake(t)
	d := destination()
	d.Healthy(f)
	c := open(t, f.URL, nil)
	if _, err := c.Push(t.Context(), people()); err != nil {
		t.Fatal(err)
	}
	writes := 0
	for _, r := range f.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		writes++
		for part := range strings.SplitSeq(string(r.Body), "&") {
			if !strings.HasPrefix(part, "metadata%5B") {
				t.Errorf("%s writes %s", r.Path, part)
			}
		}
	}
	if writes != len(people()) {
		t.Errorf("%d writes for %d people", writes, len(people()))
	}
}
