// Package pipedrivesim is a simulated Pipedrive company: persons with custom
// fields, a search by address, webhooks, stages and pipelines, in the wire
// format of versions 1 and 2 of the API. It refuses what Pipedrive refuses.
package pipedrivesim

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Token is the only token that the company takes.
const Token = "pipedrive-token-of-the-example"

// company and user are the numbers that users/me tells.
const (
	company = 4410
	user    = 331
)

// Sim is a simulated company. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu     sync.Mutex
	people map[int64]*person
	fields []*field
	hooks  []map[string]any
	lastID int64
	writes int
}

type person struct {
	id     int64
	name   string
	emails []map[string]any
	custom map[string]any
}

type field struct {
	Name     string   `json:"field_name"`
	Code     string   `json:"field_code"`
	Type     string   `json:"field_type"`
	Options  []option `json:"options"`
	Custom   bool     `json:"is_custom_field"`
	Optional bool     `json:"is_optional_response_field"`
}

type option struct {
	ID    int64  `json:"id"`
	Label string `json:"label"`
}

// New makes an empty company with two stages of one pipeline.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), people: map[int64]*person{}, lastID: 100}
	s.fields = []*field{
		{Name: "Name", Code: "name", Type: "varchar"}, {Name: "Email", Code: "emails", Type: "varchar"},
		{Name: "Label", Code: "label_ids", Type: "set", Options: []option{{5, "Hot lead"}}},
	}
	s.handle("GET /api/v1/users/me", s.me)
	s.handle("GET /api/v1/webhooks", s.listHooks)
	s.handle("POST /api/v1/webhooks", s.createHook)
	s.handle("DELETE /api/v1/webhooks/{id}", s.deleteHook)
	s.handle("GET /api/v2/persons", s.listPeople)
	s.handle("POST /api/v2/persons", s.createPerson)
	s.handle("GET /api/v2/persons/search", s.search)
	s.handle("PATCH /api/v2/persons/{id}", s.patchPerson)
	s.handle("DELETE /api/v2/persons/{id}", s.deletePerson)
	s.handle("GET /api/v2/personFields", s.listFields)
	s.handle("POST /api/v2/personFields", s.createField)
	s.handle("POST /api/v2/personFields/{code}/options", s.addOptions)
	s.handle("GET /api/v2/stages", named("Qualified", "Proposal made"))
	s.handle("GET /api/v2/pipelines", named("Sales"))
	return s
}

// answer is a status and what goes into data; a text is an error.
type answer struct {
	status int
	data   any
	next   string
}

func fail(status int, words string) answer { return answer{status: status, data: words} }

// handle serves a route under the lock, to whoever has the token.
func (s *Sim) handle(pattern string, serve func(r *http.Request) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := fail(http.StatusUnauthorized, "unauthorized access")
		if r.Header.Get("x-api-token") == Token {
			a = serve(r)
		}
		body := map[string]any{"success": true, "data": a.data}
		if words, refused := a.data.(string); refused {
			body = map[string]any{"success": false, "error": words}
		} else if r.Method != http.MethodGet {
			s.writes++
		}
		if a.next != "" {
			body["additional_data"] = map[string]any{"next_cursor": a.next}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Ratelimit-Limit", "20")
		w.WriteHeader(a.status)
		_ = json.NewEncoder(w).Encode(body)
	})
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url}, map[string]string{"api_token": Token, "webhook_password": "webhook-password-of-the-example"}
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, id := range slices.Sorted(maps.Keys(s.people)) {
		h := standin.Held{}
		p := s.people[id]
		if len(p.emails) > 0 {
			h.Person, _ = p.emails[0]["value"].(string)
		}
		for _, f := range s.fields {
			switch labels := f.labels(p.custom[f.Code]); {
			case f.Name == "sb_stage" && len(labels) > 0:
				h.Stage = labels[0]
			case f.Name == "sb_segments":
				h.Segments = labels
			}
		}
		if h.Stage != "" || len(h.Segments) > 0 {
			all = append(all, h)
		}
	}
	return all
}

// AddPerson puts a person there and gives the number.
func (s *Sim) AddPerson(name, email string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(name, []map[string]any{{"value": email, "primary": true, "label": "work"}}).id
}

// Remove takes a person away, as somebody at Pipedrive does.
func (s *Sim) Remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.people, id)
}

// AddField puts a custom field there; values are option labels.
func (s *Sim) AddField(name, kind string, options ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newField(name, kind, options)
}

// Set changes a person's custom field to options, by label, as somebody at
// Pipedrive does.
func (s *Sim) Set(id int64, name string, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.fields {
		if f.Name != name {
			continue
		}
		var ids []any
		for _, o := range f.Options {
			if slices.Contains(labels, o.Label) {
				ids = append(ids, float64(o.ID))
			}
		}
		s.people[id].custom[f.Code] = any(ids)
		if f.Type == "enum" {
			s.people[id].custom[f.Code] = ids[0]
		}
	}
}

func (s *Sim) add(name string, emails []map[string]any) *person {
	s.lastID++
	p := &person{id: s.lastID, name: name, emails: emails, custom: map[string]any{}}
	s.people[p.id] = p
	return p
}

func (s *Sim) newField(name, kind string, options []string) *field {
	sum := sha1.Sum([]byte(name))
	f := &field{Name: name, Code: hex.EncodeToString(sum[:]), Type: kind, Custom: true}
	s.addLabels(f, options)
	s.fields = append(s.fields, f)
	return f
}

func (s *Sim) addLabels(f *field, labels []string) []option {
	var added []option
	for _, label := range labels {
		s.lastID++
		added = append(added, option{s.lastID, label})
	}
	f.Options = append(f.Options, added...)
	return added
}

// labels gives the labels of the options that a value holds.
func (f *field) labels(value any) []string {
	ids, many := value.([]any)
	if !many {
		ids = []any{value}
	}
	var all []string
	for _, o := range f.Options {
		if slices.Contains(ids, any(float64(o.ID))) {
			all = append(all, o.Label)
		}
	}
	return all
}

func (f *field) hasLabel(label string) bool {
	return slices.ContainsFunc(f.Options, func(o option) bool { return strings.EqualFold(o.Label, label) })
}
