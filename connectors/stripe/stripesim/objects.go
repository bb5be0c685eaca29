package stripesim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// created is the time of every object.
const created = 1795166100

// Limits of metadata (https://docs.stripe.com/api/metadata).
const (
	maxEntries    = 50
	maxKeyRunes   = 40
	maxValueRunes = 500
)

func (s *Sim) account(*http.Request, url.Values) (int, any) {
	return http.StatusOK, map[string]any{
		"id": "acct_SB1", "object": "account", "type": "standard",
		"settings": map[string]any{
			"dashboard": map[string]any{"display_name": "Acme", "timezone": "Etc/UTC"},
			"branding":  map[string]any{}, "card_payments": map[string]any{}, "payments": map[string]any{},
		},
	}
}

func (c *customer) json() map[string]any {
	if c.deleted {
		return map[string]any{"id": c.id, "object": "customer", "deleted": true}
	}
	value := map[string]any{
		"id": c.id, "object": "customer", "created": created, "livemode": false, "metadata": c.metadata,
		"email": nil, "name": nil, "phone": nil, "address": nil,
	}
	if c.email != "" {
		value["email"] = c.email
	}
	if c.name != "" {
		value["name"] = c.name
	}
	return value
}

func (s *Sim) listCustomers(_ *http.Request, query url.Values) (int, any) {
	if status, value := known(query, "email", "limit", "starting_after"); status != 0 {
		return status, value
	}
	var found []map[string]any
	var ids []string
	for _, c := range slices.Backward(s.customers) {
		if !c.deleted && (query.Get("email") == "" || query.Get("email") == c.email) {
			found, ids = append(found, c.json()), append(ids, c.id)
		}
	}
	return page("/v1/customers", "customer", found, ids, query)
}

func (s *Sim) readCustomer(r *http.Request, query url.Values) (int, any) {
	c := s.find(r.PathValue("id"))
	if c == nil {
		return missing("customer", r.PathValue("id"))
	}
	return http.StatusOK, c.json()
}

func (s *Sim) createCustomer(_ *http.Request, form url.Values) (int, any) {
	if status, value := known(form, "email", "name", "metadata"); status != 0 {
		return status, value
	}
	c := &customer{metadata: map[string]string{}}
	if status, value := setMetadata(c, form); status != 0 {
		return status, value
	}
	made := s.add(form.Get("email"), c.metadata)
	made.name = form.Get("name")
	return http.StatusOK, made.json()
}

func (s *Sim) writeCustomer(r *http.Request, form url.Values) (int, any) {
	c := s.find(r.PathValue("id"))
	if c == nil || c.deleted {
		return missing("customer", r.PathValue("id"))
	}
	if words := s.refused[c.id]; words != "" {
		return invalid("", words, "")
	}
	if status, value := known(form, "email", "name", "metadata"); status != 0 {
		return status, value
	}
	if status, value := setMetadata(c, form); status != 0 {
		return status, value
	}
	return http.StatusOK, c.json()
}

func (s *Sim) deleteCustomer(r *http.Request, _ url.Values) (int, any) {
	c := s.find(r.PathValue("id"))
	if c == nil || c.deleted {
		return missing("customer", r.PathValue("id"))
	}
	c.deleted = true
	return http.StatusOK, c.json()
}

// setMetadata changes the entries that are named; an empty one is removed, and
// metadata= removes all.
func setMetadata(c *customer, form url.Values) (int, any) {
	after := map[string]string{}
	for key, value := range c.metadata {
		after[key] = value
	}
	for name, values := range form {
		if name == "metadata" && values[0] == "" {
			clear(after)
		}
		key, ok := strings.CutPrefix(name, "metadata[")
		if !ok {
			continue
		}
		key = strings.TrimSuffix(key, "]")
		switch {
		case utf8.RuneCountInString(key) > maxKeyRunes:
			return invalid("", "Metadata keys can have up to 40 characters", name)
		case utf8.RuneCountInString(values[0]) > maxValueRunes:
			return invalid("", "Metadata values can have up to 500 characters", name)
		case values[0] == "":
			delete(after, key)
		default:
			after[key] = values[0]
		}
	}
	if len(after) > maxEntries {
		return invalid("", "You can have up to 50 metadata keys", "metadata")
	}
	c.metadata = after
	return 0, nil
}

func (e *endpoint) json() map[string]any {
	status := "enabled"
	if e.disabled {
		status = "disabled"
	}
	return map[string]any{
		"id": e.id, "object": "webhook_endpoint", "created": created, "livemode": false, "metadata": map[string]string{},
		"url": e.url, "enabled_events": e.types, "status": status,
	}
}

func (s *Sim) listEndpoints(_ *http.Request, query url.Values) (int, any) {
	if status, value := known(query, "limit", "starting_after"); status != 0 {
		return status, value
	}
	var found []map[string]any
	var ids []string
	for _, e := range slices.Backward(s.endpoints) {
		found, ids = append(found, e.json()), append(ids, e.id)
	}
	return page("/v1/webhook_endpoints", "webhook endpoint", found, ids, query)
}

func (s *Sim) createEndpoint(_ *http.Request, form url.Values) (int, any) {
	if status, value := known(form, "url", "description", "enabled_events", "metadata"); status != 0 {
		return status, value
	}
	if !strings.HasPrefix(form.Get("url"), "http") || len(form["enabled_events[]"]) == 0 {
		return invalid("parameter_missing", "Missing required param: url or enabled_events", "url")
	}
	s.count++
	e := &endpoint{id: fmt.Sprintf("we_%d", s.count), url: form.Get("url"), types: form["enabled_events[]"], secret: fmt.Sprintf("whsec_%d", s.count)}
	s.endpoints = append(s.endpoints, e)
	value := e.json()
	value["secret"] = e.secret
	return http.StatusOK, value
}

func (s *Sim) writeEndpoint(r *http.Request, form url.Values) (int, any) {
	i := slices.IndexFunc(s.endpoints, func(e *endpoint) bool { return e.id == r.PathValue("id") })
	if i < 0 {
		return missing("webhook endpoint", r.PathValue("id"))
	}
	if status, value := known(form, "url", "description", "enabled_events", "metadata", "disabled"); status != 0 {
		return status, value
	}
	e := s.endpoints[i]
	if types := form["enabled_events[]"]; len(types) > 0 {
		e.types = types
	}
	if form.Has("disabled") {
		e.disabled = form.Get("disabled") == "true"
	}
	return http.StatusOK, e.json()
}

func (s *Sim) deleteEndpoint(r *http.Request, _ url.Values) (int, any) {
	id := r.PathValue("id")
	before := len(s.endpoints)
	s.endpoints = slices.DeleteFunc(s.endpoints, func(e *endpoint) bool { return e.id == id })
	if len(s.endpoints) == before {
		return missing("webhook endpoint", id)
	}
	return http.StatusOK, map[string]any{"id": id, "object": "webhook_endpoint", "deleted": true}
}

// known refuses parameters that a call does not have.
func known(form url.Values, names ...string) (int, any) {
	for name := range form {
		base, _, _ := strings.Cut(name, "[")
		if !slices.Contains(names, base) {
			return invalid("parameter_unknown", "Received unknown parameter: "+name, name)
		}
	}
	return 0, nil
}

// page cuts a list, newest first, after a cursor.
func page(path, kind string, all []map[string]any, ids []string, query url.Values) (int, any) {
	limit := 10
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		if err != nil || n < 1 || n > 100 {
			return invalid("", "Invalid integer: limit is 1 to 100", "limit")
		}
		limit = n
	}
	if after := query.Get("starting_after"); after != "" {
		i := slices.Index(ids, after)
		if i < 0 {
			return missing(kind, after)
		}
		all = all[i+1:]
	}
	more := len(all) > limit
	all = append([]map[string]any{}, all[:min(limit, len(all))]...)
	return http.StatusOK, map[string]any{"object": "list", "url": path, "data": all, "has_more": more}
}
