package hubspot

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

// testNow is the instant of every test: that of the signature vector.
var testNow = time.UnixMilli(1764547200000).UTC()

const (
	testSecret = "lb-test-secret-hubspot"
	testToken  = "pat-eu1-example-token"
)

// testConfig is a connection with every credential, changed by a test.
func testConfig(change ...func(*connectors.Config)) connectors.Config {
	c := connectors.Config{
		ID: "hubspot-eu", Instance: "test", PublicURL: "https://bridge.example.com/hooks/hubspot-eu",
		Settings: map[string]string{settingApp: "556677"},
		Secrets: map[string][]secret.Text{
			secretClient: {secret.New(testSecret)},
			secretToken:  {secret.New(testToken)},
		},
		Push: connectors.PushConfig{Enabled: true},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 5 * time.Second}),
		Now:  func() time.Time { return testNow },
		Log:  slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func setting(name, value string) func(*connectors.Config) {
	return func(c *connectors.Config) { c.Settings[name] = value }
}

func withSecret(name string, values ...string) func(*connectors.Config) {
	return func(c *connectors.Config) {
		c.Secrets[name] = nil
		for _, v := range values {
			c.Secrets[name] = append(c.Secrets[name], secret.New(v))
		}
	}
}

func creating(c *connectors.Config) { c.Push.Create = true }

func mustOpen(t testing.TB, config connectors.Config) *Connector {
	t.Helper()
	c, err := Vendor().Open(config)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*Connector)
}

// account starts a simulated account and a connection to it.
func startAccount(t testing.TB, o hubspotsim.Options, change ...func(*connectors.Config)) (*Connector, *hubspotsim.Sim) {
	t.Helper()
	o.Token, o.ClientSecret = secret.New(testToken), secret.New(testSecret)
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	sim := hubspotsim.New(o)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		sim.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return mustOpen(t, testConfig(append([]func(*connectors.Config){setting(settingBase, server.URL)}, change...)...)), sim
}

// signed makes a request as HubSpot sends it, signed by v3.
func signed(body string) *connectors.Request {
	r := &connectors.Request{
		Method: http.MethodPost, URL: "https://bridge.example.com/hooks/hubspot-eu",
		Header: http.Header{}, Body: []byte(body), Received: testNow,
	}
	Sign(r.Header, secret.New(testSecret), r.Method, r.URL, r.Body, testNow)
	return r
}

// update makes a push's update.
func update(id, email string, want connectors.State) connectors.Update {
	return connectors.Update{ID: id, Email: email, Want: want}
}

// uniqueID names one person of many.
func uniqueID(batch, i int) string { return fmt.Sprintf("p%d-%d", batch, i) }
