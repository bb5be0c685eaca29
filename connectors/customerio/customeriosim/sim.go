// Package customeriosim is a simulated Customer.io workspace: the Track API's
// batches and the parts of the App API that find, list and read people and keep
// reporting webhooks. It checks keys and refuses what Customer.io refuses.
package customeriosim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Keys that the simulated workspace takes.
const (
	SiteID   = "simulated-site"
	TrackKey = "simulated-track-key"
	AppKey   = "simulated-app-key"
	// WebhookKey signs what a workspace would send.
	WebhookKey = "simulated-webhook-key"
)

// Person is one profile. Attributes hold what was written, ids included.
type Person struct {
	CIO, ID, Email string
	Attributes     map[string]any
}

// Sim is a simulated workspace, empty at first. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu         sync.Mutex
	people     []*Person
	made       int
	suppressed map[string]bool
	hooks      []*hook
	writes     int
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty workspace in the US region that identifies people by
// address and by id.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), suppressed: map[string]bool{}}
	s.mux.HandleFunc("GET /api/v1/accounts/region", s.track(s.region))
	s.mux.HandleFunc("POST /api/v2/batch", s.track(s.batch))
	s.mux.HandleFunc("POST /v1/customers/attributes", s.app(s.attributes))
	s.mux.HandleFunc("POST /v1/customers", s.app(s.search))
	s.mux.HandleFunc("GET /v1/customers", s.app(s.byEmail))
	s.mux.HandleFunc("GET /v1/segments", s.app(func(http.ResponseWriter, *http.Request) (int, any) {
		return http.StatusOK, map[string]any{"segments": []any{}}
	}))
	s.mux.HandleFunc("GET /v1/reporting_webhooks", s.app(s.listHooks))
	s.mux.HandleFunc("POST /v1/reporting_webhooks", s.app(s.makeHook))
	s.mux.HandleFunc("PUT /v1/reporting_webhooks/{id}", s.app(s.changeHook))
	s.mux.HandleFunc("DELETE /v1/reporting_webhooks/{id}", s.app(s.removeHook))
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "Customer.io")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"site_id": SiteID, "base_url": url},
		map[string]string{"track_api_key": TrackKey, "app_api_key": AppKey, "webhook_key": WebhookKey}
}

// Held implements standin.Simulated.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for _, p := range s.people {
		h := standin.Held{Person: p.Email, Stage: text(p.Attributes["sb_stage"])}
		if h.Person == "" {
			h.Person = p.ID
		}
		for name, value := range p.Attributes {
			if segment, ours := strings.CutPrefix(name, "sb_seg_"); ours && value == true {
				h.Segments = append(h.Segments, segment)
			}
		}
		slices.Sort(h.Segments)
		all = append(all, h)
	}
	return all
}

// Writes implements standin.Simulated.
func (s *Sim) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Add puts a person in, as somebody who was there before, and gives their cio_id.
func (s *Sim) Add(id, email string, attributes map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.create(id, email)
	for name, value := range attributes {
		p.Attributes[name] = value
	}
	return p.CIO
}

// Person gives a copy of the profile with an address; false when there is none.
func (s *Sim) Person(email string) (Person, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find("email", email)
	if p == nil {
		return Person{}, false
	}
	return *p, true
}

// create makes a person; the lock is held.
func (s *Sim) create(id, email string) *Person {
	s.made++
	p := &Person{CIO: fmt.Sprintf("a3%06x", s.made), ID: id, Email: strings.ToLower(email), Attributes: map[string]any{}}
	s.people = append(s.people, p)
	return p
}

// find looks a person up; the lock is held.
func (s *Sim) find(kind, value string) *Person {
	for _, p := range s.people {
		switch {
		case value == "":
		case kind == "cio_id" && p.CIO == value, kind == "id" && p.ID == value, kind == "email" && strings.EqualFold(p.Email, value):
			return p
		}
	}
	return nil
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
