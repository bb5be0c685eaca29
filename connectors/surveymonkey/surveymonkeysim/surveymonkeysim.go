// Package surveymonkeysim stands in for SurveyMonkey in the demo and in tests:
// an address book with six custom fields, webhooks, and surveys with their
// responses, all in memory. It checks the token and refuses what SurveyMonkey
// refuses.
package surveymonkeysim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Token is what every call must bear.
const Token = "simulated-surveymonkey-token"

// Custom fields in which the connector's defaults keep stage and segments.
const (
	stageField   = "6"
	segmentField = "5"
)

// Contact is a person of the address book.
type Contact struct {
	ID        string            `json:"id"`
	FirstName string            `json:"first_name"`
	LastName  string            `json:"last_name"`
	Email     string            `json:"email"`
	Custom    map[string]string `json:"custom_fields"`
	// Status is active, optout or bounced; calls can't change it.
	Status string `json:"-"`
}

// Sim is one simulated account. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	next     int
	contacts map[string]*Contact
	labels   map[string]string
	webhooks map[string]map[string]any
	document map[string]any
	refused  map[string]bool
	writes   int
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an account with an empty address book.
func New() *Sim {
	s := &Sim{
		mux: http.NewServeMux(), next: 880011, contacts: map[string]*Contact{}, labels: map[string]string{},
		webhooks: map[string]map[string]any{}, document: map[string]any{}, refused: map[string]bool{},
	}
	for i := range 6 {
		s.labels[strconv.Itoa(i+1)] = fmt.Sprintf("Custom %d", i+1)
	}
	s.document["/v3/users/me"] = map[string]any{"id": "902211", "username": "ada", "scopes": map[string]any{"granted": []string{
		"responses_read", "responses_read_detail", "surveys_read", "webhooks_read", "webhooks_write", "contacts_read", "contacts_write",
	}}}
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /v3/contact_fields": s.listFields, "PATCH /v3/contact_fields/{id}": s.label,
		"GET /v3/contacts": s.search, "GET /v3/contacts/bulk": s.list, "POST /v3/contacts/bulk": s.bulk,
		"GET /v3/contacts/{id}": s.contact, "PATCH /v3/contacts/{id}": s.patch, "DELETE /v3/contacts/{id}": s.remove,
		"GET /v3/webhooks": s.listWebhooks, "POST /v3/webhooks": s.subscribe,
		"GET /v3/webhooks/{id}": s.webhook, "PATCH /v3/webhooks/{id}": s.resubscribe, "DELETE /v3/webhooks/{id}": s.unsubscribe,
		"GET /v3/": s.read,
	} {
		s.mux.HandleFunc(pattern, h)
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "daily_requests": "1000000"}, map[string]string{"access_token": Token}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, k := range s.contacts {
		h := standin.Held{Person: k.Email, Stage: k.Custom[stageField]}
		for part := range strings.SplitSeq(k.Custom[segmentField], "; ") {
			if name, ok := strings.CutPrefix(part, "sb:"); ok {
				h.Segments = append(h.Segments, name)
			}
		}
		if h.Stage != "" || len(h.Segments) > 0 {
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

// Put makes the account answer a GET of a path, below /v3, with a document: a
// survey, a response, a recipient.
func (s *Sim) Put(path string, document any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document["/v3"+path] = document
}

// Add puts a contact into the address book and gives its id.
func (s *Sim) Add(k Contact) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(k).ID
}

func (s *Sim) add(k Contact) *Contact {
	s.next++
	k.ID = strconv.Itoa(s.next)
	if k.Custom == nil {
		k.Custom = map[string]string{}
	}
	if k.Status == "" {
		k.Status = "active"
	}
	s.contacts[k.ID] = &k
	return &k
}

// Contact gives the contact of an address.
func (s *Sim) Contact(email string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.byEmail(email)
	if k == nil {
		return Contact{}, false
	}
	c := *k
	c.Custom = maps.Clone(k.Custom)
	return c, true
}

// Label names a custom field.
func (s *Sim) Label(field, label string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.labels[field] = label
}

// Refuse makes the account call an address invalid.
func (s *Sim) Refuse(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[strings.ToLower(email)] = true
}

func (s *Sim) byEmail(email string) *Contact {
	for _, id := range slices.Sorted(maps.Keys(s.contacts)) {
		if strings.EqualFold(s.contacts[id].Email, strings.TrimSpace(email)) {
			return s.contacts[id]
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		fail(w, http.StatusUnauthorized, "1011", "Authorization Error", "The authorization token was not provided or is invalid.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mux.ServeHTTP(w, r)
}

// read answers with a document.
func (s *Sim) read(w http.ResponseWriter, r *http.Request) {
	d, ok := s.document[r.URL.Path]
	if !ok {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, d)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, id, name, message string) {
	answer(w, status, map[string]any{"error": map[string]any{
		"id": id, "name": name, "message": message, "http_status_code": status, "docs": "https://developer.surveymonkey.com/api/v3/#error-codes",
	}})
}

func notFound(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "1020", "Resource Not Found", "There was an error retrieving the requested resource.")
}

// decode reads a body; false when it was refused.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(v) != nil {
		fail(w, http.StatusBadRequest, "1001", "Bad Request", "The body provided was not a proper JSON string.")
		return false
	}
	return true
}

// paged wraps a list as every list is answered.
func paged(list any) map[string]any {
	return map[string]any{"data": list, "page": 1, "per_page": 1000, "links": map[string]any{"self": "https://api.surveymonkey.com/v3/"}}
}
