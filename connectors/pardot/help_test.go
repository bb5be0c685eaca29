package pardot_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/pardot"
	"github.com/stagebridge/stagebridge/connectors/pardot/pardotsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// now is the clock of every connection under test; the stand-in's begins then.
var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// vendor is a stand-in that notes what it is asked and can be made to answer
// otherwise.
type vendor struct {
	*pardotsim.Sim
	url string

	mu      sync.Mutex
	asked   []string
	instead func(w http.ResponseWriter, r *http.Request) bool
}

// start gives a stand-in and a connection to it; change edits the connection.
func start(t *testing.T, change func(*connectors.Config)) (*pardot.Connector, *vendor) {
	t.Helper()
	v := &vendor{Sim: pardotsim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.asked = append(v.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v5/objects"))
		instead := v.instead
		v.mu.Unlock()
		if instead == nil || !instead(w, r) {
			v.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	settings, secrets := v.Connection(v.url)
	cfg := connectors.Config{
		ID: "marketing", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/marketing",
		Settings: settings, Secrets: map[string][]secret.Text{},
		Push: connectors.PushConfig{Enabled: true, Create: true},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Now:  func() time.Time { return now },
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	if change != nil {
		change(&cfg)
	}
	c, err := pardot.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*pardot.Connector), v
}

// answer replaces the answers for which it says true; nil ends that.
func (v *vendor) answer(instead func(w http.ResponseWriter, r *http.Request) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.instead = instead
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.asked
	v.asked = nil
	return all
}

func person(id int64, email, stage string) connectors.Update {
	return connectors.Update{ID: fmt.Sprintf("u-%d", id), Person: lifecycle.ProfileID(id), Email: email, Want: connectors.State{Stage: stage}}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func lists(cfg *connectors.Config) { cfg.Settings["segments_as"] = "lists" }
