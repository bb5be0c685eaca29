package customeriosim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Bounds of the Track API, in bytes.
const (
	maxBody  = 500 << 10
	maxItem  = 32 << 10
	maxValue = 1000
)

// answer is what a handler gives: a status and what to encode.
type answer func(http.ResponseWriter, *http.Request) (int, any)

// track lets requests with the Track API's keys through.
func (s *Sim) track(h answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != SiteID || password != TrackKey {
			reply(w, http.StatusUnauthorized, map[string]any{"meta": map[string]any{"error": "Unauthorized request"}})
			return
		}
		status, v := h(w, r)
		reply(w, status, v)
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Sim) region(http.ResponseWriter, *http.Request) (int, any) {
	return http.StatusOK, map[string]any{"url": "https://track.customer.io", "region": "us", "environment_id": 3}
}

// problem is one error of the Track API.
type problem struct {
	Index   *int   `json:"batch_index,omitempty"`
	Reason  string `json:"reason"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (s *Sim) batch(_ http.ResponseWriter, r *http.Request) (int, any) {
	refuse := func(field, message string) (int, any) {
		return http.StatusBadRequest, map[string]any{"errors": []problem{{Reason: "invalid", Field: field, Message: message}}}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	var b struct {
		Batch []json.RawMessage `json:"batch"`
	}
	switch {
	case err != nil || len(body) > maxBody:
		return refuse("batch", "the request is larger than 500 KB")
	case json.Unmarshal(body, &b) != nil:
		return refuse("batch", "the request is not valid JSON")
	case len(b.Batch) == 0:
		return refuse("batch", "must not be empty")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var problems []problem
	for i, item := range b.Batch {
		if p := s.item(item); p != nil {
			p.Index = &i
			problems = append(problems, *p)
		}
	}
	if len(problems) < len(b.Batch) {
		s.writes++
	}
	if len(problems) > 0 {
		return http.StatusMultiStatus, map[string]any{"errors": problems}
	}
	return http.StatusOK, struct{}{}
}

// item carries one out; the lock is held.
func (s *Sim) item(raw json.RawMessage) *problem {
	var item struct {
		Type, Action string
		Identifiers  map[string]string
		Attributes   map[string]any
	}
	invalid := func(field, message string) *problem {
		return &problem{Reason: "invalid", Field: field, Message: message}
	}
	switch {
	case len(raw) > maxItem:
		return invalid("attributes", "an item must not be larger than 32 KB")
	case json.Unmarshal(raw, &item) != nil || item.Type != "person":
		return invalid("type", "must be person")
	case len(item.Identifiers) != 1:
		return invalid("identifiers", "exactly one identifier must be given")
	}
	var kind, value string
	for kind, value = range item.Identifiers {
	}
	if !slices.Contains([]string{"id", "email", "cio_id"}, kind) || value == "" {
		return invalid("identifiers", "must be one of id, email and cio_id")
	}
	if kind == "email" && !strings.Contains(value, "@") {
		return invalid("identifiers.email", "must be a valid email address")
	}
	p := s.find(kind, value)
	switch item.Action {
	case "identify":
		return s.identify(p, kind, value, item.Attributes)
	case "delete", "suppress":
		s.suppressed[strings.ToLower(value)] = item.Action == "suppress"
		s.people = slices.DeleteFunc(s.people, func(one *Person) bool { return one == p })
		return nil
	}
	return invalid("action", "is not supported")
}

// identify writes a person's attributes; the lock is held.
func (s *Sim) identify(p *Person, kind, value string, attributes map[string]any) *problem {
	for name, v := range attributes {
		if t, ok := v.(string); ok && len(t) > maxValue {
			return &problem{Reason: "invalid", Field: "attributes." + name, Message: fmt.Sprintf("must not be longer than %d bytes", maxValue)}
		}
	}
	if p == nil {
		if attributes["_update"] == true || kind == "cio_id" || s.suppressed[strings.ToLower(value)] {
			return nil // accepted, and nothing comes of it
		}
		p = s.create("", "")
		if kind == "id" {
			p.ID = value
		} else {
			p.Email = strings.ToLower(value)
		}
	}
	for name, v := range attributes {
		switch {
		case name == "_update":
		case name == "email":
			p.Email = strings.ToLower(text(v))
		case v == nil || v == "":
			delete(p.Attributes, name)
		default:
			p.Attributes[name] = v
		}
	}
	return nil
}
