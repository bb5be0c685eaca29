// Package crispsim is a simulated Crisp workspace: profiles with segments and
// custom data, conversations, in the wire format of version 1 of the REST API.
// It refuses what Crisp refuses.
package crispsim

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Website, Identifier and Key are all that the workspace takes.
const (
	Website    = "5d0c1f7e-1111-4222-8333-444455556666"
	Identifier = "7c3ef21c-1e04-41ce-8c06-5605c346f73e"
	Key        = "crisp-key-of-the-example"
)

// Sim is a simulated workspace. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	profiles map[string]*profile // by id
	sessions map[string]*session // by id
	merges   bool
	cached   bool
	last     int
	writes   int
}

type profile struct {
	ID       string         `json:"people_id"`
	Email    string         `json:"email"`
	Person   map[string]any `json:"person"`
	Segments []string       `json:"segments"`
	data     map[string]any
}

type session struct{ email, people string }

// New makes an empty workspace.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), profiles: map[string]*profile{}, sessions: map[string]*session{}}
	const root = "/v1/website/" + Website
	s.handle("GET "+root, func(*http.Request) answer {
		return answer{200, "resolved", map[string]any{"website_id": Website, "name": "Acme", "domain": "acme.example.com"}}
	})
	s.handle("POST "+root+"/people/profile", s.create)
	s.handle("GET "+root+"/people/profile/{key}", s.withProfile(func(p *profile, _ *http.Request) answer { return answer{200, "resolved", *p} }))
	s.handle("PATCH "+root+"/people/profile/{key}", s.withProfile(s.change))
	s.handle("DELETE "+root+"/people/profile/{key}", s.withProfile(func(p *profile, _ *http.Request) answer {
		delete(s.profiles, p.ID)
		return answer{200, "deleted", nil}
	}))
	s.handle("GET "+root+"/people/data/{key}", s.withProfile(func(p *profile, _ *http.Request) answer {
		return answer{200, "resolved", map[string]any{"data": maps.Clone(p.data)}}
	}))
	s.handle("PATCH "+root+"/people/data/{key}", s.withProfile(changeData))
	s.handle("GET "+root+"/people/conversations/{key}/list/{page}", s.withProfile(s.conversations))
	s.handle("GET "+root+"/conversation/{session}/meta", s.meta)
	s.handle("DELETE "+root+"/conversation/{session}", s.deleteSession)
	return s
}

// answer is a status, a reason and the data.
type answer struct {
	status int
	reason string
	data   any
}

// handle serves a route under the lock, to whoever has the token.
func (s *Sim) handle(pattern string, serve func(r *http.Request) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := answer{http.StatusUnauthorized, "invalid_session", nil}
		identifier, key, _ := r.BasicAuth()
		if identifier == Identifier && key == Key && r.Header.Get("X-Crisp-Tier") == "website" {
			a = serve(r)
		}
		if r.Method != http.MethodGet && a.status < 300 {
			s.writes++
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Bloom-Status", map[bool]string{true: "HIT", false: "DIRECT"}[s.cached && r.Method == http.MethodGet])
		w.WriteHeader(a.status)
		if a.data == nil {
			a.data = map[string]any{}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"error": a.status >= 300, "reason": a.reason, "data": a.data})
	})
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "website_id": Website, "token_identifier": Identifier},
		map[string]string{"token_key": Key, "webhook_secret": "url-secret-of-the-example"}
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Held implements standin.Simulated; segments are those with our prefix.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, id := range slices.Sorted(maps.Keys(s.profiles)) {
		p := s.profiles[id]
		h := standin.Held{Person: p.Email}
		h.Stage, _ = p.data["sb_stage"].(string)
		for _, segment := range p.Segments {
			if name, ours := strings.CutPrefix(segment, "sb:"); ours {
				h.Segments = append(h.Segments, name)
			}
		}
		if h.Stage != "" || len(h.Segments) > 0 {
			all = append(all, h)
		}
	}
	return all
}

// AddProfile puts a profile there and gives its id.
func (s *Sim) AddProfile(email string, segments ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(email, map[string]any{"nickname": "Somebody"}, segments).ID
}

// Remove takes a profile away, as somebody at Crisp does.
func (s *Sim) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.profiles, id)
}

// AddSession puts a conversation there; address and profile may be empty.
func (s *Sim) AddSession(id, email, people string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[id] = &session{email, people}
}

// Merging makes a written list of segments add to the one there.
func (s *Sim) Merging(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.merges = on
}

// Caching makes every read say that it comes from the cache.
func (s *Sim) Caching(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached = on
}

func (s *Sim) add(email string, person map[string]any, segments []string) *profile {
	s.last++
	p := &profile{ID: fmt.Sprintf("7b7b7b7b-2222-4333-8444-%012d", s.last), Email: email, Person: person, Segments: segments, data: map[string]any{}}
	s.profiles[p.ID] = p
	return p
}

// find looks a profile up by id or address.
func (s *Sim) find(key string) *profile {
	if p := s.profiles[key]; p != nil {
		return p
	}
	for _, p := range s.profiles {
		if strings.EqualFold(p.Email, key) {
			return p
		}
	}
	return nil
}

func (s *Sim) withProfile(serve func(*profile, *http.Request) answer) func(*http.Request) answer {
	return func(r *http.Request) answer {
		p := s.find(r.PathValue("key"))
		if p == nil {
			return answer{http.StatusNotFound, "people_not_found", nil}
		}
		return serve(p, r)
	}
}

// written is what a write of a profile may hold.
type written struct {
	Email    string         `json:"email"`
	Person   map[string]any `json:"person"`
	Segments []string       `json:"segments"`
}

func decode(r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(v) == nil
}

func (s *Sim) create(r *http.Request) answer {
	var w written
	switch {
	case !decode(r, &w) || w.Email == "" || w.Person["nickname"] == nil:
		return answer{http.StatusBadRequest, "invalid_data", map[string]any{"message": "email and person.nickname are required"}}
	case s.find(w.Email) != nil:
		return answer{http.StatusConflict, "people_exists", nil}
	}
	return answer{http.StatusCreated, "added", map[string]any{"people_id": s.add(w.Email, w.Person, w.Segments).ID}}
}

func (s *Sim) change(p *profile, r *http.Request) answer {
	var w written
	if !decode(r, &w) {
		return answer{http.StatusBadRequest, "invalid_data", nil}
	}
	maps.Copy(p.Person, w.Person)
	if w.Segments != nil {
		all := w.Segments
		if s.merges {
			all = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Segments, w.Segments))))
		}
		p.Segments = all
	}
	return answer{200, "updated", nil}
}

func changeData(p *profile, r *http.Request) answer {
	body, _ := io.ReadAll(r.Body)
	var w struct {
		Data map[string]any `json:"data"`
	}
	if json.Unmarshal(body, &w) != nil {
		return answer{http.StatusBadRequest, "invalid_data", nil}
	}
	for name, value := range w.Data {
		switch value.(type) {
		case string, float64, bool:
			p.data[name] = value
		default:
			return answer{http.StatusBadRequest, "invalid_data", map[string]any{"message": "a value is no text, number or boolean"}}
		}
	}
	return answer{200, "updated", nil}
}

func (s *Sim) conversations(p *profile, r *http.Request) answer {
	ids := []string{}
	page, _ := strconv.Atoi(r.PathValue("page"))
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		if s.sessions[id].people == p.ID {
			ids = append(ids, id)
		}
	}
	// Two to a page, so that paging is walked.
	from := min(2*(page-1), len(ids))
	return answer{200, "listed", ids[from:min(from+2, len(ids))]}
}

func (s *Sim) meta(r *http.Request) answer {
	one := s.sessions[r.PathValue("session")]
	if one == nil {
		return answer{http.StatusNotFound, "session_not_found", nil}
	}
	return answer{200, "resolved", map[string]any{"nickname": "Dana", "email": one.email, "segments": []string{}, "data": map[string]any{"plan": "Team"}}}
}

func (s *Sim) deleteSession(r *http.Request) answer {
	if s.sessions[r.PathValue("session")] == nil {
		return answer{http.StatusNotFound, "session_not_found", nil}
	}
	delete(s.sessions, r.PathValue("session"))
	return answer{200, "deleted", nil}
}
