package pipedrivesim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Sim) me(*http.Request) answer {
	return answer{status: http.StatusOK, data: map[string]any{
		"id": user, "name": "Ines Example", "company_id": company, "company_name": "Acme", "company_domain": "acme",
	}}
}

func named(names ...string) func(*http.Request) answer {
	var all []map[string]any
	for i, name := range names {
		all = append(all, map[string]any{"id": i + 1, "name": name})
	}
	return func(*http.Request) answer { return answer{status: http.StatusOK, data: all} }
}

func (s *Sim) listHooks(*http.Request) answer {
	return answer{status: http.StatusOK, data: append([]map[string]any{}, s.hooks...)}
}

func (s *Sim) createHook(r *http.Request) answer {
	var h map[string]any
	if json.NewDecoder(r.Body).Decode(&h) != nil || h["name"] == nil || h["subscription_url"] == nil || h["event_object"] == nil || h["event_action"] == nil {
		return fail(http.StatusBadRequest, "name, subscription_url, event_object and event_action are required")
	}
	if len(s.hooks) >= 40 {
		return fail(http.StatusBadRequest, "the limit of 40 webhooks is reached")
	}
	s.lastID++
	h["id"], h["company_id"], h["user_id"], h["is_active"], h["type"] = s.lastID, company, user, 1, "general"
	s.hooks = append(s.hooks, h)
	return answer{status: http.StatusCreated, data: h}
}

func (s *Sim) deleteHook(r *http.Request) answer {
	before := len(s.hooks)
	s.hooks = slices.DeleteFunc(s.hooks, func(h map[string]any) bool { return strconv.FormatInt(h["id"].(int64), 10) == r.PathValue("id") })
	if len(s.hooks) == before {
		return fail(http.StatusNotFound, "no such webhook")
	}
	return answer{status: http.StatusOK, data: map[string]any{}}
}

// shown is a person as the API shows one, with the custom fields asked for.
func (s *Sim) shown(p *person, codes string) map[string]any {
	custom := map[string]any{}
	for _, f := range s.fields {
		if f.Custom && (codes == "" || slices.Contains(strings.Split(codes, ","), f.Code)) {
			custom[f.Code] = p.custom[f.Code]
		}
	}
	return map[string]any{"id": p.id, "name": p.name, "emails": p.emails, "update_time": "2026-11-20T09:00:00Z", "custom_fields": custom}
}

func (s *Sim) listPeople(r *http.Request) answer {
	q := r.URL.Query()
	ids := strings.FieldsFunc(q.Get("ids"), func(c rune) bool { return c == ',' })
	limit, err := strconv.Atoi(q.Get("limit"))
	if len(ids) > 100 || err != nil || limit < 1 || limit > 500 {
		return fail(http.StatusBadRequest, "ids or limit are out of bounds")
	}
	after, _ := strconv.ParseInt(q.Get("cursor"), 10, 64)
	a := answer{status: http.StatusOK}
	all := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.people)) {
		switch {
		case id <= after || len(ids) > 0 && !slices.Contains(ids, strconv.FormatInt(id, 10)):
			continue
		case len(all) == limit:
			a.next = strconv.FormatInt(all[limit-1]["id"].(int64), 10)
		default:
			all = append(all, s.shown(s.people[id], q.Get("custom_fields")))
		}
	}
	a.data = all
	return a
}

func (s *Sim) search(r *http.Request) answer {
	q := r.URL.Query()
	if len(q.Get("term")) < 2 || q.Get("fields") != "email" || q.Get("exact_match") != "true" {
		return fail(http.StatusBadRequest, "only exact searches for an address are simulated")
	}
	items := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.people)) {
		var emails []string
		for _, e := range s.people[id].emails {
			emails = append(emails, e["value"].(string))
		}
		if slices.ContainsFunc(emails, func(e string) bool { return strings.EqualFold(e, q.Get("term")) }) {
			items = append(items, map[string]any{"result_score": 0.5, "item": map[string]any{"id": id, "type": "person", "emails": emails}})
		}
	}
	return answer{status: http.StatusOK, data: map[string]any{"items": items}}
}

// personWrite is what a write may hold here.
type personWrite struct {
	Name   string           `json:"name"`
	Emails []map[string]any `json:"emails"`
	Custom map[string]any   `json:"custom_fields"`
}

func (s *Sim) createPerson(r *http.Request) answer {
	w, words := s.body(r)
	switch {
	case words != "":
		return fail(http.StatusBadRequest, words)
	case w.Name == "":
		return fail(http.StatusBadRequest, "name is required")
	}
	p := s.add(w.Name, w.Emails)
	maps.Copy(p.custom, w.Custom)
	return answer{status: http.StatusOK, data: s.shown(p, "")}
}

func (s *Sim) patchPerson(r *http.Request) answer {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	p := s.people[id]
	if p == nil {
		return fail(http.StatusNotFound, "Person not found")
	}
	w, words := s.body(r)
	if words != "" {
		return fail(http.StatusBadRequest, words)
	}
	if w.Name != "" {
		p.name = w.Name
	}
	if w.Emails != nil {
		p.emails = w.Emails
	}
	maps.Copy(p.custom, w.Custom)
	return answer{status: http.StatusOK, data: s.shown(p, "")}
}

// body reads a write and holds its custom fields against their types.
func (s *Sim) body(r *http.Request) (w personWrite, words string) {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return w, "the body is not understood: " + err.Error()
	}
	for code, value := range w.Custom {
		i := slices.IndexFunc(s.fields, func(f *field) bool { return f.Custom && f.Code == code })
		if i < 0 {
			return w, "there is no custom field " + code
		}
		if words := s.fields[i].refuses(value); words != "" {
			return w, words
		}
	}
	return w, ""
}

func (f *field) refuses(value any) string {
	if value == nil {
		return ""
	}
	list, many := value.([]any)
	_, number := value.(float64)
	_, text := value.(string)
	switch {
	case f.Type == "set" && !many, f.Type == "enum" && !number, f.Type == "double" && !number, f.Type == "varchar" && !text:
		return "the value of " + f.Name + " has the wrong type"
	case f.Type == "set" && len(f.labels(value)) != len(list), f.Type == "enum" && len(f.labels(value)) != 1:
		return f.Name + " has no such option"
	}
	return ""
}

func (s *Sim) deletePerson(r *http.Request) answer {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if s.people[id] == nil {
		return fail(http.StatusNotFound, "Person not found")
	}
	delete(s.people, id)
	return answer{status: http.StatusOK, data: map[string]any{"id": id}}
}

func (s *Sim) listFields(r *http.Request) answer {
	at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	// Two to a page, so that paging is walked.
	end := min(at+2, len(s.fields))
	a := answer{status: http.StatusOK, data: slices.Clone(s.fields[at:end])}
	if end < len(s.fields) {
		a.next = strconv.Itoa(end)
	}
	return a
}

func (s *Sim) createField(r *http.Request) answer {
	var f field
	if json.NewDecoder(r.Body).Decode(&f) != nil || f.Name == "" || f.Type == "" {
		return fail(http.StatusBadRequest, "field_name and field_type are required")
	}
	labels := labelsOf(f.Options)
	if (f.Type == "enum" || f.Type == "set") && len(labels) == 0 {
		return fail(http.StatusBadRequest, "options are required for this type")
	}
	if slices.ContainsFunc(s.fields, func(one *field) bool { return one.Name == f.Name }) {
		return fail(http.StatusConflict, "a field of that name exists")
	}
	return answer{status: http.StatusOK, data: *s.newField(f.Name, f.Type, labels)}
}

func (s *Sim) addOptions(r *http.Request) answer {
	i := slices.IndexFunc(s.fields, func(f *field) bool { return f.Code == r.PathValue("code") })
	if i < 0 {
		return fail(http.StatusNotFound, "no such field")
	}
	var options []option
	if json.NewDecoder(r.Body).Decode(&options) != nil || len(options) == 0 {
		return fail(http.StatusBadRequest, "at least one option is required")
	}
	labels := labelsOf(options)
	if slices.ContainsFunc(labels, s.fields[i].hasLabel) {
		return fail(http.StatusBadRequest, "an option of that label exists")
	}
	return answer{status: http.StatusOK, data: s.addLabels(s.fields[i], labels)}
}

func labelsOf(options []option) []string {
	var all []string
	for _, o := range options {
		all = append(all, o.Label)
	}
	return all
}
