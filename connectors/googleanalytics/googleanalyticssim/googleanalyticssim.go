// Package googleanalyticssim is a simulated Google Analytics: the Measurement
// Protocol of one web stream held in memory, its validation server, the daily
// export to BigQuery and the requests for deletion. It is for the demo, for
// tests and for measuring. It keeps Google's less obvious rules: what is
// collected is answered with 204, whatever was wrong; user properties without
// an event change nothing; names and values that are too long are left out.
package googleanalyticssim

import (
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors/standin"
)

// Identification of the stream.
const (
	MeasurementID = "G-SIMULATED"
	Secret        = "simulated-api-secret"
)

// maxBody is the largest body, in bytes
// (https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events#limitations).
const maxBody = 130 << 10

// Sim is the simulated vendor. It is safe for concurrent use.
type Sim struct {
	mux *http.ServeMux

	mu     sync.Mutex
	people map[string]map[string]string // user properties by client id
	events []Event
	writes int

	exports  map[string]export
	key      *rsa.PublicKey // of the service account
	tokenURL string
	token    int
	deleted  []string
}

// Event is one event that was taken.
type Event struct {
	ClientID, UserID, Name string
	Micros                 int64
	Params                 map[string]any
}

var _ standin.Simulated = (*Sim)(nil)

// New makes an empty stream.
func New() *Sim {
	s := &Sim{mux: http.NewServeMux(), people: map[string]map[string]string{}, exports: map[string]export{}}
	s.mux.HandleFunc("POST /mp/collect", s.collect)
	s.mux.HandleFunc("POST /debug/mp/collect", s.debug)
	s.mux.HandleFunc("POST /token", s.grant)
	s.mux.HandleFunc("GET "+tables+"{table}", s.describe)
	s.mux.HandleFunc("GET "+tables+"{table}/data", s.data)
	s.mux.HandleFunc("POST /analytics/v3/userDeletion/userDeletionRequests:upsert", s.erase)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(standin.Header, "google-analytics")
	s.mux.ServeHTTP(w, r)
}

// Connection implements standin.Simulated. Anonymous ids count as client ids,
// for nobody loads a tag of Google's in a simulation.
func (s *Sim) Connection(url string) (settings, secrets map[string]string) {
	return map[string]string{"base_url": url, "measurement_id": MeasurementID, "client_id_from": "anonymous"}, map[string]string{"api_secret": Secret}
}

// Held implements standin.Simulated; a person is the client id.
func (s *Sim) Held() []standin.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []standin.Held
	for id, properties := range s.people {
		held := standin.Held{Person: id, Stage: properties["sb_stage"]}
		for name, value := range properties {
			if segment, ok := strings.CutPrefix(name, "sb_seg_"); ok && value == "true" {
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

// Events gives the events taken so far, in order.
func (s *Sim) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Properties gives the user properties of a client id.
func (s *Sim) Properties(clientID string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people[clientID]
}

type body struct {
	ClientID   string `json:"client_id"`
	AppID      string `json:"app_instance_id"`
	UserID     string `json:"user_id"`
	Micros     int64  `json:"timestamp_micros"`
	Properties map[string]struct {
		Value any `json:"value"`
	} `json:"user_properties"`
	Events []struct {
		Name   string         `json:"name"`
		Params map[string]any `json:"params"`
	} `json:"events"`
}

func read(r *http.Request) (body, bool) {
	var b body
	text, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	ok := err == nil && len(text) <= maxBody && json.Unmarshal(text, &b) == nil
	return b, ok
}

func (s *Sim) collect(w http.ResponseWriter, r *http.Request) {
	defer w.WriteHeader(http.StatusNoContent)
	q := r.URL.Query()
	b, ok := read(r)
	id := b.ClientID + b.AppID
	if !ok || q.Get("measurement_id") != MeasurementID && q.Get("firebase_app_id") == "" || q.Get("api_secret") != Secret ||
		id == "" || len(b.Events) == 0 || len(problems(&b)) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	held := s.people[id]
	if held == nil {
		held = map[string]string{}
		s.people[id] = held
	}
	for name, p := range b.Properties {
		value, isText := p.Value.(string)
		switch {
		case p.Value == nil:
			delete(held, name)
		case isText && len([]rune(value)) <= 36:
			held[name] = value
		}
	}
	for _, e := range b.Events {
		s.events = append(s.events, Event{id, b.UserID, e.Name, b.Micros, e.Params})
	}
}

// problem is one finding of the validation server.
type problem struct {
	Field       string `json:"fieldPath"`
	Description string `json:"description"`
	Code        string `json:"validationCode"`
}

var (
	eventForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)
	propertyForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,23}$`)
)

func problems(b *body) []problem {
	all := []problem{}
	if b.ClientID == "" && b.AppID == "" {
		all = append(all, problem{"client_id", "Measurement requires a client_id.", "VALUE_REQUIRED"})
	}
	if len(b.Events) > 25 || len(b.Properties) > 25 {
		all = append(all, problem{"events", "Measurement may have at most 25 events and user properties.", "EXCEEDED_MAX_ENTITIES"})
	}
	for _, e := range b.Events {
		if !eventForm.MatchString(e.Name) {
			all = append(all, problem{"events", "The event name " + e.Name + " is not valid.", "NAME_INVALID"})
		}
	}
	for name := range b.Properties {
		if !propertyForm.MatchString(name) {
			all = append(all, problem{"user_properties", "The user property " + name + " is not valid.", "NAME_INVALID"})
		}
	}
	return all
}

func (s *Sim) debug(w http.ResponseWriter, r *http.Request) {
	found := []problem{{"", "The body is not valid JSON.", "VALUE_INVALID"}}
	if b, ok := read(r); ok {
		found = problems(&b)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"validationMessages": found})
}
