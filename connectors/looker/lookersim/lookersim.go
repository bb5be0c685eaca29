// Package lookersim stands in for a Looker instance in tests: its API's login,
// the user, action hubs and their actions. Adding a hub makes it ask the hub for
// its actions, as Looker does.
package lookersim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// The API key of the simulated administrator.
const (
	ClientID     = "simulated-client"
	ClientSecret = "simulated-client-secret"
)

// Hub is an action hub of the instance.
type Hub struct {
	ID, URL, Token string
	// Actions that the hub listed; Enabled says whether they are switched on.
	Actions int
	Enabled bool
	fault   string
}

// Sim is one simulated instance. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	// List, when set before the first call, stands for calling a hub: it is given
	// the hub's address and the header Authorization.
	List func(url, authorization string) (status int, body []byte)

	mu     sync.Mutex
	next   int
	token  string
	hubs   map[string]*Hub
	writes int
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an instance without hubs.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), hubs: map[string]*Hub{}}
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /api/4.0/user": s.user, "GET /api/4.0/integration_hubs": s.list, "POST /api/4.0/integration_hubs": s.add,
		"PATCH /api/4.0/integration_hubs/{id}": s.change, "DELETE /api/4.0/integration_hubs/{id}": s.remove,
		"GET /api/4.0/integrations": s.actions, "PATCH /api/4.0/integrations/{id}": s.enable,
	} {
		s.mux.HandleFunc(pattern, h)
	}
	return s
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "client_id": ClientID}, map[string]string{"client_secret": ClientSecret, "hub_token": "simulated-hub-token"}
}

// Held implements standin.Simulated: Looker stores nothing about people.
func (s *Sim) Held() []standin.Held { return nil }

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Hubs lists the hubs by id.
func (s *Sim) Hubs() []Hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Hub
	for _, id := range slices.Sorted(maps.Keys(s.hubs)) {
		all = append(all, *s.hubs[id])
	}
	return all
}

// ExpireToken ends the token that was given out.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/api/4.0/login" {
		s.login(w, r)
		return
	}
	if s.token == "" || r.Header.Get("Authorization") != "token "+s.token {
		fail(w, http.StatusUnauthorized, "Requires authentication.")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// login answers credentials that it does not know as if there were nothing.
func (s *Sim) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.PostFormValue("client_id") != ClientID || r.PostFormValue("client_secret") != ClientSecret {
		fail(w, http.StatusNotFound, "Not found")
		return
	}
	s.next++
	s.token = fmt.Sprintf("session-%06d", s.next)
	answer(w, map[string]any{"access_token": s.token, "token_type": "Bearer", "expires_in": 3600})
}

func (s *Sim) user(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"id": "12", "display_name": "Ada Example"})
}

func shown(h *Hub) map[string]any {
	m := map[string]any{"id": h.ID, "url": h.URL, "label": "Stagebridge", "official": false, "has_authorization_token": h.Token != ""}
	if h.fault != "" {
		m["fetch_error_message"] = h.fault
	}
	return m
}

func (s *Sim) list(w http.ResponseWriter, _ *http.Request) {
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.hubs)) {
		all = append(all, shown(s.hubs[id]))
	}
	answer(w, all)
}

func (s *Sim) add(w http.ResponseWriter, r *http.Request) {
	s.next++
	h := &Hub{ID: strconv.Itoa(s.next)}
	if s.apply(w, r, h) {
		s.hubs[h.ID] = h
		answer(w, shown(h))
	}
}

func (s *Sim) change(w http.ResponseWriter, r *http.Request) {
	h := s.hubs[r.PathValue("id")]
	if h == nil {
		fail(w, http.StatusNotFound, "Not found")
		return
	}
	if s.apply(w, r, h) {
		answer(w, shown(h))
	}
}

// apply takes a body over and asks the hub for its actions.
func (s *Sim) apply(w http.ResponseWriter, r *http.Request, h *Hub) bool {
	var b struct {
		URL   string `json:"url"`
		Token string `json:"authorization_token"`
	}
	body, _ := io.ReadAll(r.Body)
	if json.NewDecoder(bytes.NewReader(body)).Decode(&b) != nil || b.URL == "" {
		fail(w, http.StatusUnprocessableEntity, "Validation Failed")
		return false
	}
	h.URL, h.Token, h.fault, h.Actions = b.URL, b.Token, "", 1
	s.writes++
	if s.List == nil {
		return true
	}
	var listed struct {
		Integrations []any `json:"integrations"`
	}
	status, text := s.List(h.URL, `Token token="`+h.Token+`"`)
	if status != http.StatusOK || json.Unmarshal(text, &listed) != nil {
		h.fault = fmt.Sprintf("The hub answered %d", status)
	}
	h.Actions = len(listed.Integrations)
	return true
}

func (s *Sim) remove(w http.ResponseWriter, r *http.Request) {
	if s.hubs[r.PathValue("id")] == nil {
		fail(w, http.StatusNotFound, "Not found")
		return
	}
	delete(s.hubs, r.PathValue("id"))
	s.writes++
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) actions(w http.ResponseWriter, r *http.Request) {
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.hubs)) {
		for range min(s.hubs[id].Actions, 1) {
			if wanted := r.URL.Query().Get("integration_hub_id"); wanted == "" || wanted == id {
				all = append(all, action(s.hubs[id]))
			}
		}
	}
	answer(w, all)
}

func action(h *Hub) map[string]any {
	return map[string]any{"id": h.ID + "::stagebridge_people", "integration_hub_id": h.ID, "label": "Stagebridge: people", "enabled": h.Enabled}
}

func (s *Sim) enable(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Enabled bool `json:"enabled"`
	}
	for _, h := range s.hubs {
		if r.PathValue("id") == h.ID+"::stagebridge_people" && json.NewDecoder(r.Body).Decode(&b) == nil {
			h.Enabled = b.Enabled
			s.writes++
			answer(w, action(h))
			return
		}
	}
	fail(w, http.StatusNotFound, "Not found")
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"message": message, "documentation_url": "https://cloud.google.com/looker/docs/"})
}
