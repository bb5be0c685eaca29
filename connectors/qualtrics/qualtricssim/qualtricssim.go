// Package qualtricssim stands in for Qualtrics in the demo and in tests: one
// directory of contacts, event subscriptions, and responses, all in memory. It
// checks the credentials and refuses what Qualtrics refuses.
package qualtricssim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// What the simulated brand is called with.
const (
	Token        = "simulated-qualtrics-token"
	ClientID     = "simulated-client"
	ClientSecret = "simulated-client-secret"
	Directory    = "POOL_simulated1"
)

// Contact is a person of the directory.
type Contact struct {
	ID           string         `json:"contactId"`
	First        string         `json:"firstName"`
	Last         string         `json:"lastName"`
	Email        string         `json:"email"`
	ExtRef       string         `json:"extRef"`
	Unsubscribed bool           `json:"unsubscribed"`
	Embedded     map[string]any `json:"embeddedData"`
}

// Sim is one simulated brand. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu            sync.Mutex
	next          int
	contacts      map[string]*Contact
	subscriptions map[string]map[string]any
	responses     map[string]any
	refused       map[string]bool
	replaces      bool
	bearer        string
	erasures      []any
	writes        int
}

var _ standin.Simulated = (*Sim)(nil)

// New makes a brand with an empty directory.
func New() *Sim {
	s := &Sim{
		mux: http.NewServeMux(), contacts: map[string]*Contact{}, subscriptions: map[string]map[string]any{},
		responses: map[string]any{}, refused: map[string]bool{},
	}
	const contacts = "/API/v3/directories/" + Directory + "/contacts"
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /API/v3/whoami": s.whoami,
		"GET " + contacts:    s.list, "POST " + contacts: s.create, "POST " + contacts + "/search": s.search,
		"GET " + contacts + "/{id}": s.contact, "PUT " + contacts + "/{id}": s.update, "DELETE " + contacts + "/{id}": s.remove,
		"GET /API/v3/eventsubscriptions": s.listSubscriptions, "POST /API/v3/eventsubscriptions": s.subscribe,
		"DELETE /API/v3/eventsubscriptions/{id}":      s.unsubscribe,
		"GET /API/v3/surveys/{survey}/responses/{id}": s.response,
		"POST /API/v3/op-erase-personal-data":         s.erase,
		"/":                                           func(w http.ResponseWriter, _ *http.Request) { notFound(w) },
	} {
		s.mux.HandleFunc(pattern, h)
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "datacenter": "fra1", "directory_id": Directory}, map[string]string{"api_token": Token}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, k := range s.contacts {
		h := standin.Held{Person: k.Email}
		h.Stage, _ = k.Embedded["sb_stage"].(string)
		segments, _ := k.Embedded["sb_segments"].(string)
		h.Segments = slices.DeleteFunc(strings.Split(segments, ","), func(name string) bool { return name == "" })
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

// Add puts a contact into the directory and gives its id.
func (s *Sim) Add(k Contact) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(k)
}

func (s *Sim) add(k Contact) string {
	s.next++
	k.ID = fmt.Sprintf("CID_%04d", s.next)
	if k.Embedded == nil {
		k.Embedded = map[string]any{}
	}
	s.contacts[k.ID] = &k
	return k.ID
}

// Contact gives a contact by id.
func (s *Sim) Contact(id string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.contacts[id]
	if !ok {
		return Contact{}, false
	}
	c := *k
	c.Embedded = maps.Clone(k.Embedded)
	return c, true
}

// Find gives the contact of an address.
func (s *Sim) Find(email string) (Contact, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.contacts)) {
		if strings.EqualFold(s.contacts[id].Email, email) {
			return *s.contacts[id], true
		}
	}
	return Contact{}, false
}

// Respond puts a response there.
func (s *Sim) Respond(survey, id string, values map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responses[survey+"/"+id] = map[string]any{"responseId": id, "values": values, "labels": map[string]any{}}
}

// Refuse makes the directory take no contact of an address.
func (s *Sim) Refuse(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[strings.ToLower(email)] = true
}

// Replace makes an update of embedded data replace it.
func (s *Sim) Replace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replaces = true
}

// ExpireToken ends the bearer token that was given out.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bearer = ""
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/oauth2/token" {
		s.token(w, r)
		return
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); r.Header.Get("X-API-TOKEN") != Token && !(ok && bearer != "" && bearer == s.bearer) {
		fail(w, http.StatusUnauthorized, "AUTH_1", "The token is invalid.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// token is the client credentials grant.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	id, key, _ := r.BasicAuth()
	if id != ClientID || key != ClientSecret || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client","error_description":"Client authentication failed"}`))
		return
	}
	s.next++
	s.bearer = fmt.Sprintf("bearer-%06d", s.next)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.bearer, "token_type": "Bearer", "expires_in": 3599, "scope": r.PostFormValue("scope")})
}

func answer(w http.ResponseWriter, result any) {
	body := map[string]any{"meta": map[string]any{"httpStatus": "200 - OK", "requestId": "11111111-2222-3333-4444-555555555555"}}
	if result != nil {
		body["result"] = result
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]any{
		"httpStatus": fmt.Sprintf("%d - %s", status, http.StatusText(status)), "requestId": "11111111-2222-3333-4444-555555555555",
		"error": map[string]any{"errorMessage": message, "errorCode": code},
	}})
}

func notFound(w http.ResponseWriter) {
	fail(w, http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist.")
}

// decode reads a body; false when it was refused.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(v) != nil {
		fail(w, http.StatusBadRequest, "QVAL_1", "The body is not JSON.")
		return false
	}
	return true
}
