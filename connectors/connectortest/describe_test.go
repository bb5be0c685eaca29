package connectortest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// described is a small API: a JSON call and a form call.
const described = `{"openapi": "3.0.3", "info": {"title": "Example", "version": "1"},
"servers": [{"url": "https://api.example.com/v1"}],
"paths": {"/people": {"post": {
  "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
  "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["email"], "properties": {
    "email": {"type": "string"}, "tags": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}}}}},
  "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}}}}}}},
"/forms": {"post": {
  "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": false, "properties": {
    "events": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    "count": {"type": "integer"},
    "meta": {"type": "object", "additionalProperties": {"type": "string"}}}}}}},
  "responses": {"200": {"description": "ok"}}}}}}`

// failures collects what a test would have failed with.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func TestDescriptionFindsViolations(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "example.json"), []byte(described), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(SpecsVariable, folder)
	good := `{"id": "1"}`
	tests := []struct{ name, target, kind, body, answer, want string }{
		{"good", "/v1/people?dry=true", "application/json", `{"email": "ann@example.com", "tags": [{"name": "x"}]}`, good, ""},
		{"required", "/v1/people", "application/json", `{}`, good, "email"},
		{"type", "/v1/people", "application/json", `{"email": 1}`, good, "/email"},
		{"unknown member", "/v1/people", "application/json", `{"email": "a", "mail": "b"}`, good, "mail"},
		{"unknown member inside", "/v1/people", "application/json", `{"email": "a", "tags": [{"nam": "b"}]}`, good, "nam"},
		{"unknown query", "/v1/people?wet=1", "application/json", `{"email": "a"}`, good, "wet"},
		{"unknown path", "/v2/people", "application/json", `{"email": "a"}`, good, "not described"},
		{"answer", "/v1/people", "application/json", `{"email": "a"}`, `{"ident": 1}`, "id"},
		{"good form", "/v1/forms", "application/x-www-form-urlencoded", "events[]=a&events[]=b&count=3&meta[x]=1", "", ""},
		{"form list", "/v1/forms", "application/x-www-form-urlencoded", "events[0]=a&events[1]=c", "", "/events/1"},
		{"form number", "/v1/forms", "application/x-www-form-urlencoded", "count=many", "", "/count"},
		{"form name", "/v1/forms", "application/x-www-form-urlencoded", "cuont=3", "", "cuont"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := &failures{TB: t}
			d := Describe(t, "example.json")
			d.t = found
			r := httptest.NewRequest(http.MethodPost, tt.target, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.kind)
			w := httptest.NewRecorder()
			d.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tt.answer != "" {
					w.Header().Set("Content-Type", "application/json; charset=utf-8")
				}
				_, _ = w.Write([]byte(tt.answer))
			})).ServeHTTP(w, r)
			if w.Body.String() != tt.answer {
				t.Errorf("the answer became %q", w.Body)
			}
			switch {
			case tt.want == "" && len(found.texts) > 0:
				t.Errorf("found %q, want nothing", found.texts)
			case tt.want != "" && !slices.ContainsFunc(found.texts, func(s string) bool { return strings.Contains(s, tt.want) }):
				t.Errorf("found %q, want something about %s", found.texts, tt.want)
			}
		})
	}
}
