package pardotsim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// standard are the fields of a prospect that every unit has.
var standard = []string{
	"id", "email", "firstName", "lastName", "company", "jobTitle", "phone", "country", "score", "grade",
	"salesforceId", "optedOut", "createdAt", "updatedAt", "isDeleted",
}

// readable lists the fields that a query of a collection may name; nil for any.
func (s *Sim) readable(path string) []string {
	switch {
	case strings.Contains(path, "/prospects"):
		all := slices.Clone(standard)
		for _, f := range s.fields {
			all = append(all, fmt.Sprint(f["fieldId"])+"__c")
		}
		return all
	case strings.HasSuffix(path, "/visitor-activities"):
		return []string{
			"id", "type", "typeName", "createdAt", "prospectId", "prospect.email", "prospect.salesforceId", "campaignId", "campaign.name",
			"details", "emailId", "listEmailId", "opportunityId", "opportunity.salesforceId",
		}
	}
	return nil
}

// selected checks the fields of a read and gives them; false: refused.
func (s *Sim) selected(w http.ResponseWriter, r *http.Request) ([]string, bool) {
	text := r.URL.Query().Get("fields")
	if text == "" {
		refuse(w, http.StatusBadRequest, 61, "fields is required")
		return nil, false
	}
	fields := strings.Split(text, ",")
	known := s.readable(r.URL.Path)
	for _, f := range fields {
		if known != nil && !slices.Contains(known, f) {
			refuse(w, http.StatusBadRequest, 61, "Invalid field: "+f)
			return nil, false
		}
	}
	return fields, true
}

func project(one map[string]any, fields []string) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		f, _, _ = strings.Cut(f, ".")
		out[f] = one[f]
	}
	return out
}

// list answers a query over a collection. The lock is held.
func (s *Sim) list(of *[]map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		fields, ok := s.selected(w, r)
		if !ok {
			return
		}
		limit := 200
		if n, err := strconv.Atoi(q.Get("limit")); err == nil && n <= 1000 {
			limit = n
		}
		var hits []map[string]any
		if token := q.Get("nextPageToken"); token != "" {
			if hits, ok = s.pages[token]; !ok || len(q) > 2 {
				refuse(w, http.StatusBadRequest, 61, "nextPageToken is not valid, or something is sent beside it and fields")
				return
			}
			limit = 1000
		} else {
			hits = matching(*of, q)
			order, _, _ := strings.Cut(q.Get("orderBy"), " ")
			if order != "" {
				slices.SortStableFunc(hits, func(a, b map[string]any) int { return compare(a[order], b[order]) })
			}
		}
		out := map[string]any{"nextPageToken": nil, "nextPageUrl": nil}
		if len(hits) > limit {
			token := "page-" + strconv.Itoa(len(s.pages)+1)
			s.pages[token] = hits[limit:]
			hits = hits[:limit]
			out["nextPageToken"], out["nextPageUrl"] = token, "https://pi.pardot.com"+r.URL.Path+"?nextPageToken="+token
		}
		values := []map[string]any{}
		for _, one := range hits {
			values = append(values, project(one, fields))
		}
		out["values"] = values
		answer(w, http.StatusOK, out)
	}
}

func compare(a, b any) int {
	x, ok := a.(int64)
	y, also := b.(int64)
	if ok && also {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// matching applies the filters of a query.
func matching(all []map[string]any, q map[string][]string) []map[string]any {
	var hits []map[string]any
	for _, one := range all {
		ok := one["isDeleted"] == nil || (one["isDeleted"] == true) == slices.Contains(q["deleted"], "true")
		for name, values := range q {
			switch base, after := strings.CutSuffix(name, "AfterOrEqualTo"); {
			case after:
				from, err := time.Parse("2006-01-02T15:04:05-07:00", values[0])
				at, _ := time.Parse("2006-01-02T15:04:05-07:00", fmt.Sprint(one[base]))
				ok = ok && err == nil && !at.Before(from)
			case name == "idGreaterThan":
				n, _ := strconv.ParseInt(values[0], 10, 64)
				id, _ := one["id"].(int64)
				ok = ok && id > n
			case name == "email":
				ok = ok && strings.EqualFold(fmt.Sprint(one["email"]), values[0])
			case name == "prospectId", name == "listId":
				ok = ok && fmt.Sprint(one[name]) == values[0]
			}
		}
		if ok {
			hits = append(hits, one)
		}
	}
	return hits
}

func (s *Sim) account(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.selected(w, r); ok {
		answer(w, http.StatusOK, map[string]any{"id": 7, "company": "Acme"})
	}
}

// prospect finds the one in the path. The lock is held.
func (s *Sim) prospect(w http.ResponseWriter, r *http.Request) map[string]any {
	p := find(s.prospects, r.PathValue("id"))
	if p == nil || p["isDeleted"] == true {
		refuse(w, http.StatusNotFound, 109, "The requested record was not found.")
		return nil
	}
	return p
}

func (s *Sim) readProspect(w http.ResponseWriter, r *http.Request) {
	if fields, ok := s.selected(w, r); ok {
		if p := s.prospect(w, r); p != nil {
			answer(w, http.StatusOK, project(p, fields))
		}
	}
}

func (s *Sim) updateProspect(w http.ResponseWriter, r *http.Request) {
	p := s.prospect(w, r)
	var body map[string]any
	if p == nil || !readJSON(w, r, &body) || !s.put(w, p, body) {
		return
	}
	fields := []string{"id"}
	if text := r.URL.Query().Get("fields"); text != "" {
		fields = strings.Split(text, ",")
	}
	answer(w, http.StatusOK, project(p, fields))
}

// put writes fields, or refuses.
func (s *Sim) put(w http.ResponseWriter, p, body map[string]any) bool {
	if no := s.refused[strings.ToLower(fmt.Sprint(p["email"]))]; no.Status != 0 {
		refuse(w, no.Status, no.Code, no.Message)
		return false
	}
	known := s.readable("/prospects")
	for name := range body {
		if !slices.Contains(known, name) || name == "id" {
			refuse(w, http.StatusBadRequest, 61, "Invalid input: "+name)
			return false
		}
	}
	maps.Copy(p, body)
	p["updatedAt"] = s.tick()
	s.writes++
	return true
}

func (s *Sim) upsert(w http.ResponseWriter, r *http.Request) {
	var body struct {
		MatchEmail string         `json:"matchEmail"`
		Prospect   map[string]any `json:"prospect"`
		Fields     []string       `json:"fields"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	var latest map[string]any
	for _, p := range s.prospects {
		if p["isDeleted"] != true && strings.EqualFold(fmt.Sprint(p["email"]), body.MatchEmail) && (latest == nil || compare(p["updatedAt"], latest["updatedAt"]) > 0) {
			latest = p
		}
	}
	status := http.StatusOK
	if latest == nil {
		latest, status = map[string]any{"email": body.MatchEmail}, http.StatusCreated
		if !s.put(w, latest, body.Prospect) {
			return
		}
		s.add(latest)
	} else if !s.put(w, latest, body.Prospect) {
		return
	}
	answer(w, status, project(latest, append([]string{"id"}, body.Fields...)))
}

func (s *Sim) deleteProspect(w http.ResponseWriter, r *http.Request) {
	if p := s.prospect(w, r); p != nil {
		p["isDeleted"], p["updatedAt"] = true, s.tick()
		s.writes++
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Sim) createField(w http.ResponseWriter, r *http.Request) {
	var body struct{ Name, FieldID, Type string }
	if !readJSON(w, r, &body) {
		return
	}
	if body.Name == "" || body.FieldID == "" || body.Type != "Text" {
		refuse(w, http.StatusBadRequest, 61, "name, fieldId and type are required")
		return
	}
	s.made++
	s.writes++
	s.fields = append(s.fields, map[string]any{"id": s.made, "name": body.Name, "fieldId": body.FieldID})
	answer(w, http.StatusCreated, map[string]any{"id": s.made, "name": body.Name})
}

func (s *Sim) createList(w http.ResponseWriter, r *http.Request) {
	var body struct{ Name string }
	if !readJSON(w, r, &body) {
		return
	}
	s.made++
	s.writes++
	s.lists = append(s.lists, map[string]any{"id": s.made, "name": body.Name, "isDynamic": false})
	answer(w, http.StatusCreated, map[string]any{"id": s.made, "name": body.Name})
}

func (s *Sim) createMembership(w http.ResponseWriter, r *http.Request) {
	var body struct{ ListID, ProspectID int64 }
	if !readJSON(w, r, &body) {
		return
	}
	l, p := find(s.lists, body.ListID), find(s.prospects, body.ProspectID)
	switch {
	case l == nil || l["isDynamic"] == true || p == nil || p["isDeleted"] == true:
		refuse(w, http.StatusBadRequest, 61, "listId or prospectId is not valid")
	case slices.ContainsFunc(s.memberships, func(m map[string]any) bool {
		return m["listId"] == body.ListID && m["prospectId"] == body.ProspectID
	}):
		refuse(w, http.StatusBadRequest, 108, "the prospect is on the list already")
	default:
		s.made++
		s.writes++
		s.memberships = append(s.memberships, map[string]any{"id": s.made, "listId": body.ListID, "prospectId": body.ProspectID, "optedOut": false})
		answer(w, http.StatusCreated, map[string]any{"id": s.made})
	}
}

func (s *Sim) deleteMembership(w http.ResponseWriter, r *http.Request) {
	before := len(s.memberships)
	s.memberships = slices.DeleteFunc(s.memberships, func(m map[string]any) bool { return fmt.Sprint(m["id"]) == r.PathValue("id") })
	if len(s.memberships) == before {
		refuse(w, http.StatusNotFound, 109, "The requested record was not found.")
		return
	}
	s.writes++
	w.WriteHeader(http.StatusNoContent)
}
