package segmentsim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// SourceID is the source that a webhook can be registered at.
const SourceID = "simulated-source"

// WebhooksID is Webhooks (Actions) in the catalogue; alpha is the media type
// that subscriptions want.
const (
	WebhooksID = "614a3c7d791c91c41bae7599"
	alpha      = "application/vnd.segment.v1alpha+json"
)

// Destination is an instance of a destination with its mappings.
type Destination struct {
	ID, SourceID, MetadataID string
	Enabled                  bool
	Secret                   string
	Mappings                 []Mapping
}

// Mapping is one subscription of a destination.
type Mapping struct {
	ID, Name, ActionID, Trigger string
	Enabled                     bool
	Settings                    map[string]any
}

// destinationRoutes adds that part of the Public API.
func (s *Sim) destinationRoutes() {
	s.mux.HandleFunc("GET /catalog/destinations/{id}", s.catalog)
	s.mux.HandleFunc("GET /destinations", s.listDestinations)
	s.mux.HandleFunc("POST /destinations", s.createDestination)
	s.mux.HandleFunc("PATCH /destinations/{id}", s.changeDestination)
	s.mux.HandleFunc("DELETE /destinations/{id}", s.deleteDestination)
	s.mux.HandleFunc("GET /destinations/{id}/subscriptions", s.listMappings)
	s.mux.HandleFunc("POST /destinations/{id}/subscriptions", s.createMapping)
	s.mux.HandleFunc("PATCH /destinations/{id}/subscriptions/{mapping}", s.changeMapping)
	s.mux.HandleFunc("DELETE /destinations/{id}/subscriptions/{mapping}", s.deleteMapping)
}

// Destinations gives copies of those that there are, in order of creation.
func (s *Sim) Destinations() []Destination {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Destination
	for _, d := range s.destinations {
		c := *d
		c.Mappings = append([]Mapping(nil), d.Mappings...)
		all = append(all, c)
	}
	return all
}

// AddDestination makes one as a person does; it gets an id where it has none.
func (s *Sim) AddDestination(d Destination) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addDestination(d)
}

func (s *Sim) addDestination(d Destination) string {
	if d.ID == "" {
		d.ID = s.nextID("destination")
	}
	s.destinations = append(s.destinations, &d)
	return d.ID
}

func (s *Sim) nextID(kind string) string {
	s.lastID++
	return kind + "-" + strconv.Itoa(s.lastID)
}

// found gives the destination of a path, or answers 404. The lock is held.
func (s *Sim) found(w http.ResponseWriter, r *http.Request) *Destination {
	for _, d := range s.destinations {
		if d.ID == r.PathValue("id") {
			return d
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"errors": []any{map[string]any{"type": "not-found", "message": "The destination is not there."}}})
	return nil
}

func data(w http.ResponseWriter, name string, value any) {
	answer(w, http.StatusOK, map[string]any{"data": map[string]any{name: value}})
}

func (d *Destination) shown() map[string]any {
	masked := ""
	if d.Secret != "" {
		masked = "••••••••••" + d.Secret[max(0, len(d.Secret)-4):]
	}
	return map[string]any{
		"id": d.ID, "sourceId": d.SourceID, "enabled": d.Enabled, "metadata": map[string]any{"id": d.MetadataID}, "settings": map[string]any{"sharedSecret": masked},
	}
}

func (m *Mapping) shown(destination string) map[string]any {
	return map[string]any{
		"id": m.ID, "name": m.Name, "actionId": m.ActionID, "actionSlug": "send", "destinationId": destination,
		"enabled": m.Enabled, "settings": m.Settings, "trigger": m.Trigger,
	}
}

func (s *Sim) catalog(w http.ResponseWriter, r *http.Request) {
	if permitted(w, r) && r.PathValue("id") == WebhooksID {
		data(w, "destinationMetadata", map[string]any{"id": WebhooksID, "slug": "actions-webhook", "actions": []any{
			map[string]any{"id": "action-other", "slug": "other"}, map[string]any{"id": "action-send", "slug": "send"},
		}})
	}
}

// listDestinations gives one a page, so that whoever lists must go on.
func (s *Sim) listDestinations(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := strconv.Atoi(r.URL.Query().Get("pagination[cursor]"))
	shown, pagination := []any{}, map[string]any{}
	if at >= 0 && at < len(s.destinations) {
		shown = append(shown, s.destinations[at].shown())
		if at+1 < len(s.destinations) {
			pagination["next"] = strconv.Itoa(at + 1)
		}
	}
	answer(w, http.StatusOK, map[string]any{"data": map[string]any{"destinations": shown, "pagination": pagination}})
}

// settingsIn is what creating and changing a destination have in common.
type settingsIn struct {
	SourceID   string `json:"sourceId"`
	MetadataID string `json:"metadataId"`
	Enabled    bool   `json:"enabled"`
	Settings   struct {
		SharedSecret string `json:"sharedSecret"`
	} `json:"settings"`
}

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if permitted(w, r) && json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(into) == nil {
		return true
	}
	return false
}

func (s *Sim) createDestination(w http.ResponseWriter, r *http.Request) {
	var in settingsIn
	if !decode(w, r, &in) {
		return
	}
	if in.SourceID != SourceID || in.MetadataID != WebhooksID {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{"type": "validation-error", "message": "The source is not valid."}}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.addDestination(Destination{SourceID: in.SourceID, MetadataID: in.MetadataID, Enabled: in.Enabled, Secret: in.Settings.SharedSecret})
	data(w, "destination", s.destinations[len(s.destinations)-1].shown())
}

func (s *Sim) changeDestination(w http.ResponseWriter, r *http.Request) {
	var in settingsIn
	if !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.found(w, r); d != nil {
		s.writes++
		d.Enabled, d.Secret = in.Enabled, in.Settings.SharedSecret
		data(w, "destination", d.shown())
	}
}

func (s *Sim) deleteDestination(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.found(w, r); d != nil {
		s.writes++
		for i, other := range s.destinations {
			if other == d {
				s.destinations = append(s.destinations[:i:i], s.destinations[i+1:]...)
				break
			}
		}
		data(w, "status", "SUCCESS")
	}
}
