package zendesk_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/zendesk"
	"github.com/stagebridge/stagebridge/connectors/zendesk/zendesksim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated Zendesk that notes every request.
type vendor struct {
	*zendesksim.Sim
	url string

	mu       sync.Mutex
	requests []string // method, path and body
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: zendesksim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests = append(v.requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, strings.TrimPrefix(r.URL.RequestURI(), "/api/v2"), body)))
		v.mu.Unlock()
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.requests
	v.requests = nil
	return all
}

func config(url string) connectors.Config {
	settings, secrets := zendesksim.New().Connection(url)
	return connectors.Config{
		ID: "support", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/support", Settings: settings,
		Secrets: map[string][]secret.Text{"api_token": {secret.New(secrets["api_token"])}, "signing_secret": {secret.New("signing-secret-now")}},
		Push:    connectors.PushConfig{Enabled: true, Traits: map[string]string{"plan_name": "plan"}},
		HTTP:    connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
}

func open(t *testing.T, cfg connectors.Config) *zendesk.Connector {
	t.Helper()
	c, err := zendesk.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*zendesk.Connector)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}

// push wants results without an error of the whole.
func push(t *testing.T, c *zendesk.Connector, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	return results
}

func outcome(r connectors.Result) string {
	if r.Reason == connectors.ReasonNone {
		return string(r.Outcome)
	}
	return string(r.Outcome) + " " + string(r.Reason)
}
