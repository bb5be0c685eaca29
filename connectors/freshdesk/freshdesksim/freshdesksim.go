// Package freshdesksim is a simulated Freshdesk: an HTTP handler that speaks the
// wire format of the API, version 2, for one account held in memory. It keeps
// Freshdesk's rules where a connector could break them: the name of a contact
// field is made out of its label, unknown fields are refused, a list of tags is
// the whole list, deleted contacts keep their address, and blocked ones can't be
// written to.
package freshdesksim

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials that the stand-in takes.
const (
	key           = "simulated-freshdesk-key"
	webhookSecret = "simulated-freshdesk-webhook-secret"
)

// maxBody bounds what one request may bring.
const maxBody = 1 << 20

// Sim is one simulated account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	contacts []*contact
	fields   []map[string]any
	tickets  map[string]string // contact by ticket
	refused  map[string]string // by e-mail
	clock    time.Time
	page     int
	writes   int
}

type contact struct {
	id               int64
	name, email      string
	others, tags     []string
	fields           map[string]any
	created, updated time.Time
	deleted, blocked bool
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an account with Freshdesk's own contact fields only.
func New() *Sim {
	s := &Sim{
		mux: http.NewServeMux(), tickets: map[string]string{}, refused: map[string]string{},
		clock: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), page: 100,
		fields: []map[string]any{
			{"id": 1, "name": "name", "label": "Full name", "type": "default_name", "default": true},
			{"id": 2, "name": "email", "label": "Email", "type": "default_email", "default": true},
		},
	}
	for pattern, h := range map[string]func(*call){
		"GET /agents/me":                    s.me,
		"GET /contacts":                     s.list,
		"POST /contacts":                    s.create,
		"GET /contacts/{id}":                s.read,
		"PUT /contacts/{id}":                s.update,
		"DELETE /contacts/{id}/hard_delete": s.erase,
		"GET /contact_fields":               s.listFields,
		"POST /contact_fields":              s.createField,
		"GET /tickets/{id}":                 s.ticket,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		s.mux.HandleFunc(method+" /api/v2"+path, s.handler(h))
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	// The stand-in counts no calls, so nobody need wait for a minute to pass.
	return map[string]string{"base_url": url, "calls_per_minute": "5000"}, map[string]string{"api_key": key, "webhook_secret": webhookSecret}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, c := range s.contacts {
		h := standin.Held{Person: c.email}
		h.Stage, _ = c.fields["custom_sb_stage"].(string)
		for _, tag := range c.tags {
			if name, ours := strings.CutPrefix(tag, "sb:"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		if !c.deleted && (h.Stage != "" || h.Segments != nil) {
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

// AddContact puts a contact into the account and gives the id. Further
// addresses are found by the list as well.
func (s *Sim) AddContact(email string, tags []string, others ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.add(email, email)
	c.tags, c.others = slices.Clone(tags), others
	return strconv.FormatInt(c.id, 10)
}

// AddField puts a contact field of a type into the account.
func (s *Sim) AddField(label, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields = append(s.fields, s.field(label, kind))
}

// AddTicket gives a contact a ticket.
func (s *Sim) AddTicket(ticket, contact string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets[ticket] = contact
}

// Change lets somebody else change a contact's name.
func (s *Sim) Change(id, name string) { s.edit(id, func(c *contact) { c.name = name }) }

// Delete puts a contact into the bin, where it keeps its address.
func (s *Sim) Delete(id string) { s.edit(id, func(c *contact) { c.deleted = true }) }

// Block keeps a contact from being listed and written to.
func (s *Sim) Block(id string) { s.edit(id, func(c *contact) { c.blocked = true }) }

func (s *Sim) edit(id string, change func(*contact)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		change(c)
		c.updated = s.clock
	}
}

// Refuse makes every write of a person's fields fail with the words.
func (s *Sim) Refuse(email, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[email] = words
}

// Pass lets time go by.
func (s *Sim) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// Now is the account's time.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

// PageSize bounds pages of contacts below what is asked for.
func (s *Sim) PageSize(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = n
}

// Tags gives a contact's tags.
func (s *Sim) Tags(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		return slices.Clone(c.tags)
	}
	return nil
}

// Field gives what a contact holds in a field, by the field's name.
func (s *Sim) Field(id, name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(id); c != nil {
		return c.fields[name]
	}
	return nil
}

// add makes a contact; the lock is held.
func (s *Sim) add(name, email string) *contact {
	c := &contact{id: int64(8800001 + len(s.contacts)), name: name, email: email, fields: map[string]any{}, created: s.clock, updated: s.clock}
	s.contacts = append(s.contacts, c)
	return c
}

// find gives the contact of an id, in the bin or not; nil where there is none.
func (s *Sim) find(id string) *contact {
	for _, c := range s.contacts {
		if strconv.FormatInt(c.id, 10) == id && c.email != "" {
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
	header http.Header
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
		c := &call{r: r, body: body, status: http.StatusOK, header: w.Header()}
		if name, _, ok := r.BasicAuth(); !ok || name != key {
			c.status, c.answer = http.StatusUnauthorized, map[string]any{"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
		} else {
			s.mu.Lock()
			h(c)
			if r.Method != http.MethodGet && c.status < 300 {
				s.writes++
			}
			// Written while the lock is held: the answer shares maps with the account.
			c.write()
			s.mu.Unlock()
		}
		c.write()
		w.Header().Set("X-Request-Id", "simulated-request")
		if c.text != nil {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
		w.WriteHeader(c.status)
		_, _ = w.Write(c.text)
	}
}

// invalid refuses a value.
func (c *call) invalid(status int, field, code, message string, more map[string]any) {
	one := map[string]any{"field": field, "code": code, "message": message}
	if more != nil {
		one["additional_info"] = more
	}
	c.status, c.answer = status, map[string]any{"description": "Validation failed", "errors": []any{one}}
}

func (c *call) missing() { c.status = http.StatusNotFound }

func (s *Sim) me(c *call) {
	c.answer = map[string]any{"id": 7700, "type": "support_agent", "contact": map[string]any{"name": "Ann Admin", "email": "admin@example.com"}}
}
