package pipedrive_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/pipedrive"
	"github.com/stagebridge/stagebridge/connectors/pipedrive/pipedrivesim"
)

// vendor is a simulated company that notes every request.
type vendor struct {
	*pipedrivesim.Sim
	url string

	mu       sync.Mutex
	requests []string // method, path without query, body
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: pipedrivesim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests = append(v.requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body)))
		v.mu.Unlock()
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// writes gives the requests but GET since the last call.
func (v *vendor) writes() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := slices.DeleteFunc(v.requests, func(r string) bool { return strings.HasPrefix(r, "GET ") })
	v.requests = nil
	return all
}

// connect opens a connection to the company, changed by a test.
func connect(t *testing.T, v *vendor, change ...func(*connectors.Config)) *pipedrive.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings["base_url"] = v.url
	cfg.Push = connectors.PushConfig{Enabled: true}
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	for _, f := range change {
		f(&cfg)
	}
	c, err := pipedrive.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*pipedrive.Connector)
}

func creating(cfg *connectors.Config) { cfg.Push.Create = true }

func setting(name, value string) func(*connectors.Config) {
	return func(cfg *connectors.Config) { cfg.Settings[name] = value }
}

func trait(name, from string) func(*connectors.Config) {
	return func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{name: from} }
}

func wanting(email, stage string, segments ...string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments}}
}
