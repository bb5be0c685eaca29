package demandbase_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/demandbase"
	"github.com/stagebridge/stagebridge/connectors/demandbase/demandbasesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// vendor is a stand-in that notes what it is asked and can be made to answer
// otherwise.
type vendor struct {
	*demandbasesim.Sim
	url string

	mu      sync.Mutex
	now     time.Time
	asked   []string
	instead func(w http.ResponseWriter, r *http.Request) bool
}

// start gives a stand-in and a connection to it; change edits the connection.
func start(t *testing.T, change func(*connectors.Config)) (*demandbase.Connector, *vendor) {
	t.Helper()
	v := &vendor{Sim: demandbasesim.New(), now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.asked = append(v.asked, r.Method+" "+r.URL.Path)
		instead := v.instead
		v.mu.Unlock()
		if instead == nil || !instead(w, r) {
			v.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return open(t, v, change), v
}

func open(t *testing.T, v *vendor, change func(*connectors.Config)) *demandbase.Connector {
	t.Helper()
	settings, secrets := v.Connection(v.url)
	cfg := connectors.Config{
		ID: "abm", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/abm",
		Settings: settings, Secrets: map[string][]secret.Text{},
		Push: connectors.PushConfig{Enabled: true, Create: true},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Now: func() time.Time {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.now
		},
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	if change != nil {
		change(&cfg)
	}
	c, err := demandbase.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*demandbase.Connector)
}

func (v *vendor) answer(instead func(w http.ResponseWriter, r *http.Request) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.instead = instead
}

func (v *vendor) pass(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
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

// push wants results without an error of the whole.
func push(t *testing.T, c *demandbase.Connector, updates ...connectors.Update) []connectors.Result {
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

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// reads is a connection that exports people.
func reads(cfg *connectors.Config) {
	for name, field := range map[string]string{
		"export_email": "{Person}.email", "export_company": "{Account}.name", "export_stage": "{Account}.journey_stage", "export_score": "{Account}.engagement_points",
	} {
		cfg.Settings[name] = field
	}
}

// sign signs a body as Demandbase does.
func sign(key, body string) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}
