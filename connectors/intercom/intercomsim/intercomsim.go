// Package intercomsim is a simulated Intercom: an HTTP handler that speaks the
// wire format of the REST API, version 2.15, for one workspace held in memory.
// It keeps Intercom's rules where a connector could break them: attributes that
// do not exist are refused, a contact shows only ten of its tags, a search may
// lag behind, and making a contact that is there is a conflict that names it.
package intercomsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// token is the access token that the stand-in takes.
const token = "simulated-intercom-token"

// maxBody bounds what one request may bring.
const maxBody = 1 << 20

// clock is the workspace's time, Unix seconds: every change is a second later.
const clock = 1795166100

// Sim is one simulated workspace. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu         sync.Mutex
	contacts   []*contact
	attributes []map[string]any
	tags       []map[string]string
	refused    map[string]string // by e-mail
	next, made int
	writes     int
}

type contact struct {
	id, role, external, email, name string

	attributes map[string]any
	tags       []string // ids
	updated    int64
	// hidden contacts are not found yet; archived ones never.
	hidden, archived bool
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty workspace.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), refused: map[string]string{}}
	for pattern, h := range map[string]func(*call){
		"GET /me":                          s.me,
		"GET /contacts/{id}":               s.getContact,
		"POST /contacts":                   s.createContact,
		"POST /contacts/search":            s.search,
		"PUT /contacts/{id}":               s.updateContact,
		"DELETE /contacts/{id}":            s.deleteContact,
		"GET /contacts/{id}/{more}":        s.below,
		"POST /contacts/{id}/tags":         s.tagContact,
		"DELETE /contacts/{id}/tags/{tag}": s.untagContact,
		"GET /tags":                        s.listTags,
		"POST /tags":                       s.createTag,
		"GET /data_attributes":             s.listAttributes,
		"POST /data_attributes":            s.createAttribute,
	} {
		s.mux.HandleFunc(pattern, s.handler(h))
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url}, map[string]string{"access_token": token, "client_secret": "simulated-intercom-client-secret"}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, c := range s.contacts {
		h := standin.Held{Person: c.email}
		h.Stage, _ = c.attributes["sb_stage"].(string)
		for _, id := range c.tags {
			if name, ours := strings.CutPrefix(s.tagName(id), "sb:"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		if h.Stage != "" || h.Segments != nil {
			all = append(all, h)
		}
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// AddContact puts a contact into the workspace and gives the id.
func (s *Sim) AddContact(role, external, email string, tags ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.add(role, external, email)
	for _, name := range tags {
		c.tags = append(c.tags, s.tag(name)["id"])
	}
	return c.id
}

// AddAttribute puts a data attribute of a type into the workspace.
func (s *Sim) AddAttribute(name, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attributes = append(s.attributes, s.attribute(name, kind))
}

// Hide keeps a contact from being found, as a search that lags behind does;
// archive puts it into the archive as well.
func (s *Sim) Hide(id string, archive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		c.hidden, c.archived = true, archive
	}
}

// Refuse makes every write of a person's attributes fail with the words.
func (s *Sim) Refuse(email, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[email] = words
}

// Tags gives the names of a contact's tags; Attribute one of its attributes.
func (s *Sim) Tags(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	if c := s.find(id); c != nil {
		for _, tag := range c.tags {
			names = append(names, s.tagName(tag))
		}
	}
	return names
}

// Attribute gives the value of a contact's attribute; nil where there is none.
func (s *Sim) Attribute(id, name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		return c.attributes[name]
	}
	return nil
}

// DropTag deletes a tag from the workspace and from everybody.
func (s *Sim) DropTag(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tags = slices.DeleteFunc(s.tags, func(t map[string]string) bool {
		if t["name"] != name {
			return false
		}
		for _, c := range s.contacts {
			c.tags = slices.DeleteFunc(c.tags, func(id string) bool { return id == t["id"] })
		}
		return true
	})
}

// number counts every change; the lock is held.
func (s *Sim) number() int {
	s.next++
	return s.next
}

func (s *Sim) add(role, external, email string) *contact {
	s.made++
	c := &contact{
		id: fmt.Sprintf("66aa11bb22cc33dd44ee%04x", s.made), role: role, external: external, email: email,
		attributes: map[string]any{}, updated: clock + int64(s.number()),
	}
	s.contacts = append(s.contacts, c)
	return c
}

func (s *Sim) find(id string) *contact {
	for _, c := range s.contacts {
		if c.id == id {
			return c
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// call is one request under way.
type call struct {
	r      *http.Request
	body   []byte
	status int
	answer any
	text   []byte
}

// write turns the answer into its text.
func (c *call) write() {
	if c.answer != nil && c.text == nil {
		c.text, _ = json.Marshal(c.answer)
	}
}

// handler reads the body, checks the credentials and writes the answer.
func (s *Sim) handler(h func(*call)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		c := &call{r: r, body: body, status: http.StatusOK}
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			c.fail(http.StatusUnauthorized, "unauthorized", "Access Token Invalid")
		case r.Header.Get("Intercom-Version") != "2.15":
			c.fail(http.StatusBadRequest, "intercom_version_invalid", "The requested version does not exist")
		default:
			s.mu.Lock()
			h(c)
			if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/search") && c.status < 300 {
				s.writes++
			}
			// Written while the lock is held: the answer shares maps with the workspace.
			c.write()
			s.mu.Unlock()
		}
		c.write()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(c.status)
		_, _ = w.Write(c.text)
	}
}

// decode reads the body; a wrong one is refused.
func (c *call) decode(into any) bool {
	if err := json.Unmarshal(c.body, into); err != nil {
		c.fail(http.StatusBadRequest, "bad_request", "The body cannot be read")
		return false
	}
	return true
}

func (c *call) fail(status int, code, message string) {
	c.status, c.answer = status, map[string]any{
		"type": "error.list", "request_id": "11111111-2222-4333-8444-555555555555",
		"errors": []any{map[string]any{"code": code, "message": message}},
	}
}

func (c *call) missing(what string) { c.fail(http.StatusNotFound, "not_found", what+" Not Found") }

func list(items any) map[string]any { return map[string]any{"type": "list", "data": items} }

func (s *Sim) me(c *call) {
	c.answer = map[string]any{
		"type": "admin", "id": "814860", "email": "admin@example.com", "name": "Admin", "has_inbox_seat": true, "team_ids": []int{},
		"app": map[string]any{"type": "app", "id_code": "ab12cd34", "name": "Example Ltd", "region": "US"},
	}
}
