package churnzero_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/churnzero"
	"github.com/stagebridge/stagebridge/connectors/churnzero/churnzerosim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated ChurnZero that counts requests.
type vendor struct {
	*churnzerosim.Sim
	url string

	mu       sync.Mutex
	requests map[string]int
}

func newVendor(t *testing.T, front http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{Sim: churnzerosim.New(), requests: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests[r.Method+" "+r.URL.Path]++
		v.mu.Unlock()
		if front != nil {
			front(w, r)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

func (v *vendor) count(request string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[request]
}

// open connects with what the vendor takes; change edits it first.
func open(t *testing.T, v *vendor, change func(*connectors.Config)) *churnzero.Connector {
	t.Helper()
	cfg := conforming()
	settings, secrets := v.Connection(v.url)
	cfg.Settings, cfg.Secrets = settings, map[string][]secret.Text{}
	for name, plain := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(plain)}
	}
	cfg.Push.Enabled = true
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	if change != nil {
		change(&cfg)
	}
	c, err := churnzero.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*churnzero.Connector)
}

// contact is an update for a contact that ChurnZero named.
func contact(id, stage string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: "ada@example.com", VendorID: id, Want: connectors.State{Stage: stage}}
}
