package mailchimp_test

import (
	"bytes"
	"encoding/json"
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
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

const apiKey = "key-of-the-example-us21"

// vendor is a simulated Mailchimp that notes every request and refuses to let
// consent be touched.
type vendor struct {
	*mailchimpsim.Sim
	url string

	mu       sync.Mutex
	requests []string // method, path and body
}

func newVendor(t *testing.T, o mailchimpsim.Options) *vendor {
	t.Helper()
	o.Key = apiKey
	v := &vendor{Sim: mailchimpsim.New(o)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.requests = append(v.requests, fmt.Sprintf("%s %s %s", r.Method, strings.TrimPrefix(r.URL.Path, "/3.0/lists/a1b2c3d4e5"), body))
		v.mu.Unlock()
		if why := touchesConsent(r, body); why != "" {
			t.Errorf("%s %s %s: %s", r.Method, r.URL, body, why)
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(v.Close)
	v.url = server.URL
	return v
}

// touchesConsent looks for anything in a request that could opt somebody in.
func touchesConsent(r *http.Request, body []byte) string {
	var b map[string]any
	if len(body) > 0 && json.Unmarshal(body, &b) != nil {
		return "the body is not a JSON object"
	}
	_, status := b["status"]
	asIf, given := b["status_if_new"]
	member := strings.Contains(r.URL.Path, "/members/") && !strings.HasSuffix(r.URL.Path, "/tags") && !strings.HasSuffix(r.URL.Path, "/delete-permanent")
	switch {
	case status:
		return "a status overwrites consent"
	case given && (r.Method != http.MethodPut || !member):
		return "status_if_new has no place here"
	case given && asIf != "transactional" && asIf != "pending":
		return "status_if_new asserts consent"
	case r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/members") || strings.HasSuffix(r.URL.Path, "/a1b2c3d4e5")):
		return "the batch call writes a status"
	case member && r.Method != http.MethodGet && r.URL.Query().Get("skip_merge_validation") != "true":
		return "a required merge field would refuse it"
	}
	return ""
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.requests
	v.requests = nil
	return all
}

func config(v *vendor) connectors.Config {
	return connectors.Config{
		ID: "newsletter", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/newsletter",
		Settings: map[string]string{"base_url": v.url, "audience_id": "a1b2c3d4e5"},
		Secrets:  map[string][]secret.Text{"api_key": {secret.New(apiKey)}},
		Push:     connectors.PushConfig{Enabled: true, Create: true, Traits: map[string]string{"COMPANY": "company"}},
		HTTP:     connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
	}
}

func open(t *testing.T, cfg connectors.Config) *mailchimp.Connector {
	t.Helper()
	return connectortest.Open[*mailchimp.Connector](t, mailchimp.Vendor(), cfg)
}

// person is an update for one address.
func person(email, stage string, segments, absent []string) connectors.Update {
	return connectors.Update{ID: "u-1", Email: email, Want: connectors.State{Stage: stage, Segments: segments, Absent: absent}}
}
