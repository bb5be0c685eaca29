// Package mparticlesim is a simulated mParticle: of the Events API, the Profile
// API and the data subject requests what a connection uses, for one workspace
// held in memory. It is for the demo, for tests and for measuring. It keeps
// mParticle's less obvious rules: a bulk request is accepted whatever becomes
// of the people in it, a request id counts once, development data lives apart.
package mparticlesim

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Credentials of the workspace.
const (
	Key             = "simulated-feed-key"
	Secret          = "simulated-feed-secret"
	ClientID        = "simulated-client"
	ClientSecret    = "simulated-client-secret"
	WorkspaceKey    = "simulated-workspace-key"
	WorkspaceSecret = "simulated-workspace-secret"
)

// Limits of the Events API, in bytes and people
// (https://docs.mparticle.com/guides/default-service-limits/).
const (
	maxRequest = 256 << 10
	maxPeople  = 100
)

// Sim is the simulated vendor. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu       sync.Mutex
	people   []*Person
	seen     map[string]bool   // source_request_id
	requests map[string]string // erasures by id, and their state
	token    int
	writes   int
}

// Person is what the workspace holds of somebody.
type Person struct {
	MPID       int64
	Identities map[string]string
	Attributes map[string]any
	Events     []map[string]any
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty workspace.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), seen: map[string]bool{}, requests: map[string]string{}}
	s.mux.HandleFunc("POST /v2/bulkevents", s.bulk)
	s.mux.HandleFunc("POST /v2/events", s.single)
	s.mux.HandleFunc("POST /oauth/token", s.grant)
	s.mux.HandleFunc("GET /userprofile/v1/{org}/{account}/{workspace}/{mpid}", s.profile)
	s.mux.HandleFunc("POST /v3/requests/{$}", s.file)
	s.mux.HandleFunc("GET /v3/requests/{id}", s.filed)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "mparticle")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{
			"base_url": url, "profile_url": url, "token_url": url + "/oauth/token", "privacy_url": url + "/v3",
			"org_id": "1", "account_id": "2", "workspace_id": "3",
		}, map[string]string{
			"api_key": Key, "api_secret": Secret, "profile_client_id": ClientID, "profile_client_secret": ClientSecret,
			"workspace_key": WorkspaceKey, "workspace_secret": WorkspaceSecret,
		}
}

// Held implements standin.Simulated. A person is the address where one is
// known, else the customer id, else the mpid.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, p := range s.people {
		held := standin.Held{Person: strconv.FormatInt(p.MPID, 10)}
		for _, kind := range []string{"customer_id", "email"} {
			if id := p.Identities[kind]; id != "" {
				held.Person = id
			}
		}
		held.Stage, _ = p.Attributes["sb_stage"].(string)
		list, _ := p.Attributes["sb_segments"].([]any)
		for _, v := range list {
			if name, ok := v.(string); ok {
				held.Segments = append(held.Segments, name)
			}
		}
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

// Person gives a copy of whom an mpid, customer id or address names.
func (s *Sim) Person(id string) (Person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.people {
		if strconv.FormatInt(p.MPID, 10) == id || p.Identities["customer_id"] == id || p.Identities["email"] == id {
			return Person{p.MPID, maps.Clone(p.Identities), maps.Clone(p.Attributes), slices.Clone(p.Events)}, true
		}
	}
	return Person{}, false
}

// Expire makes every access token invalid, as a withdrawn one is.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token++
}

// Decide sets how far an erasure is: pending, in_progress, completed, cancelled.
func (s *Sim) Decide(id, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[id] = status
}

// Erasures lists the ids of the data subject requests, sorted.
func (s *Sim) Erasures() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.requests))
}

// batch is one person's batch as it comes in.
type batch struct {
	Environment string            `json:"environment"`
	RequestID   string            `json:"source_request_id"`
	MPID        int64             `json:"mpid"`
	Identities  map[string]string `json:"user_identities"`
	Attributes  map[string]any    `json:"user_attributes"`
	Deleted     []string          `json:"deleted_user_attributes"`
	Events      []map[string]any  `json:"events"`
}

// wrong says why a batch cannot be taken.
func (b *batch) wrong() string {
	switch {
	case !slices.Contains([]string{"production", "development", "unknown"}, b.Environment):
		return "environment is required"
	case b.MPID == 0 && len(b.Identities) == 0:
		return "a batch must name somebody"
	case len(b.Attributes) > 100:
		return "more than 100 user attributes"
	}
	for _, e := range b.Events {
		data, ok := e["data"].(map[string]any)
		if !ok || e["event_type"] == "custom_event" && (data["event_name"] == nil || data["custom_event_type"] == nil) {
			return "an event lacks what it must have"
		}
	}
	return ""
}

func (s *Sim) bulk(w http.ResponseWriter, r *http.Request) {
	var all []batch
	if !s.read(w, r, &all) {
		return
	}
	if len(all) > maxPeople {
		refuse(w, http.StatusBadRequest, "more than 100 batches")
		return
	}
	for i := range all {
		s.take(&all[i])
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Sim) single(w http.ResponseWriter, r *http.Request) {
	var b batch
	if !s.read(w, r, &b) {
		return
	}
	if why := b.wrong(); why != "" {
		refuse(w, http.StatusBadRequest, why)
		return
	}
	s.take(&b)
	w.WriteHeader(http.StatusAccepted)
}

// read takes an authorised body.
func (s *Sim) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if key, secret, _ := r.BasicAuth(); key != Key || secret != Secret {
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest || json.Unmarshal(body, into) != nil {
		refuse(w, http.StatusBadRequest, "the body is malformed or larger than 256 KB")
		return false
	}
	return true
}

// take keeps one batch; one that is wrong is lost in silence.
func (s *Sim) take(b *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.wrong() != "" || b.Environment != "production" || b.RequestID != "" && s.seen[b.RequestID] {
		return
	}
	s.seen[b.RequestID] = true
	s.writes++
	p := s.find(b)
	maps.Copy(p.Identities, b.Identities)
	maps.Copy(p.Attributes, b.Attributes)
	for _, name := range b.Deleted {
		delete(p.Attributes, name)
	}
	p.Events = append(p.Events, b.Events...)
}

// find gives the person of a batch, made where nobody fits. The lock is held.
func (s *Sim) find(b *batch) *Person {
	for _, p := range s.people {
		if b.MPID != 0 && p.MPID == b.MPID {
			return p
		}
		for _, kind := range []string{"customer_id", "email"} {
			if id := b.Identities[kind]; b.MPID == 0 && id != "" && p.Identities[kind] == id {
				return p
			}
		}
	}
	p := &Person{MPID: b.MPID, Identities: map[string]string{}, Attributes: map[string]any{}}
	if p.MPID == 0 {
		p.MPID = -7_342_198_765_432_100_000 - int64(len(s.people))
	}
	s.people = append(s.people, p)
	return p
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]any{"errors": []any{map[string]any{"code": "BAD_REQUEST", "message": why}}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
