package segmentsim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// profilePage is how many traits one answer of the Profile API holds, so few
// that whoever reads a profile must go on.
const profilePage = 2

func (s *Sim) profile(w http.ResponseWriter, r *http.Request) {
	if key, _, _ := r.BasicAuth(); key != Profiles {
		answer(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"code": "unauthorized", "message": "The token is not valid."}})
		return
	}
	_, id, _ := strings.Cut(r.PathValue("id"), ":")
	s.mu.Lock()
	held, ok := maps.Clone(s.people[id]), s.people[id] != nil
	s.mu.Unlock()
	if !ok {
		answer(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "not_found", "message": "The profile is not there."}})
		return
	}
	names := slices.Sorted(maps.Keys(held))
	from, _ := strconv.Atoi(r.URL.Query().Get("next"))
	traits := map[string]any{}
	for i := from; i >= 0 && i < len(names) && i < from+profilePage; i++ {
		traits[names[i]] = held[names[i]]
	}
	cursor := map[string]any{"has_more": false, "next": "", "limit": profilePage}
	if from+profilePage < len(names) {
		cursor["has_more"], cursor["next"] = true, strconv.Itoa(from+profilePage)
	}
	answer(w, http.StatusOK, map[string]any{"traits": traits, "cursor": cursor})
}
