package hubspotsim

import (
	"net/http"
	"slices"
	"strconv"
)

// listContacts gives contacts by id, page by page.
func (s *Sim) listContacts(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		s.refuse(w, http.StatusBadRequest, apiError{Status: "error", Category: "VALIDATION_ERROR", Message: "limit must be from 1 to 100"})
		return
	}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	var page struct {
		Results []result       `json:"results"`
		Paging  map[string]any `json:"paging,omitempty"`
	}
	page.Results = []result{}
	s.mu.Lock()
	var ids []int64
	for id := range s.records["contacts"] {
		if n, _ := strconv.ParseInt(id, 10, 64); n > after {
			ids = append(ids, n)
		}
	}
	slices.Sort(ids)
	for _, n := range ids[:min(limit, len(ids))] {
		page.Results = append(page.Results, s.show(s.records["contacts"][strconv.FormatInt(n, 10)], q["properties"]))
	}
	s.mu.Unlock()
	if len(ids) > limit {
		page.Paging = map[string]any{"next": map[string]string{"after": strconv.FormatInt(ids[limit-1], 10)}}
	}
	answer(w, http.StatusOK, page)
}

// forgetContact deletes a contact for good. One that is not there is no error:
// its address goes to the blocklist all the same.
func (s *Sim) forgetContact(w http.ResponseWriter, r *http.Request) {
	var q struct {
		IDProperty string `json:"idProperty"`
		ObjectID   string `json:"objectId"`
	}
	if !s.decode(w, r, &q) {
		return
	}
	s.mu.Lock()
	o := s.find("contacts", q.IDProperty, q.ObjectID)
	s.mu.Unlock()
	if o != nil {
		s.Delete(o.id, true)
	}
	w.WriteHeader(http.StatusNoContent)
}
