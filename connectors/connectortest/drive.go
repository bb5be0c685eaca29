package connectortest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// Open opens a connection as the vendor's own type.
func Open[C connectors.Connector](t testing.TB, v connectors.Vendor, cfg connectors.Config) C {
	t.Helper()
	c, err := v.Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	own, ok := c.(C)
	if !ok {
		t.Fatalf("open: a %T, want a %T", c, own)
	}
	return own
}

// Push wants a result for each update, without an error of the whole.
func Push(t testing.TB, d connectors.Destination, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results, err := d.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	return results
}

// Outcome is a result in short: "ok", "skipped not_in_vendor".
func Outcome(r connectors.Result) string {
	return strings.TrimSpace(string(r.Outcome) + " " + string(r.Reason))
}

// Witness is a server before a stand-in that notes what the stand-in is asked.
// It is safe for concurrent use.
type Witness struct {
	// URL without a trailing slash; for the setting base_url.
	URL string

	mu       sync.Mutex
	requests []string
}

// Watch starts a Witness, which ends with the test. root is cut from the front of
// the paths it notes.
func Watch(t testing.TB, standIn http.Handler, root string) *Witness {
	t.Helper()
	w := &Witness{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the connector broke the request off
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.requests = append(w.requests, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, strings.TrimPrefix(r.URL.RequestURI(), root), body)))
		w.mu.Unlock()
		standIn.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// Took gives the requests since the last call in the order in which they came:
// method, path with query, and body.
func (w *Witness) Took() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.requests
	w.requests = nil
	return all
}
