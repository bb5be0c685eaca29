package hubspotsim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// search finds records by equality or by a list of values of one property, as
// companies are found by their domain. What was found is told by id, a page at a
// time.
func (s *Sim) search(w http.ResponseWriter, r *http.Request) {
	var q struct {
		FilterGroups []struct {
			Filters []struct {
				PropertyName, Operator, Value string
				Values                        []string
			}
		}
		Properties []string
		Limit      int
		After      string
	}
	if !s.decode(w, r, &q) || !s.kindKnown(w, r) {
		return
	}
	if len(q.FilterGroups) != 1 || len(q.FilterGroups[0].Filters) != 1 || q.Limit > 200 {
		s.refuse(w, http.StatusBadRequest, *invalid("this stand-in takes one filter and at most 200 records"))
		return
	}
	f := q.FilterGroups[0].Filters[0]
	if f.Operator == "EQ" {
		f.Values = []string{f.Value}
	} else if f.Operator != "IN" {
		s.refuse(w, http.StatusBadRequest, *invalid("this stand-in knows EQ and IN, not " + f.Operator))
		return
	}
	s.mu.Lock()
	var found []*record
	for _, o := range s.records[r.PathValue("type")] {
		if value := o.properties[f.PropertyName]; value != "" && slices.Contains(f.Values, strings.ToLower(value)) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b *record) int { return strings.Compare(a.id, b.id) })
	from, _ := strconv.Atoi(q.After) // none is the beginning
	limit := max(q.Limit, 1)
	page := found[min(from, len(found)):min(from+limit, len(found))]
	shown := make([]result, len(page))
	for i, o := range page {
		shown[i] = s.show(o, q.Properties)
	}
	s.mu.Unlock()
	body := map[string]any{"total": len(found), "results": shown}
	if from+limit < len(found) {
		body["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(from + limit)}}
	}
	answer(w, http.StatusOK, body)
}

// validCompany checks what a write of a company would set; the caller holds the
// lock. The usual properties of companies take any text.
func (s *Sim) validCompany(o *record, properties map[string]string) *apiError {
	domain := properties["domain"]
	if o != nil {
		domain = o.properties["domain"]
	}
	if words := s.refused[fold(domain)]; words != "" {
		return invalid(words)
	}
	for _, name := range sortedNames(properties) {
		p := s.properties[name]
		if p == nil && strings.HasPrefix(name, "sb_") {
			return problem(name, "Property \""+name+"\" does not exist", "PROPERTY_DOESNT_EXIST")
		}
		if p == nil || p.Type != "enumeration" {
			continue
		}
		for one := range strings.SplitSeq(properties[name], ";") {
			if one != "" && !slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == one }) {
				return problem(name, one+" was not one of the allowed options", "INVALID_OPTION")
			}
		}
	}
	return nil
}

// Company gives a copy of a company's properties; false when there is none.
func (s *Sim) Company(id string) (map[string]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.records["companies"][id]
	if o == nil {
		return nil, false
	}
	all := map[string]string{}
	for name, value := range o.properties {
		all[name] = value
	}
	return all, true
}

// Companies counts them.
func (s *Sim) Companies() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records["companies"])
}

// CompaniesOf gives copies of the companies of a domain, the oldest first.
func (s *Sim) CompaniesOf(domain string) []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []map[string]string
	for _, id := range slices.Sorted(maps.Keys(s.records["companies"])) {
		if o := s.records["companies"][id]; o.properties["domain"] == domain {
			all = append(all, maps.Clone(o.properties))
		}
	}
	return all
}
