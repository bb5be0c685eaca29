package web_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/web"
	"github.com/stagebridge/stagebridge/web/access"
)

// described is a lab with something of everything, and what its API says of
// itself.
type described struct {
	*lab
	doc *openapi3.T
	raw map[string]any
	// path are values of the path's parameters, bodies those of requests, that
	// fit this lab better than the examples do.
	path, bodies map[string]string
}

// call is one operation of the description.
type call struct {
	method, path string
	op           *openapi3.Operation
}

func newDescribed(t *testing.T) *described {
	t.Helper()
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	l := newLab(t, func(o *web.Options) {
		vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
		if err != nil {
			t.Fatal(err)
		}
		o.Notices = &jobs.Notices{Store: o.Store, Registry: o.Registry, Vault: vault, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Sender: &notify.Sender{HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}), Now: time.Now}}
	})
	d := &described{lab: l, path: map[string]string{}, bodies: map[string]string{
		"createConnection": `{"id":"newsletter","connector":"lab","settings":{"mode":"fast"},"secrets":{"token":"t"}}`,
		"putPlan":          accountsPlan,
		"putNotifications": `{"channels":[{"name":"ops","kind":"webhook","url":"` + hook.URL + `/alerts"}]}`,
	}}
	l.browser() // an admin
	if err := l.store.SetPassword(t.Context(), "admin", "none"); err != nil {
		t.Fatal(err)
	}
	d.load()
	if a := l.api("PUT", "/plan", accountsPlan); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.connect("hubspot-eu", &connectors.PushConfig{Enabled: true})
	for _, e := range [][2]string{
		{"news", `{"email":"ann@example.com","company":"Example"}`}, {"order", `{"email":"ann@example.com","amount":"12.50"}`},
		{"news", `{"email":"bo@example.com"}`}, {"news", `{"email":"cy@example.com"}`}, {"odd", `{"x":1}`}, {"order", `{"email":"ann@example.com","amount":{}}`},
	} {
		l.tell("hubspot-eu", e[0], e[1])
	}
	l.process()
	for _, c := range [][3]string{
		{"POST", "/profiles/1/join", `{"key":"email:bo@example.com","reason":"one desk"}`}, {"POST", "/users", `{"name":"ann@example.com","role":"editor"}`},
		{"POST", "/users", `{"name":"bo@example.com","role":"viewer"}`}, {"POST", "/tokens", `{"id":"dashboard","role":"viewer","areas":["reports"]}`},
		{"PUT", "/connections/hubspot-eu/rules", d.example("putRules")},
		{"POST", "/erasures", `{"key":"email:cy@example.com"}`},
	} {
		if a := l.api(c[0], c[1], c[2]); a.Status >= 300 {
			t.Fatalf("%s %s: %d %s", c[0], c[1], a.Status, a.Body)
		}
	}
	if err := l.store.StartSession(t.Context(), access.Hash("a-session"), "ann@example.com", 0); err != nil {
		t.Fatal(err)
	}
	var sessions struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(l.api("GET", "/users/ann@example.com/sessions", "").Body), &sessions); err != nil || len(sessions.Items) != 1 {
		t.Fatalf("sessions: %v %v", sessions, err)
	}
	d.path["endSession.id"] = sessions.Items[0].ID
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.process()
	return d
}

// load reads the description, which here lets no member through that it does
// not name.
func (d *described) load() {
	d.Helper()
	a := d.api("GET", "/openapi.json", "")
	if err := json.Unmarshal([]byte(a.Body), &d.raw); a.Status != 200 || err != nil {
		d.Fatalf("%d %v", a.Status, err)
	}
	for _, s := range d.raw["components"].(map[string]any)["schemas"].(map[string]any) {
		if s, ok := s.(map[string]any); ok && s["properties"] != nil && s["additionalProperties"] == nil {
			s["unevaluatedProperties"] = false
		}
	}
	strict, err := json.Marshal(d.raw)
	if err != nil {
		d.Fatal(err)
	}
	if d.doc, err = openapi3.NewLoader().LoadFromData(strict); err != nil {
		d.Fatal(err)
	}
}

// calls lists the operations: those that read, then those that change, then
// those that remove.
func (d *described) calls() []call {
	var all []call
	for _, path := range d.doc.Paths.InMatchingOrder() {
		operations := d.doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			all = append(all, call{method, path, operations[method]})
		}
	}
	rank := map[string]int{"GET": 0, "PUT": 1, "POST": 2, "DELETE": 3}
	slices.SortStableFunc(all, func(a, b call) int {
		if a.method != b.method {
			return rank[a.method] - rank[b.method]
		}
		return strings.Compare(a.path, b.path)
	})
	return all
}

// example is that of an operation's request; "" for none.
func (d *described) example(id string) string {
	if own, ok := d.bodies[id]; ok {
		return own
	}
	for _, c := range d.calls() {
		if c.op.OperationID != id || c.op.RequestBody == nil {
			continue
		}
		for kind, content := range c.op.RequestBody.Value.Content {
			if kind == "application/yaml" {
				return content.Example.(string)
			}
			b, err := json.Marshal(content.Example)
			if err != nil {
				d.Fatal(err)
			}
			return string(b)
		}
	}
	return ""
}

// address fills an operation's path with the examples.
func (d *described) address(c call) string {
	path := c.path
	for _, p := range c.op.Parameters {
		if p.Value.In != "path" {
			continue
		}
		value, ok := d.path[c.op.OperationID+"."+p.Value.Name]
		if !ok {
			value = fmt.Sprint(p.Value.Example)
		}
		path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", value)
	}
	return path
}

// fits holds an answer against the description.
func (d *described) fits(c call, a answer) error {
	r, err := http.NewRequestWithContext(d.Context(), c.method, "https://"+pageHost+"/api/v1", nil)
	if err != nil {
		return err
	}
	in := &openapi3filter.ResponseValidationInput{Status: a.Status, Header: a.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r,
			Route: &routers.Route{Spec: d.doc, Path: c.path, PathItem: d.doc.Paths.Value(c.path), Method: c.method, Operation: c.op}}}
	in.SetBodyBytes([]byte(a.Body))
	return openapi3filter.ValidateResponse(d.Context(), in)
}

// TestDescription: the document is valid OpenAPI 3.1, examples included, and
// holds every route of the API and nothing else, each with its role.
func TestDescription(t *testing.T) {
	t.Parallel()
	d := newDescribed(t)
	if err := d.doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !d.doc.IsOpenAPI31OrLater() {
		t.Errorf("version %s", d.doc.OpenAPI)
	}
	said := map[string]bool{}
	for _, c := range d.calls() {
		said[c.method+" "+c.path] = true
		if c.op.Summary == "" || c.op.OperationID == "" || len(c.op.Tags) != 1 {
			t.Errorf("%s %s says too little", c.method, c.path)
		}
		for _, p := range c.op.Parameters {
			if p.Value.Description == "" {
				t.Errorf("%s %s: %s has no meaning", c.method, c.path, p.Value.Name)
			}
		}
	}
	for _, r := range d.web.Routes() {
		path, ok := strings.CutPrefix(r.Path, "/api/v1")
		if !ok || !strings.Contains("GET PUT POST DELETE PATCH", r.Method) {
			continue
		}
		parts := strings.Split(path, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = "{" + name + "}"
			}
		}
		name := r.Method + " " + strings.Join(parts, "/")
		if !said[name] {
			t.Errorf("%s is not described; add it to operationGroups", name)
		}
		delete(said, name)
	}
	if len(said) > 0 {
		t.Errorf("described, but not there: %v", slices.Sorted(maps.Keys(said)))
	}
	first := d.api("GET", "/openapi.json", "")
	if again := d.api("GET", "/openapi.json", "", "If-None-Match: "+first.Header.Get("ETag")); again.Status != 304 {
		t.Errorf("read again: %d", again.Status)
	}
}

// refusedExamples are the operations whose example cannot succeed here, with
// what they answer.
func refusedExamples() map[string]int {
	return map[string]int{
		"getRollout": 404, "shareRollout": 404, "withdrawRollout": 404, // nothing is being rolled out
		"pullConnection": 422,                      // the invented vendor has no list of people
		"rejectErasure":  412,                      // it was confirmed before
		"cancelJob":      409,                      // it is over
		"confirmJoin":    404,                      // no join is in doubt
		"approveReview":  404, "rejectReview": 404, // nothing was kept apart
		"previewJoin": 422, // they are joined already
		"endSession":  404, // the user was taken away before
	}
}

// TestExamplesOfTheDescription sends every example of the description, and each
// parameter of what reads by itself, and holds the answers against it.
func TestExamplesOfTheDescription(t *testing.T) {
	t.Parallel()
	d := newDescribed(t)
	refused := refusedExamples()
	for _, c := range d.calls() {
		path, body := d.address(c), d.example(c.op.OperationID)
		for _, p := range c.op.Parameters {
			if p.Value.In == "query" && (p.Value.Required || p.Value.Name == "wait") {
				path += "?" + p.Value.Name + "=" + fmt.Sprint(p.Value.Example)
			}
		}
		a := d.api(c.method, path, body)
		if err := d.fits(c, a); err != nil {
			t.Errorf("%s %s: %d %s: %v", c.method, path, a.Status, a.Body, err)
		}
		if want, known := refused[c.op.OperationID]; known && a.Status != want || !known && a.Status >= 300 {
			t.Errorf("%s %s %s: %d %s", c.method, path, body, a.Status, a.Body)
		}
		if c.method != "GET" {
			continue
		}
		for _, p := range c.op.Parameters {
			if p.Value.In != "query" || p.Value.Example == nil {
				continue
			}
			narrow := path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + p.Value.Name + "=" + escape(fmt.Sprint(p.Value.Example))
			if a := d.api("GET", narrow, ""); a.Status >= 500 {
				t.Errorf("%s: %d %s", narrow, a.Status, a.Body)
			} else if err := d.fits(c, a); err != nil {
				t.Errorf("%s: %v", narrow, err)
			}
		}
	}
}

// TestPagesOfTheDescription reads the contents and every chapter.
func TestPagesOfTheDescription(t *testing.T) {
	t.Parallel()
	d := newDescribed(t)
	contents := d.get("/api/docs")
	if contents.Status != 200 || !strings.Contains(contents.Body, `href="/api/docs/plan"`) {
		t.Fatalf("%d %s", contents.Status, contents.Body)
	}
	for _, c := range d.calls() {
		at := strings.Index(contents.Body, "#"+c.op.OperationID+`"`)
		if at < 0 {
			t.Errorf("%s is not in the contents", c.op.OperationID)
			continue
		}
		link := contents.Body[strings.LastIndex(contents.Body[:at], `"`)+1 : at]
		a := d.get(link)
		if a.Status != 200 || !strings.Contains(a.Body, `<h2 id="`+c.op.OperationID+`">`) || !strings.Contains(a.Body, c.path) {
			t.Errorf("%s: %d does not show %s", link, a.Status, c.op.OperationID)
		}
		if len(a.Body) > 100<<10 {
			t.Errorf("%s weighs %d bytes", link, len(a.Body))
		}
	}
	if a := d.get("/api/docs/nothing"); a.Status != 404 {
		t.Errorf("no such chapter: %d", a.Status)
	}
	if a := d.get("/api/docs/openapi.json"); a.Status != 200 || !strings.Contains(a.Body, `"openapi":"3.1`) {
		t.Errorf("the document by the browser: %d", a.Status)
	}
}
