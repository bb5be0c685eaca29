package customeriosim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// app lets requests with the App API's key through.
func (s *Sim) app(h answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+AppKey {
			reply(w, http.StatusUnauthorized, map[string]any{"errors": []any{map[string]any{"detail": "unauthorized", "status": "401"}}})
			return
		}
		s.mu.Lock()
		status, v := h(w, r)
		s.mu.Unlock()
		reply(w, status, v)
	}
}

func malformed(words string) (int, any) {
	return http.StatusBadRequest, map[string]any{"errors": []any{map[string]any{"detail": words, "status": "400"}}}
}

// attributes answers for up to 100 people and leaves out whoever is not there.
func (s *Sim) attributes(_ http.ResponseWriter, r *http.Request) (int, any) {
	var b struct{ IDs []string }
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b.IDs) == 0 || len(b.IDs) > 100 {
		return malformed("ids must name 1 to 100 people")
	}
	kind := r.URL.Query().Get("id_type")
	if !slices.Contains([]string{"", "id", "email", "cio_id"}, kind) {
		return malformed("id_type is not one that this workspace allows")
	}
	if kind == "" {
		kind = "id"
	}
	customers := []any{}
	for _, value := range b.IDs {
		p := s.find(kind, value)
		if p == nil {
			continue
		}
		// The App API gives every value back as a text.
		values := map[string]string{"id": p.ID, "email": p.Email, "cio_id": p.CIO}
		for name, v := range p.Attributes {
			values[name] = text(v)
		}
		customers = append(customers, map[string]any{"customer": map[string]any{
			"id": p.ID, "identifiers": named(p), "attributes": values, "unsubscribed": false, "devices": []any{},
		}})
	}
	return http.StatusOK, map[string]any{"customers": customers}
}

func named(p *Person) map[string]any {
	or := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{"cio_id": p.CIO, "id": or(p.ID), "email": or(p.Email)}
}

// search lists people; the only filter known is everybody.
func (s *Sim) search(_ http.ResponseWriter, r *http.Request) (int, any) {
	var b struct{ Filter map[string]any }
	if json.NewDecoder(r.Body).Decode(&b) != nil || len(b.Filter) != 1 {
		return malformed("filter takes exactly one of and, or, not")
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 1000 {
		return malformed("limit must be between 1 and 1000")
	}
	start := 0
	if given := r.URL.Query().Get("start"); given != "" {
		if start, err = strconv.Atoi(given); err != nil || start < 0 || start > len(s.people) {
			return malformed("start is not a token of this list")
		}
	}
	page := s.people[start:min(start+limit, len(s.people))]
	next := ""
	if start+len(page) < len(s.people) {
		next = strconv.Itoa(start + len(page))
	}
	list, ids := []any{}, []string{}
	for _, p := range page {
		list = append(list, named(p))
		if p.ID != "" {
			ids = append(ids, p.ID)
		}
	}
	return http.StatusOK, map[string]any{"identifiers": list, "ids": ids, "next": next}
}

func (s *Sim) byEmail(_ http.ResponseWriter, r *http.Request) (int, any) {
	email, results := r.URL.Query().Get("email"), []any{}
	for _, p := range s.people {
		if email != "" && strings.EqualFold(p.Email, email) {
			results = append(results, named(p))
		}
	}
	return http.StatusOK, map[string]any{"results": results}
}

// hook is one reporting webhook.
type hook struct {
	ID             int      `json:"id"`
	Name           string   `json:"name"`
	Type           string   `json:"type"`
	Endpoint       string   `json:"endpoint"`
	Events         []string `json:"events"`
	Disabled       bool     `json:"disabled"`
	FullResolution bool     `json:"full_resolution"`
	WithContent    bool     `json:"with_content"`
}

func (s *Sim) listHooks(http.ResponseWriter, *http.Request) (int, any) {
	return http.StatusOK, map[string]any{"reporting_webhooks": s.hooks}
}

func (s *Sim) makeHook(_ http.ResponseWriter, r *http.Request) (int, any) {
	h := &hook{}
	if json.NewDecoder(r.Body).Decode(h) != nil || h.Name == "" || h.Endpoint == "" || len(h.Events) == 0 || h.ID != 0 {
		return malformed("name, endpoint and events must be given")
	}
	h.ID, h.Type = len(s.hooks)+4, "webhook"
	s.hooks = append(s.hooks, h)
	return http.StatusOK, h
}

func (s *Sim) changeHook(_ http.ResponseWriter, r *http.Request) (int, any) {
	i := s.hook(r)
	if i < 0 {
		return http.StatusNotFound, nil
	}
	h := &hook{}
	if json.NewDecoder(r.Body).Decode(h) != nil || h.Name == "" || h.Endpoint == "" || len(h.Events) == 0 {
		return malformed("name, endpoint and events must be given")
	}
	h.ID, h.Type = s.hooks[i].ID, s.hooks[i].Type
	s.hooks[i] = h
	return http.StatusOK, h
}

func (s *Sim) removeHook(_ http.ResponseWriter, r *http.Request) (int, any) {
	i := s.hook(r)
	if i < 0 {
		return http.StatusNotFound, nil
	}
	s.hooks = slices.Delete(s.hooks, i, i+1)
	return http.StatusNoContent, nil
}

func (s *Sim) hook(r *http.Request) int {
	return slices.IndexFunc(s.hooks, func(h *hook) bool { return strconv.Itoa(h.ID) == r.PathValue("id") })
}
