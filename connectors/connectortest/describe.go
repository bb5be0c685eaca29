package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// SpecsVariable names the folder with the vendors' own API descriptions, which
// are not ours to ship. Without it the tests that use them are skipped.
const SpecsVariable = "STAGEBRIDGE_TEST_SPECS"

// Description is a vendor's own description of its API, to hold requests and
// answers against. It is safe for concurrent use.
type Description struct {
	t      testing.TB
	name   string
	doc    *openapi3.T
	router routers.Router
	quirks []Quirk

	mu   sync.Mutex
	seen map[string]int
	told map[string]bool
}

// Describe reads a description out of the folder, "zendesk.openapi.json". It
// skips the test where there is no folder. What the description gets wrong is
// in testdata/quirks.yaml beside the test, see Quirk.
func Describe(t testing.TB, name string) *Description {
	t.Helper()
	folder := os.Getenv(SpecsVariable)
	if folder == "" {
		t.Skip(SpecsVariable + " is not set")
	}
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := loadDescription(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	d := &Description{t: t, name: name, doc: doc, quirks: quirksOf(t, name), seen: map[string]int{}, told: map[string]bool{}}
	base := ""
	if len(doc.Servers) > 0 {
		if u, err := url.Parse(braces.Replace(doc.Servers[0].URL)); err == nil {
			base = strings.TrimSuffix(u.Path, "/")
		}
	}
	// A server without a host takes a request to any: the stand-in's.
	doc.Servers = openapi3.Servers{{URL: base + "/"}}
	for _, item := range doc.Paths.Map() {
		item.Servers = nil
		for _, o := range item.Operations() {
			o.Servers = nil
		}
	}
	d.strict()
	if d.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	openapi3filter.RegisterBodyDecoder("application/x-www-form-urlencoded", decodeBrackets)
	t.Cleanup(d.tell)
	return d
}

// tell logs what was held against the description.
func (d *Description) tell() {
	operations := d.Seen()
	d.mu.Lock()
	defer d.mu.Unlock()
	requests := 0
	for _, n := range d.seen {
		requests += n
	}
	d.t.Logf("%s: %d requests of %d operations, %d quirks", d.name, requests, len(operations), len(d.quirks))
}

// braces turns the variables of a server's address into something that url.Parse reads.
var braces = strings.NewReplacer("{", "", "}", "")

func loadDescription(text []byte) (*openapi3.T, error) {
	var version struct{ Swagger string }
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, err
	}
	if version.Swagger == "" {
		return openapi3.NewLoader().LoadFromData(text)
	}
	var old openapi2.T
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3(&old)
}

// Seen lists the operations that went through Wrap, "GET /v3/lists", sorted.
func (d *Description) Seen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for operation := range d.seen {
		all = append(all, operation)
	}
	slices.Sort(all)
	return all
}

// Wrap holds every request to next, and every answer of it, against the
// description; a violation fails the test.
func (d *Description) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			d.t.Errorf("%s: %v", r.URL.Path, err)
		}
		input := d.checkRequest(r, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if input != nil {
			d.checkAnswer(input, answer)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

func (d *Description) checkRequest(r *http.Request, body []byte) *openapi3filter.RequestValidationInput {
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		if !d.excused(r.Method+" "+r.URL.Path, "path", err.Error()) {
			d.fail(r.Method+" "+r.URL.Path, "path", "not described", body)
		}
		return nil
	}
	operation := route.Method + " " + route.Path
	d.mu.Lock()
	d.seen[operation]++
	d.mu.Unlock()
	for name := range r.URL.Query() {
		if !declares(route, name) && !d.excused(operation, "query", name) {
			d.fail(operation, "query", name+" is not described", nil)
		}
	}
	input := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options()}
	d.report(operation, "request", openapi3filter.ValidateRequest(r.Context(), input), body)
	return input
}

func (d *Description) checkAnswer(input *openapi3filter.RequestValidationInput, answer *httptest.ResponseRecorder) {
	header := answer.Header().Clone()
	// The charset is no part of what a description says of a type.
	if kind, _, cut := strings.Cut(header.Get("Content-Type"), ";"); cut {
		header.Set("Content-Type", kind)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.Code, Header: header, Options: options(),
	}
	out.SetBodyBytes(answer.Body.Bytes())
	operation := input.Route.Method + " " + input.Route.Path
	d.report(operation, "answer", openapi3filter.ValidateResponse(input.Request.Context(), out), answer.Body.Bytes())
}

// fail fails the test, once for each kind of violation.
func (d *Description) fail(operation, part, text string, body []byte) {
	what := fmt.Sprintf("%s: %s: %s: %s", d.name, operation, part, text)
	d.mu.Lock()
	known := d.told[what]
	d.told[what] = true
	d.mu.Unlock()
	if !known {
		d.t.Errorf("%s\n%.400s", what, body)
	}
}

// report fails the test for each violation that no quirk excuses.
func (d *Description) report(operation, part string, err error, body []byte) {
	for _, one := range flatten(err) {
		if text := one.Error(); !d.excused(operation, part, text) {
			d.fail(operation, part, text, body)
		}
	}
}

// Payload holds a sample delivery against a schema of the description.
func (d *Description) Payload(t testing.TB, schema string, body []byte) {
	t.Helper()
	ref := d.doc.Components.Schemas[schema]
	if ref == nil {
		t.Fatalf("%s has no schema %s", d.name, schema)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	how := []openapi3.SchemaValidationOption{openapi3.MultiErrors(), openapi3.VisitAsResponse()}
	if strings.HasPrefix(d.doc.OpenAPI, "3.1") {
		how = append(how, openapi3.EnableJSONSchema2020())
	}
	for _, one := range flatten(ref.Value.VisitJSON(v, how...)) {
		if !d.excused(schema, "payload", one.Error()) {
			t.Errorf("%s: %s: %v", d.name, schema, one)
		}
	}
}

func options() *openapi3filter.Options {
	o := &openapi3filter.Options{
		MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		ExcludeReadOnlyValidations: true, ExcludeWriteOnlyValidations: true, IncludeResponseStatus: true,
		SkipSettingDefaults: true,
	}
	o.WithCustomSchemaErrorFunc(func(e *openapi3.SchemaError) string {
		return fmt.Sprintf("/%s: %s", strings.Join(e.JSONPointer(), "/"), e.Reason)
	})
	return o
}

// flatten lists the single errors of a MultiError, however deep.
func flatten(err error) []error {
	// The outermost error only: what wraps others has words of its own.
	switch e := any(err).(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		var all []error
		for _, one := range e {
			all = append(all, flatten(one)...)
		}
		return all
	}
	return []error{err}
}

func declares(route *routers.Route, query string) bool {
	for _, params := range []openapi3.Parameters{route.Operation.Parameters, route.PathItem.Parameters} {
		for _, p := range params {
			if p.Value.In == openapi3.ParameterInQuery && p.Value.Name == query {
				return true
			}
		}
	}
	return false
}
