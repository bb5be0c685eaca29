package customerio_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/customerio"
	"github.com/stagebridge/stagebridge/connectors/customerio/customeriosim"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a simulated Customer.io that notes what changes something.
type vendor struct {
	*customeriosim.Sim
	url string

	mu     sync.Mutex
	bodies []string
}

func newVendor(t *testing.T, front http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{Sim: customeriosim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.URL.Path == "/api/v2/batch" {
			v.mu.Lock()
			v.bodies = append(v.bodies, string(body))
			v.mu.Unlock()
		}
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

// sent gives the batches since the last call.
func (v *vendor) sent() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.bodies
	v.bodies = nil
	return all
}

// open connects with everything the vendor takes; change edits it first.
func open(t *testing.T, v *vendor, change func(*connectors.Config)) *customerio.Connector {
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
	c, err := customerio.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*customerio.Connector)
}

func person(email, stage string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage}}
}
