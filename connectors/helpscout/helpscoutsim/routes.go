package helpscoutsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (s *Sim) withCustomer(serve func(*customer, *http.Request) answer) func(http.ResponseWriter, *http.Request) answer {
	return func(_ http.ResponseWriter, r *http.Request) answer {
		c := s.customers[number(r)]
		if c == nil {
			return answer{http.StatusNotFound, map[string]any{"message": "Not found"}}
		}
		return serve(c, r)
	}
}

// shown is a customer as the API shows one.
func (s *Sim) shown(c *customer, inList bool) map[string]any {
	emails := []map[string]any{}
	for i, e := range c.emails {
		emails = append(emails, map[string]any{"id": 9000 + i, "value": e, "type": "work"})
	}
	embedded := map[string]any{"emails": emails}
	if !inList || !s.lean {
		values := []map[string]any{}
		for _, slug := range slices.Sorted(maps.Keys(c.values)) {
			d := s.definition(slug)
			v := map[string]any{"slug": slug, "type": d.Type, "value": c.values[slug]}
			for _, o := range d.Options {
				if o["id"] == c.values[slug] {
					v["text"] = o["label"]
				}
			}
			values = append(values, v)
		}
		embedded["properties"] = values
	}
	return map[string]any{"id": c.id, "firstName": "Dana", "lastName": "Reed", "updatedAt": "2026-11-20T09:16:00Z", "_embedded": embedded}
}

func (s *Sim) definition(slug string) *definition {
	i := slices.IndexFunc(s.definitions, func(d definition) bool { return d.Slug == slug })
	if i < 0 {
		return nil
	}
	return &s.definitions[i]
}

var byEmail = regexp.MustCompile(`^\(email:"([^"]*)"\)$`)

func (s *Sim) list(_ http.ResponseWriter, r *http.Request) answer {
	q := r.URL.Query()
	wanted := ""
	if text := q.Get("query"); text != "" {
		m := byEmail.FindStringSubmatch(text)
		if m == nil {
			return refuse(http.StatusBadRequest, "query", "is not understood")
		}
		wanted = m[1]
	}
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.customers)) {
		c := s.customers[id]
		if wanted == "" || slices.ContainsFunc(c.emails, func(e string) bool { return strings.EqualFold(e, wanted) }) {
			all = append(all, s.shown(c, true))
		}
	}
	return answer{200, paged("customers", all, q.Get("page"))}
}

// paged is one page of a list.
func paged(name string, all []map[string]any, page string) map[string]any {
	number, err := strconv.Atoi(page)
	if err != nil || number < 1 {
		number = 1
	}
	from := min((number-1)*pageSize, len(all))
	body := map[string]any{"page": map[string]any{
		"size": pageSize, "totalElements": len(all), "totalPages": (len(all) + pageSize - 1) / pageSize, "number": number,
	}}
	if some := all[from:min(from+pageSize, len(all))]; len(some) > 0 {
		body["_embedded"] = map[string]any{name: some}
	}
	return body
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) answer {
	var body struct {
		Emails []struct{ Type, Value string } `json:"emails"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if d.Decode(&body) != nil || len(body.Emails) == 0 || !strings.Contains(body.Emails[0].Value, "@") {
		return refuse(http.StatusBadRequest, "emails", "must hold an address")
	}
	for _, c := range s.customers {
		if slices.ContainsFunc(c.emails, func(e string) bool { return strings.EqualFold(e, body.Emails[0].Value) }) {
			return answer{http.StatusConflict, map[string]any{"message": "the address is taken"}}
		}
	}
	w.Header().Set("Resource-ID", strconv.FormatInt(s.add([]string{body.Emails[0].Value}).id, 10))
	return answer{http.StatusCreated, nil}
}

// change takes a JSON Patch wholly or not at all.
func (s *Sim) change(c *customer, r *http.Request) answer {
	var operations []struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	if json.NewDecoder(r.Body).Decode(&operations) != nil || len(operations) == 0 {
		return refuse(http.StatusBadRequest, "", "a list of operations is wanted")
	}
	values := maps.Clone(c.values)
	for _, o := range operations {
		slug := strings.TrimPrefix(o.Path, "/")
		d := s.definition(slug)
		switch {
		case d == nil || !strings.HasPrefix(o.Path, "/"):
			return refuse(http.StatusBadRequest, o.Path, "no such property")
		case o.Op == "remove" && values[slug] == nil:
			return refuse(http.StatusBadRequest, o.Path, "has no value to remove")
		case o.Op == "remove":
			delete(values, slug)
		case o.Op != "replace":
			return refuse(http.StatusBadRequest, o.Path, "no such operation")
		case !d.takes(o.Value):
			return refuse(http.StatusBadRequest, o.Path, "the value does not fit the type")
		default:
			values[slug] = o.Value
		}
	}
	c.values = values
	return answer{http.StatusNoContent, nil}
}

func (d *definition) takes(v any) bool {
	text, isText := v.(string)
	_, isNumber := v.(float64)
	switch d.Type {
	case "number":
		return isNumber
	case "dropdown":
		return slices.ContainsFunc(d.Options, func(o map[string]any) bool { return o["id"] == v })
	}
	return isText && text != "" && len([]rune(text)) <= 255
}

func (s *Sim) define(_ http.ResponseWriter, r *http.Request) answer {
	var d definition
	if json.NewDecoder(r.Body).Decode(&d) != nil || d.Slug == "" || d.Name == "" || !slices.Contains([]string{"number", "text", "url", "date", "dropdown"}, d.Type) {
		return refuse(http.StatusBadRequest, "type", "type, slug and name are required")
	}
	if s.definition(d.Slug) != nil {
		return refuse(http.StatusBadRequest, "slug", "is taken")
	}
	s.definitions = append(s.definitions, d)
	return answer{http.StatusCreated, nil}
}

func (s *Sim) listHooks(_ http.ResponseWriter, r *http.Request) answer {
	var all []map[string]any
	for _, id := range slices.Sorted(maps.Keys(s.hooks)) {
		shown := maps.Clone(s.hooks[id])
		delete(shown, "secret")
		all = append(all, shown)
	}
	return answer{200, paged("webhooks", all, r.URL.Query().Get("page"))}
}

// hook reads the body that makes or changes a webhook.
func hook(r *http.Request) (map[string]any, answer) {
	var h map[string]any
	if json.NewDecoder(r.Body).Decode(&h) != nil || h["url"] == nil || h["events"] == nil {
		return nil, refuse(http.StatusBadRequest, "url", "url and events are required")
	}
	if key, _ := h["secret"].(string); key == "" || len(key) > 40 || h["payloadVersion"] != "V2" {
		return nil, refuse(http.StatusBadRequest, "secret", "must have 1 to 40 characters")
	}
	return h, answer{}
}

func (s *Sim) createHook(w http.ResponseWriter, r *http.Request) answer {
	h, refused := hook(r)
	if h == nil {
		return refused
	}
	s.last++
	h["id"], h["state"] = s.last, "enabled"
	s.hooks[s.last] = h
	w.Header().Set("Resource-ID", strconv.FormatInt(s.last, 10))
	return answer{http.StatusCreated, nil}
}

func (s *Sim) changeHook(_ http.ResponseWriter, r *http.Request) answer {
	there := s.hooks[number(r)]
	h, refused := hook(r)
	switch {
	case there == nil:
		return answer{http.StatusNotFound, nil}
	case h == nil:
		return refused
	}
	maps.Copy(there, h)
	return answer{http.StatusNoContent, nil}
}

func (s *Sim) deleteHook(_ http.ResponseWriter, r *http.Request) answer {
	if s.hooks[number(r)] == nil {
		return answer{http.StatusNotFound, nil}
	}
	delete(s.hooks, number(r))
	return answer{http.StatusNoContent, nil}
}
