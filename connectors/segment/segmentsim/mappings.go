package segmentsim

import "net/http"

// mappingIn is a mapping as it comes in.
type mappingIn struct {
	Name     string         `json:"name"`
	ActionID string         `json:"actionId"`
	Trigger  string         `json:"trigger"`
	Enabled  bool           `json:"enabled"`
	Settings map[string]any `json:"settings"`
}

// isAlpha refuses a request that does not ask for the alpha version.
func isAlpha(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Accept") == alpha && (r.ContentLength <= 0 || r.Header.Get("Content-Type") == alpha) {
		return true
	}
	answer(w, http.StatusNotAcceptable, map[string]any{"errors": []any{map[string]any{"type": "not-acceptable", "message": "The version is not supported."}}})
	return false
}

func (s *Sim) listMappings(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) || !isAlpha(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.found(w, r); d != nil {
		shown := []any{}
		for i := range d.Mappings {
			shown = append(shown, d.Mappings[i].shown(d.ID))
		}
		data(w, "subscriptions", shown)
	}
}

func (s *Sim) createMapping(w http.ResponseWriter, r *http.Request) {
	var in mappingIn
	if !isAlpha(w, r) || !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.found(w, r)
	if d == nil {
		return
	}
	if in.ActionID == "" || in.Trigger == "" || in.Settings["url"] == nil {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{"type": "validation-error", "message": "The mapping is not valid."}}})
		return
	}
	s.writes++
	m := Mapping{ID: s.nextID("mapping"), Name: in.Name, ActionID: in.ActionID, Trigger: in.Trigger, Enabled: in.Enabled, Settings: in.Settings}
	d.Mappings = append(d.Mappings, m)
	data(w, "destinationSubscription", m.shown(d.ID))
}

// mapping gives the mapping of a path, or nil after a 404. The lock is held.
func (s *Sim) mapping(w http.ResponseWriter, r *http.Request) (*Destination, int) {
	d := s.found(w, r)
	if d == nil {
		return nil, 0
	}
	for i := range d.Mappings {
		if d.Mappings[i].ID == r.PathValue("mapping") {
			return d, i
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"errors": []any{map[string]any{"type": "not-found", "message": "The mapping is not there."}}})
	return nil, 0
}

func (s *Sim) changeMapping(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Input mappingIn `json:"input"`
	}
	if !isAlpha(w, r) || !decode(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, i := s.mapping(w, r); d != nil {
		s.writes++
		m := &d.Mappings[i]
		m.Name, m.Trigger, m.Enabled, m.Settings = in.Input.Name, in.Input.Trigger, in.Input.Enabled, in.Input.Settings
		data(w, "subscription", m.shown(d.ID))
	}
}

func (s *Sim) deleteMapping(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r) || !isAlpha(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, i := s.mapping(w, r); d != nil {
		s.writes++
		d.Mappings = append(d.Mappings[:i:i], d.Mappings[i+1:]...)
		data(w, "status", "SUCCESS")
	}
}
