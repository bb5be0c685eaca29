// Package segmentsim is a simulated Segment: the tracking API for one
// workspace held in memory, and of the Public API what a connection uses. It is
// for the demo, for tests and for measuring. It keeps Segment's less obvious
// rules: a write key that does not exist is answered with success and leads
// nowhere, a call of more than 32 KB is dropped in silence, a repeated message
// id counts once.
package segmentsim

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Keys that the stand-in knows.
const (
	WriteKey = "simulated-write-key"
	Token    = "simulated-public-api-token"
	Profiles = "simulated-profile-token"
)

// SpaceID is the Unify space of the profiles.
const SpaceID = "spa_simulated"

// Limits of the tracking API, in bytes and calls
// (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/).
const (
	maxRequest = 500 << 10
	maxCall    = 32 << 10
	maxCalls   = 2500
)

// Sim is the simulated vendor. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu     sync.Mutex
	people map[string]map[string]any // traits by user id or anonymous id
	tracks []Track
	seen   map[string]bool // message ids
	writes int
	erased []string

	destinations []*Destination
	lastID       int
}

// Track is one track call that was taken.
type Track struct {
	Person, Event string
	Properties    map[string]any
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty workspace.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), people: map[string]map[string]any{}, seen: map[string]bool{}}
	s.mux.HandleFunc("POST /v1/batch", s.batch)
	s.mux.HandleFunc("GET /{$}", s.workspace)
	s.mux.HandleFunc("POST /regulations", s.regulate)
	s.mux.HandleFunc("POST /regulations/sources/{source}", s.regulate)
	s.mux.HandleFunc("GET /v1/spaces/"+SpaceID+"/collections/users/profiles/{id}/traits", s.profile)
	s.destinationRoutes()
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "segment")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "public_api_url": url, "profiles_url": url, "space_id": SpaceID},
		map[string]string{"write_key": WriteKey, "public_api_token": Token, "profile_token": Profiles}
}

// Held implements standin.Simulated. A person is the address where one was
// told, else the id.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for id, traits := range s.people {
		held := standin.Held{Person: id}
		if email, ok := traits["email"].(string); ok {
			held.Person = email
		}
		held.Stage, _ = traits["sb_stage"].(string)
		for name, value := range traits {
			if segment, ok := strings.CutPrefix(name, "sb_segment_"); ok && value == true {
				held.Segments = append(held.Segments, segment)
			}
		}
		slices.Sort(held.Segments)
		all = append(all, held)
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Tracks gives the track calls taken so far, in order.
func (s *Sim) Tracks() []Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tracks)
}

// Traits gives what is held about a user id or anonymous id.
func (s *Sim) Traits(id string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people[id]
}

// Erased lists the user ids whose erasure was filed.
func (s *Sim) Erased() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.erased)
}

type call struct {
	Type        string         `json:"type"`
	MessageID   string         `json:"messageId"`
	UserID      string         `json:"userId"`
	AnonymousID string         `json:"anonymousId"`
	GroupID     string         `json:"groupId"`
	Event       string         `json:"event"`
	Traits      map[string]any `json:"traits"`
	Properties  map[string]any `json:"properties"`
}

func (s *Sim) batch(w http.ResponseWriter, r *http.Request) {
	key, _, ok := r.BasicAuth()
	if !ok || key == "" {
		answer(w, http.StatusUnauthorized, map[string]any{"success": false, "message": "no write key"})
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	var in struct {
		Batch []json.RawMessage `json:"batch"`
	}
	if err != nil || len(body) > maxRequest || json.Unmarshal(body, &in) != nil || in.Batch == nil {
		answer(w, http.StatusBadRequest, map[string]any{"success": false, "message": "malformed JSON or more than 500 KB"})
		return
	}
	if key == WriteKey {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writes++
		for i, raw := range in.Batch {
			var c call
			if i >= maxCalls || len(raw) > maxCall || json.Unmarshal(raw, &c) != nil {
				continue
			}
			s.take(&c)
		}
	}
	answer(w, http.StatusOK, map[string]any{"success": true})
}

// take keeps one call. The lock is held.
func (s *Sim) take(c *call) {
	id := c.UserID
	if id == "" {
		id = c.AnonymousID
	}
	if id == "" || c.MessageID == "" || len(c.MessageID) > 100 || s.seen[c.MessageID] || slices.Contains(s.erased, id) {
		return
	}
	s.seen[c.MessageID] = true
	switch c.Type {
	case "identify":
		held := s.people[id]
		if held == nil {
			held = map[string]any{}
			s.people[id] = held
		}
		for name, value := range c.Traits {
			held[name] = value
			if value == nil {
				delete(held, name)
			}
		}
	case "track":
		if c.Event != "" {
			s.tracks = append(s.tracks, Track{id, c.Event, c.Properties})
		}
	}
}

func (s *Sim) workspace(w http.ResponseWriter, r *http.Request) {
	if permitted(w, r) {
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{"workspace": map[string]any{"id": "w-1", "name": "Simulated workspace", "slug": "simulated"}}})
	}
}

func (s *Sim) regulate(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) {
		return
	}
	var in struct {
		RegulationType, SubjectType string
		SubjectIDs                  []string `json:"subjectIds"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(&in) != nil || in.SubjectType != "USER_ID" ||
		in.RegulationType != "SUPPRESS_WITH_DELETE" || len(in.SubjectIDs) == 0 || len(in.SubjectIDs) > 5000 {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{"type": "validation-error", "message": "The regulation is not valid."}}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.erased = append(s.erased, in.SubjectIDs...)
	for _, id := range in.SubjectIDs {
		delete(s.people, id)
	}
	answer(w, http.StatusOK, map[string]any{"data": map[string]any{"regulateId": "reg-1"}})
}

// permitted checks the token of the Public API.
func permitted(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+Token {
		return true
	}
	answer(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{"type": "unauthorized", "message": "The token is not valid."}}})
	return false
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
