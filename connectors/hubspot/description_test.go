package hubspot

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/standin/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated account, against HubSpot's own API
// description. STAGEBRIDGE_TEST_SPECS names the folder that holds
// hubspot.openapi.json; the description is not ours to ship.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("STAGEBRIDGE_TEST_SPECS")
	if folder == "" {
		t.Skip("STAGEBRIDGE_TEST_SPECS is not set")
	}
	text, err := os.ReadFile(filepath.Join(folder, "hubspot.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	sim := hubspotsim.New(hubspotsim.Options{Now: testConfig().Now, Subscriptions: []string{}})
	seen := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer := httptest.NewRecorder()
		sim.Handler().ServeHTTP(answer, r)
		route := d.check(t, r.Method, r.URL.Path, body, answer.Code, answer.Body.Bytes())
		seen[route] = true
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		if _, err := w.Write(answer.Body.Bytes()); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	exercise(t, sim, server.URL)
	if len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	}
}

// exercise makes every call that there is.
func exercise(t *testing.T, sim *hubspotsim.Sim, base string) {
	t.Helper()
	for _, lists := range []string{segmentsAsProperty, segmentsAsLists} {
		for _, stage := range []string{ownStageProperty, nativeStageProperty} {
			for _, create := range []bool{false, true} {
				c := mustOpen(t, testConfig(setting(settingBase, base), setting(settingSegments, lists), setting(settingStage, stage),
					withSecret(secretDeveloper, developerKey), func(c *connectors.Config) { c.Push.Create = create }))
				ann := sim.AddContact(map[string]string{"email": "ann@example.com", "lifecyclestage": "customer"})
				sim.SetContact(ann, map[string]string{"lifecyclestage": "customer"})
				deal := sim.AddDeal(map[string]string{"amount": "5"}, ann)
				want := connectors.State{Stage: "Lead", Segments: []string{"a", lists + stage}, Absent: []string{"b"}, Traits: map[string]any{"hubspotscore": int64(3)}}
				u := update("u1", "ann@example.com", want)
				mustPush(t, c, u, update("u2", fmt.Sprintf("new-%s-%s@example.com", lists, stage), want))
				if _, err := c.Read(t.Context(), []connectors.Update{u}); err != nil {
					t.Error(err)
				}
				if _, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("contact.creation", ann), lookup("deal.creation", deal)}); err != nil {
					t.Error(err)
				}
				if _, err := c.Check(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := c.Register(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if _, err := c.Registered(t.Context()); err != nil {
					t.Error(err)
				}
				if err := c.Unregister(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	}
	c := mustOpen(t, testConfig(setting(settingBase, base), oauth("refresh-token-example")))
	c.config.Secrets[secretClient] = []secret.Text{secret.New(testSecret)}
	if _, err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// description is the part of an OpenAPI document that is checked: paths,
// methods, and of JSON bodies the required members and their types.
type description struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema schemaNode }
		}
		Responses map[string]struct {
			Content map[string]struct{ Schema schemaNode }
		}
	}
	Components struct{ Schemas map[string]schemaNode }
}

type schemaNode struct {
	Ref                  string `json:"$ref"`
	Type                 string
	Nullable             bool
	Required             []string
	Enum                 []string
	Properties           map[string]schemaNode
	Items                *schemaNode
	AdditionalProperties json.RawMessage
}

// undescribed are operations that HubSpot describes in another document:
// developers.hubspot.com, Associations v4, "Read associations in a batch".
var undescribed = regexp.MustCompile(`^/crm/v4/associations/`)

var (
	parameter = regexp.MustCompile(`\{[^}]+\}`)
	// anyObject: contacts, deals, companies and tickets share one form.
	anyObject = regexp.MustCompile(`^/crm/v3/objects/[a-z]+/`)
)

// check holds one exchange against the description and gives its route.
func (d *description) check(t *testing.T, method, path string, body []byte, status int, answer []byte) string {
	if undescribed.MatchString(path) {
		return path
	}
	for template, methods := range d.Paths {
		like := anyObject.ReplaceAllString(path, "/crm/v3/objects/contacts/")
		pattern := "^" + parameter.ReplaceAllString(template, "[^/]+") + "$"
		operation, described := methods[strings.ToLower(method)]
		if !described || !regexp.MustCompile(pattern).MatchString(like) {
			continue
		}
		route := method + " " + template
		if s, ok := operation.RequestBody.Content["application/json"]; ok {
			d.compare(t, route+" request", s.Schema, decoded(t, body))
		}
		if r, ok := operation.Responses[fmt.Sprint(status)]; ok {
			if s, ok := r.Content["application/json"]; ok {
				d.compare(t, route+" answer", s.Schema, decoded(t, answer))
			}
		} else if status < 300 {
			t.Errorf("%s: the description has no answer %d", route, status)
		}
		return route
	}
	t.Errorf("the description has no %s %s", method, path)
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
func (d *description) compare(t *testing.T, where string, s schemaNode, v any) {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	if v == nil {
		if s.Type != "" && !s.Nullable {
			t.Errorf("%s is null", where)
		}
		return
	}
	if name := typeName(v); s.Type != "" && s.Type != name && (s.Type != "integer" || name != "number") {
		t.Errorf("%s is a %s, want %s", where, typeName(v), s.Type)
		return
	}
	if text, ok := v.(string); ok && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		t.Errorf("%s is %q, want one of %v", where, text, s.Enum)
	}
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			if s.Items != nil {
				d.compare(t, fmt.Sprintf("%s[%d]", where, i), *s.Items, one)
			}
		}
	case map[string]any:
		d.compareMembers(t, where, s, v)
	}
}

func (d *description) compareMembers(t *testing.T, where string, s schemaNode, v map[string]any) {
	for _, name := range s.Required {
		if _, there := v[name]; !there {
			t.Errorf("%s lacks %s", where, name)
		}
	}
	var more schemaNode
	_ = json.Unmarshal(s.AdditionalProperties, &more)
	for name, one := range v {
		if member, known := s.Properties[name]; known {
			d.compare(t, where+"."+name, member, one)
		} else if more.Type != "" || more.Ref != "" {
			d.compare(t, where+"."+name, more, one)
		} else if len(s.Properties) > 0 {
			t.Errorf("%s has a member %s, which the description does not know", where, name)
		}
	}
}

func typeName(v any) string {
	switch v.(type) {
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
