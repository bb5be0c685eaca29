package segment_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/mapping"
)

// libraryPackage is the client library as its vendor publishes it.
const libraryPackage = "@segment/analytics-node@3.1.0"

// endpoint serves a connection over HTTP as the web server does.
type endpoint struct {
	t   *testing.T
	c   *segment.Connector
	url string

	mu     sync.Mutex
	events []connectors.RawEvent
	paths  []string
	tries  []string // X-Retry-Count of each request
	fail   int      // how many more requests are answered with 503
}

// serve starts an endpoint that fails at first as often as it is told.
func serve(t *testing.T, c *segment.Connector, fail int) *endpoint {
	t.Helper()
	e := &endpoint{t: t, c: c, fail: fail}
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	e.url = s.URL
	return e
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err != nil {
		e.t.Errorf("body: %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.paths = append(e.paths, r.Method+" "+r.URL.Path)
	e.tries = append(e.tries, r.Header.Get("X-Retry-Count"))
	receipt, err := e.c.Receive(&connectors.Request{
		Method: r.Method, URL: "http://" + r.Host + r.RequestURI, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Body: body, Received: time.Now(),
	})
	var refused *connectors.RejectError
	switch {
	case errors.As(err, &refused):
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"code": refused.Err.Error(), "message": refused.Detail})
		return
	case err != nil:
		e.t.Errorf("receive: %v", err)
	case e.fail > 0:
		e.fail--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	e.events = append(e.events, receipt.Events...)
	for name, values := range receipt.Reply.Header {
		w.Header()[name] = values
	}
	if receipt.Reply.Status != 0 {
		w.WriteHeader(receipt.Reply.Status)
	}
	_, _ = w.Write(receipt.Reply.Body)
}

// requests gives what was asked so far, and the X-Retry-Count of each.
func (e *endpoint) requests() (paths, tries []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.paths), slices.Clone(e.tries)
}

// mapped applies the default rules and gives event and identity of each, sorted.
func (e *endpoint) mapped(t *testing.T) []string {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	d := segment.Vendor().Descriptor
	rules, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "product", Connector: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, raw := range e.events {
		out := rules.Apply(&mapping.Input{Type: raw.Type, Raw: raw.Body, At: raw.At, Dedupe: raw.Dedupe[:]})
		if raw.Broken != "" || raw.Public || out.Err != nil {
			t.Errorf("%+v: %v", raw, out.Err)
		}
		for _, ev := range out.Events {
			line := string(ev.Name)
			for _, k := range ev.Identity {
				line += " " + k.String()
			}
			if ev.Value != nil {
				line += " " + ev.At.Time().Format(time.DateOnly) + " " + ev.BusinessKey
			}
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return all
}

// TestClientLibrary lets Segment's own library for Node send to a connection
// that it takes for Segment. STAGEBRIDGE_TEST_NPM=1 switches it on, since npm
// fetches the library from its registry.
func TestClientLibrary(t *testing.T) {
	t.Parallel()
	if os.Getenv("STAGEBRIDGE_TEST_NPM") == "" {
		t.Skip("STAGEBRIDGE_TEST_NPM is not set")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	folder := t.TempDir()
	script, err := os.ReadFile(filepath.Join("testdata", "library", "send.js"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "send.js"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(name string, args ...string) []byte {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = folder
		var complaints bytes.Buffer
		c.Stderr = &complaints
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, complaints.Bytes())
		}
		return out
	}
	command(npm, "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", folder, libraryPackage)
	send := func(e *endpoint, key string) (failures []string) {
		t.Helper()
		out := command(node, filepath.Join(folder, "send.js"), e.url, key)
		var said struct{ Failures []string }
		if err := json.Unmarshal(out, &said); err != nil {
			t.Fatalf("the script said %s: %v", out, err)
		}
		return said.Failures
	}
	want := []string{
		"Contact:Updated user:u-1001",
		"Contact:Updated user:u-1001 email:ada@example.com anonymous:9f0c",
		"Identity:Merged user:u-1001 anonymous:9f0c",
		"Order:Completed user:u-1001 2026-01-10 o-77",
		"Page:Viewed anonymous:9f0c",
		"Page:Viewed user:u-1001",
	}
	cfg := conforming()
	cfg.Now = time.Now
	c := open(t, cfg)

	well := serve(t, c, 0)
	if failures := send(well, "server-write-key-now"); len(failures) != 0 {
		t.Errorf("the library complains: %v", failures)
	}
	if diff := cmp.Diff(want, well.mapped(t)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if paths, _ := well.requests(); !slices.Equal(slices.Compact(paths), []string{"POST /v1/batch"}) {
		t.Errorf("requests: %v", paths)
	}

	away := serve(t, c, 2)
	if failures := send(away, "server-write-key-now"); len(failures) != 0 {
		t.Errorf("the library complains after an outage: %v", failures)
	}
	if diff := cmp.Diff(want, away.mapped(t)); diff != "" {
		t.Errorf("events after an outage (-want +got):\n%s", diff)
	}
	if paths, tries := away.requests(); len(paths) < 3 || !slices.ContainsFunc(tries, func(n string) bool { return n != "" && n != "0" }) {
		t.Errorf("the library did not try again: %v %v", paths, tries)
	}

	stranger := serve(t, c, 0)
	if failures := send(stranger, "nobodys-write-key"); len(failures) == 0 || len(stranger.mapped(t)) != 0 {
		t.Errorf("a wrong key: complaints %v, events %v", failures, stranger.mapped(t))
	}
}
