package mailchimp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/standin/mailchimpsim"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated vendor, against Mailchimp's own API
// description. STAGEBRIDGE_TEST_SPECS names the folder that holds
// mailchimp.openapi.json; the description is not ours to ship.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("STAGEBRIDGE_TEST_SPECS")
	if folder == "" {
		t.Skip("STAGEBRIDGE_TEST_SPECS is not set")
	}
	text, err := os.ReadFile(filepath.Join(folder, "mailchimp.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	sim := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
	var mu sync.Mutex
	seen := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, r)
		route := d.check(t, r, body, answer)
		mu.Lock()
		seen[route] = true
		mu.Unlock()
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	cfg := conforming()
	cfg.Now, cfg.Settings["base_url"] = time.Now, server.URL
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	exercise(t, cfg, sim)
	mu.Lock()
	defer mu.Unlock()
	if len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	}
}

// exercise makes every call that there is.
func exercise(t *testing.T, cfg connectors.Config, sim *mailchimpsim.Sim) {
	t.Helper()
	c := open(t, cfg)
	pushed := func(updates ...connectors.Update) {
		t.Helper()
		for _, r := range push(t, c, updates...) {
			if outcome(r) != "ok" {
				t.Errorf("push: %+v", r)
			}
		}
	}
	all := people()
	pushed(all[0])
	pushed(all...)
	u := all[0]
	known := u.Want
	u.Known, u.Want.Stage, u.VendorID = &known, "Advocate", "e556d839bbda3d423c5b09096613f2d7"
	pushed(u)
	u.Email = "dana.new@example.com"
	pushed(u)
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("tag %d", i))
	}
	sim.AddMember("tagged@example.com", "", nil, many...)
	sim.AddWebhook("https://bridge.example.com/other", "")

	_, read := c.Read(t.Context(), []connectors.Update{u, person("tagged@example.com", "", nil, nil), person("gone@example.com", "", nil, nil)})
	_, check := c.Check(t.Context())
	_, register := c.Register(t.Context(), nil)
	_, change := c.Register(t.Context(), []string{"subscribe"})
	remove := c.Unregister(t.Context())
	cfg.Push.Enabled, cfg.Settings = false, map[string]string{"base_url": cfg.Settings["base_url"]}
	_, ping := open(t, cfg).Check(t.Context())
	if err := errors.Join(read, check, register, change, remove, ping); err != nil {
		t.Error(err)
	}
}

// description is the part of a Swagger document that is checked: paths,
// methods, queries, and of bodies the members and their types.
type description struct {
	BasePath string
	Paths    map[string]map[string]operation
}

type operation struct {
	Parameters []struct {
		In, Name string
		Schema   schemaNode
	}
	Responses map[string]struct{ Schema schemaNode }
}

type schemaNode struct {
	Type                 string
	Required             []string
	Enum                 []string
	Properties           map[string]schemaNode
	Items                *schemaNode
	AdditionalProperties json.RawMessage
}

// newer are members that the vendor's pages name and the description lacks.
var newer = []string{"signing_enabled", "signing_secret"}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// check holds one exchange against the description and gives its route.
func (d *description) check(t *testing.T, r *http.Request, body []byte, answer *httptest.ResponseRecorder) string {
	for template, methods := range d.Paths {
		o, described := methods[strings.ToLower(r.Method)]
		pattern := "^" + d.BasePath + parameter.ReplaceAllString(template, "[^/]+") + "$"
		if !described || !regexp.MustCompile(pattern).MatchString(r.URL.Path) {
			continue
		}
		route := r.Method + " " + template
		queries := []string{}
		for _, p := range o.Parameters {
			switch p.In {
			case "query":
				queries = append(queries, p.Name)
			case "body":
				compare(t, route+" request", p.Schema, decoded(t, body))
			}
		}
		for name := range r.URL.Query() {
			if !slices.Contains(queries, name) {
				t.Errorf("%s: the description has no query %s", route, name)
			}
		}
		res, ok := o.Responses[fmt.Sprint(answer.Code)]
		if !ok {
			res = o.Responses["default"]
		}
		if answer.Body.Len() > 0 {
			compare(t, fmt.Sprintf("%s answer %d", route, answer.Code), res.Schema, decoded(t, answer.Body.Bytes()))
		}
		return route
	}
	t.Errorf("the description has no %s %s", r.Method, r.URL.Path)
	return ""
}

func decoded(t *testing.T, text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return v
}

// compare checks a value against a schema: type, required and known members.
func compare(t *testing.T, where string, s schemaNode, v any) {
	if name := typeName(v); s.Type != "" && s.Type != name && (s.Type != "integer" || name != "number") {
		t.Errorf("%s is a %s, want %s", where, name, s.Type)
		return
	}
	if text, ok := v.(string); ok && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		t.Errorf("%s is %q, want one of %v", where, text, s.Enum)
	}
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			if s.Items != nil {
				compare(t, fmt.Sprintf("%s[%d]", where, i), *s.Items, one)
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				t.Errorf("%s lacks %s", where, name)
			}
		}
		for name, one := range v {
			if member, known := s.Properties[name]; known {
				compare(t, where+"."+name, member, one)
			} else if len(s.Properties) > 0 && !slices.Contains(newer, name) && len(s.AdditionalProperties) == 0 {
				t.Errorf("%s has a member %s, which the description does not know", where, name)
			}
		}
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
