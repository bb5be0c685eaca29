package connectortest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
)

// Fake is a vendor for one test: routes with their answers, and a record of
// every request. It is safe for concurrent use.
type Fake struct {
	// URL of the fake, without a trailing slash; for the setting base_url.
	URL string

	t      testing.TB
	mu     sync.Mutex
	mux    *http.ServeMux
	routes map[string]http.HandlerFunc
	fails  map[string]http.HandlerFunc // by pattern; "" for every route
	seen   []Recorded
}

// Recorded is one request that a Fake got.
type Recorded struct {
	// Route is the pattern that took it, empty for none.
	Route  string
	Method string
	// Path with the raw query.
	Path   string
	Header http.Header
	Body   []byte
}

// JSON decodes the body, failing the test when it is not JSON.
func (r Recorded) JSON(t testing.TB) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s %s: body is not JSON: %v", r.Method, r.Path, err)
	}
	return v
}

// NewFake starts a fake vendor, which ends with the test. A request that no
// route takes fails the test.
func NewFake(t testing.TB) *Fake {
	t.Helper()
	f := &Fake{t: t, mux: http.NewServeMux(), routes: map[string]http.HandlerFunc{}, fails: map[string]http.HandlerFunc{}}
	f.mux.HandleFunc("/", f.unexpected)
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.URL = s.URL
	return f
}

// Handle answers a route, a pattern of http.ServeMux ("PATCH /members/{hash}").
// A second call for the same pattern replaces the first.
func (f *Fake) Handle(pattern string, h http.HandlerFunc) *Fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.routes[pattern]; !known {
		f.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { f.serve(pattern, w, r) })
	}
	f.routes[pattern] = h
	return f
}

// Reply answers a route with a status and a JSON text, which may be empty.
func (f *Fake) Reply(pattern string, status int, body string) *Fake {
	return f.Handle(pattern, Reply(status, body))
}

// Fixture answers a route with 200 and the text of a file.
func (f *Fake) Fixture(pattern, file string) *Fake {
	f.t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.Reply(pattern, http.StatusOK, string(body))
}

// Reply is a handler that answers with a status and a JSON text.
func Reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// Fail puts a handler before every route; nil makes the vendor well again.
func (f *Fake) Fail(h http.HandlerFunc) { f.FailRoute("", h) }

// FailRoute puts a handler before one route; nil makes it well again.
func (f *Fake) FailRoute(pattern string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h == nil {
		delete(f.fails, pattern)
		return
	}
	f.fails[pattern] = h
}

// route gives the handler of a pattern as it is on a good day.
func (f *Fake) route(pattern string) http.HandlerFunc {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.routes[pattern]
}

// Routes lists the patterns, sorted.
func (f *Fake) Routes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.routes))
}

// Requests gives what was asked so far, in order of arrival.
func (f *Fake) Requests() []Recorded {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// Forget empties the record.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = nil
}

// ServeHTTP implements http.Handler. The body is read first, so that a handler
// finds it whole and the record has it too.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connector broke the request off
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, route := f.mux.Handler(r)
	if route == "/" {
		route = ""
	}
	f.mu.Lock()
	f.seen = append(f.seen, Recorded{route, r.Method, r.URL.RequestURI(), r.Header.Clone(), body})
	h := f.fails[""]
	f.mu.Unlock()
	if h != nil {
		h(w, r)
		return
	}
	f.mux.ServeHTTP(w, r)
}

func (f *Fake) serve(pattern string, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	h := f.fails[pattern]
	if h == nil {
		h = f.routes[pattern]
	}
	f.mu.Unlock()
	h(w, r)
}

func (f *Fake) unexpected(w http.ResponseWriter, r *http.Request) {
	f.t.Errorf("the fake vendor has no route for %s %s", r.Method, r.URL.Path)
	w.WriteHeader(http.StatusNotFound)
}
