package surveymonkeysim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// listWebhooks shows no more than id and name of each.
func (s *Sim) listWebhooks(w http.ResponseWriter, _ *http.Request) {
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.webhooks)) {
		all = append(all, map[string]any{"id": id, "name": s.webhooks[id]["name"]})
	}
	answer(w, http.StatusOK, paged(all))
}

// subscribe wants an address that no other webhook has.
func (s *Sim) subscribe(w http.ResponseWriter, r *http.Request) {
	var b map[string]any
	if !decode(w, r, &b) {
		return
	}
	for _, other := range s.webhooks {
		if other["subscription_url"] == b["subscription_url"] {
			fail(w, http.StatusConflict, "1025", "Resource Conflict", "A webhook with this subscription_url exists.")
			return
		}
	}
	objects, _ := b["object_ids"].([]any)
	if b["name"] == nil || b["event_type"] == nil || b["event_type"] != "survey_created" && (b["object_type"] == nil || len(objects) == 0) {
		fail(w, http.StatusBadRequest, "1004", "Bad Request", "name, event_type, object_type and object_ids are required.")
		return
	}
	s.next++
	s.writes++
	id := strconv.Itoa(s.next)
	s.webhooks[id] = b
	answer(w, http.StatusCreated, s.shown(id))
}

// shown is a webhook without its authorization, with its id.
func (s *Sim) shown(id string) map[string]any {
	w := maps.Clone(s.webhooks[id])
	delete(w, "authorization")
	w["id"] = id
	return w
}

func (s *Sim) webhook(w http.ResponseWriter, r *http.Request) {
	if s.webhooks[r.PathValue("id")] == nil {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, s.shown(r.PathValue("id")))
}

func (s *Sim) resubscribe(w http.ResponseWriter, r *http.Request) {
	var b map[string]any
	held := s.webhooks[r.PathValue("id")]
	switch {
	case held == nil:
		notFound(w)
		return
	case !decode(w, r, &b):
		return
	}
	maps.Copy(held, b)
	s.writes++
	answer(w, http.StatusOK, s.shown(r.PathValue("id")))
}

func (s *Sim) unsubscribe(w http.ResponseWriter, r *http.Request) {
	if s.webhooks[r.PathValue("id")] == nil {
		notFound(w)
		return
	}
	delete(s.webhooks, r.PathValue("id"))
	s.writes++
	answer(w, http.StatusOK, map[string]any{"id": r.PathValue("id")})
}

// Webhooks gives the webhooks as they were sent, authorization included.
func (s *Sim) Webhooks() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.webhooks)) {
		all = append(all, maps.Clone(s.webhooks[id]))
	}
	return all
}
