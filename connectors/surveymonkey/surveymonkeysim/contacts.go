package surveymonkeysim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Sim) listFields(w http.ResponseWriter, _ *http.Request) {
	var all []map[string]string
	for _, id := range slices.Sorted(maps.Keys(s.labels)) {
		all = append(all, map[string]string{"id": id, "label": s.labels[id]})
	}
	answer(w, http.StatusOK, paged(all))
}

func (s *Sim) label(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Label string `json:"label"`
	}
	id := r.PathValue("id")
	if !decode(w, r, &b) {
		return
	}
	if _, ok := s.labels[id]; !ok || b.Label == "" {
		notFound(w)
		return
	}
	s.labels[id] = b.Label
	answer(w, http.StatusOK, map[string]string{"id": id, "label": b.Label})
}

// bulk creates contacts and, where it is told so, overwrites those that are
// there, names included.
func (s *Sim) bulk(w http.ResponseWriter, r *http.Request) {
	var b struct {
		UpdateExisting bool      `json:"update_existing"`
		Contacts       []Contact `json:"contacts"`
	}
	if !decode(w, r, &b) {
		return
	}
	succeeded, existing, invalids := []any{}, []any{}, []any{}
	for _, k := range b.Contacts {
		held := s.byEmail(k.Email)
		switch {
		case k.FirstName == "" || k.LastName == "":
			fail(w, http.StatusBadRequest, "1004", "Bad Request", "first_name and last_name are required.")
			return
		case !strings.Contains(k.Email, "@") || s.refused[strings.ToLower(k.Email)]:
			invalids = append(invalids, map[string]string{"first_name": k.FirstName, "last_name": k.LastName, "email": k.Email})
		case held == nil:
			s.writes++
			k.Status = ""
			succeeded = append(succeeded, s.add(k))
		case !b.UpdateExisting:
			existing = append(existing, held)
		default:
			s.writes++
			held.FirstName, held.LastName = k.FirstName, k.LastName
			if k.Custom != nil {
				held.Custom = k.Custom
			}
			succeeded = append(succeeded, held)
		}
	}
	if len(existing) == 0 {
		existing = append(existing, struct{}{})
	}
	answer(w, http.StatusOK, map[string]any{"succeeded": succeeded, "existing": existing, "invalids": invalids})
}

// search shows no custom fields, and one status at a time.
func (s *Sim) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var found []map[string]string
	for _, k := range s.contacts {
		if q.Get("search_by") == "email" && strings.Contains(strings.ToLower(k.Email), strings.ToLower(q.Get("search"))) && k.Status == q.Get("status") {
			found = append(found, map[string]string{"id": k.ID, "email": k.Email, "first_name": k.FirstName, "last_name": k.LastName})
		}
	}
	answer(w, http.StatusOK, paged(found))
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	const perPage = 2 // small, so that paging shows
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	var all []*Contact
	for _, id := range slices.Sorted(maps.Keys(s.contacts)) {
		if s.contacts[id].Status == "active" {
			all = append(all, s.contacts[id])
		}
	}
	from := min(max(page-1, 0)*perPage, len(all))
	to := min(from+perPage, len(all))
	out := paged(all[from:to])
	if to < len(all) {
		out["links"] = map[string]any{"next": "https://api.surveymonkey.com/v3/contacts/bulk?page=" + strconv.Itoa(page+1)}
	}
	answer(w, http.StatusOK, out)
}

func (s *Sim) contact(w http.ResponseWriter, r *http.Request) {
	k := s.contacts[r.PathValue("id")]
	if k == nil {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, k)
}

func (s *Sim) patch(w http.ResponseWriter, r *http.Request) {
	k := s.contacts[r.PathValue("id")]
	var b struct {
		FirstName *string           `json:"first_name"`
		LastName  *string           `json:"last_name"`
		Email     string            `json:"email"`
		Custom    map[string]string `json:"custom_fields"`
	}
	switch {
	case k == nil:
		notFound(w)
		return
	case !decode(w, r, &b):
		return
	}
	if other := s.byEmail(b.Email); b.Email != "" && other != nil && other != k {
		fail(w, http.StatusConflict, "1025", "Resource Conflict", "A contact with this email exists.")
		return
	}
	if b.FirstName != nil {
		k.FirstName = *b.FirstName
	}
	if b.LastName != nil {
		k.LastName = *b.LastName
	}
	if b.Email != "" {
		k.Email = b.Email
	}
	if b.Custom != nil {
		k.Custom = b.Custom
	}
	s.writes++
	answer(w, http.StatusOK, k)
}

func (s *Sim) remove(w http.ResponseWriter, r *http.Request) {
	k := s.contacts[r.PathValue("id")]
	if k == nil {
		notFound(w)
		return
	}
	delete(s.contacts, k.ID)
	s.writes++
	answer(w, http.StatusOK, k)
}
