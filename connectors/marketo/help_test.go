package marketo_test

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
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/marketo"
	"github.com/stagebridge/stagebridge/connectors/marketo/marketosim"
	"github.com/stagebridge/stagebridge/secret"
)

// now is the clock of these tests, some time after the stand-in's history.
var now = time.Date(2026, 11, 20, 9, 5, 0, 0, time.UTC)

// vendor is a simulated Marketo that notes every request.
type vendor struct {
	*marketosim.Sim
	url string

	mu       sync.Mutex
	requests []string                                                 // method, path with query, body
	fail     func(w http.ResponseWriter, r *http.Request) (done bool) // answers instead, when set
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: marketosim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		if !strings.HasPrefix(r.URL.Path, "/identity") {
			v.requests = append(v.requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)))
		}
		fail := v.fail
		v.mu.Unlock()
		if fail == nil || !fail(w, r) {
			v.ServeHTTP(w, r)
		}
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

// failing answers requests of a method and path instead of the stand-in; a
// count below zero is for ever.
func (v *vendor) failing(method, path string, times int, status int, body string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		if r.Method != method || !strings.Contains(r.URL.Path, path) || times == 0 {
			return false
		}
		times--
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// coded is Marketo's answer of an error code.
func coded(code, message string) string {
	return fmt.Sprintf(`{"requestId":"a#1","success":false,"errors":[{"code":%q,"message":%q}]}`, code, message)
}

func config(v *vendor) connectors.Config {
	settings, secrets := v.Connection(v.url)
	cfg := connectors.Config{
		ID: "marketo", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/marketo",
		Settings: settings, Secrets: map[string][]secret.Text{},
		Push: connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"company": "company"}},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Now:  func() time.Time { return now },
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	return cfg
}

func open(t *testing.T, cfg connectors.Config) *marketo.Connector {
	t.Helper()
	return connectortest.Open[*marketo.Connector](t, marketo.Vendor(), cfg)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}
