package sendgridsim

import (
	"encoding/json"
	"net/http"
	"slices"
)

func (s *Sim) listHooks(*http.Request) (int, any) {
	hooks := s.hooks
	if hooks == nil {
		hooks = []map[string]any{}
	}
	return http.StatusOK, map[string]any{"max_allowed": 5, "webhooks": hooks}
}

func (s *Sim) makeHook(r *http.Request) (int, any) {
	h := map[string]any{}
	if json.NewDecoder(r.Body).Decode(&h) != nil || h["url"] == "" || h["url"] == nil {
		return http.StatusBadRequest, refused("url", "url is required")
	}
	for _, other := range s.hooks {
		if other["url"] == h["url"] {
			return http.StatusBadRequest, refused("url", "a webhook with this url exists")
		}
	}
	h["id"], h["public_key"] = s.newID(), ""
	s.hooks = append(s.hooks, h)
	return http.StatusCreated, unsigned(h)
}

// unsigned leaves out what the answers to changes do not show.
func unsigned(h map[string]any) map[string]any {
	shown := map[string]any{}
	for name, v := range h {
		if name != "public_key" {
			shown[name] = v
		}
	}
	return shown
}

func (s *Sim) hook(r *http.Request) int {
	return slices.IndexFunc(s.hooks, func(h map[string]any) bool { return h["id"] == r.PathValue("id") })
}

func (s *Sim) changeHook(r *http.Request) (int, any) {
	i, change := s.hook(r), map[string]any{}
	switch {
	case i < 0:
		return http.StatusNotFound, refused("id", "not found")
	case json.NewDecoder(r.Body).Decode(&change) != nil:
		return http.StatusBadRequest, refused("", "the body is not JSON")
	}
	for name, v := range change {
		s.hooks[i][name] = v
	}
	return http.StatusOK, unsigned(s.hooks[i])
}

func (s *Sim) removeHook(r *http.Request) (int, any) {
	i := s.hook(r)
	if i < 0 {
		return http.StatusNotFound, refused("id", "not found")
	}
	s.hooks = slices.Delete(s.hooks, i, i+1)
	return http.StatusNoContent, nil
}

func (s *Sim) signHook(r *http.Request) (int, any) {
	i := s.hook(r)
	var b struct{ Enabled bool }
	switch {
	case i < 0:
		return http.StatusNotFound, refused("id", "not found")
	case json.NewDecoder(r.Body).Decode(&b) != nil:
		return http.StatusBadRequest, refused("enabled", "must be true or false")
	}
	key := ""
	if b.Enabled {
		key = s.PublicKey()
	}
	s.hooks[i]["public_key"] = key
	return http.StatusOK, map[string]any{"id": s.hooks[i]["id"], "public_key": key}
}
