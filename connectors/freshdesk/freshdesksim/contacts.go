package freshdesksim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shown is a contact as the API shows one.
func (s *Sim) shown(c *contact) map[string]any {
	fields := map[string]any{}
	for _, f := range s.fields {
		if name, _ := f["name"].(string); f["default"] != true {
			fields[name] = c.fields[name]
		}
	}
	all := map[string]any{
		"id": c.id, "name": c.name, "email": c.email, "other_emails": append([]string{}, c.others...), "phone": nil, "mobile": nil, "job_title": nil,
		"company_id": nil, "unique_external_id": nil, "active": false, "tags": append([]string{}, c.tags...), "custom_fields": fields,
		"created_at": c.created.Format(time.RFC3339), "updated_at": c.updated.Format(time.RFC3339),
	}
	if c.deleted {
		all["deleted"] = true
	}
	return all
}

func (s *Sim) list(c *call) {
	q := c.r.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("updated_since"))
	var found []*contact
	for _, one := range s.contacts {
		addresses := append([]string{one.email}, one.others...)
		switch {
		case one.email == "", one.deleted != (q.Get("state") == "deleted"), one.blocked != (q.Get("state") == "blocked"), one.updated.Before(since):
		case q.Has("email") && !slices.ContainsFunc(addresses, func(a string) bool { return strings.EqualFold(a, q.Get("email")) }):
		default:
			found = append(found, one)
		}
	}
	size, _ := strconv.Atoi(q.Get("per_page"))
	size = min(max(size, 1), s.page)
	page, _ := strconv.Atoi(q.Get("page"))
	at := min(max(page-1, 0)*size, len(found))
	end := min(at+size, len(found))
	shown := []any{}
	for _, one := range found[at:end] {
		shown = append(shown, s.shown(one))
	}
	if end < len(found) {
		q.Set("page", strconv.Itoa(page+1))
		c.header.Set("Link", fmt.Sprintf(`<https://acme.freshdesk.com/api/v2/contacts?%s>; rel="next"`, q.Encode()))
	}
	c.answer = shown
}

func (s *Sim) read(c *call) {
	one := s.find(c.r.PathValue("id"))
	if one == nil {
		c.missing()
		return
	}
	c.answer = s.shown(one)
}

// write is what a request may say of a contact.
type write struct {
	Name   string
	Email  string
	Fields map[string]any `json:"custom_fields"`
	Tags   *[]string
}

// decode reads the body; members that the API does not know are refused.
func (c *call) decode(into any) bool {
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		c.invalid(http.StatusBadRequest, "body", "invalid_field", "Unexpected/invalid field in request", nil)
		return false
	}
	return true
}

// set writes fields and tags; a field that does not exist, or a person who is
// refused, refuses all.
func (s *Sim) set(c *call, one *contact, w write) bool {
	if words, refused := s.refused[one.email]; refused {
		c.invalid(http.StatusBadRequest, "custom_fields", "invalid_value", words, nil)
		return false
	}
	for name := range w.Fields {
		if !slices.ContainsFunc(s.fields, func(f map[string]any) bool { return f["name"] == name && f["default"] != true }) {
			c.invalid(http.StatusBadRequest, name, "invalid_field", "Unexpected/invalid field in request", nil)
			return false
		}
	}
	for name, value := range w.Fields {
		one.fields[name] = value
	}
	if w.Tags != nil {
		one.tags = *w.Tags
	}
	one.updated = s.clock
	c.answer = s.shown(one)
	return true
}

func (s *Sim) update(c *call) {
	one := s.find(c.r.PathValue("id"))
	var in write
	switch {
	case one == nil:
		c.missing()
	case one.deleted || one.blocked:
		c.status, c.answer = http.StatusMethodNotAllowed, map[string]any{"message": "PUT method is not allowed. It should be one of these method(s): DELETE"}
	case c.decode(&in):
		s.set(c, one, in)
	}
}

func (s *Sim) create(c *call) {
	var in write
	if !c.decode(&in) {
		return
	}
	if in.Name == "" || in.Email == "" {
		c.invalid(http.StatusBadRequest, "name", "missing_field", "It should be a/an String", nil)
		return
	}
	for _, one := range s.contacts {
		if strings.EqualFold(one.email, in.Email) {
			c.invalid(http.StatusConflict, "email", "duplicate_value", "It should be a unique value", map[string]any{"user_id": one.id})
			return
		}
	}
	one := s.add(in.Name, in.Email)
	if !s.set(c, one, in) {
		s.contacts = s.contacts[:len(s.contacts)-1]
		return
	}
	c.status = http.StatusCreated
}

// erase takes a contact for good; without force only one that is in the bin.
func (s *Sim) erase(c *call) {
	one := s.find(c.r.PathValue("id"))
	switch {
	case one == nil:
		c.missing()
	case !one.deleted && c.r.URL.Query().Get("force") != "true":
		c.invalid(http.StatusBadRequest, "force", "invalid_value", "The contact has to be deleted first", nil)
	default:
		one.email = ""
		c.status = http.StatusNoContent
	}
}

func (s *Sim) ticket(c *call) {
	one := s.find(s.tickets[c.r.PathValue("id")])
	if one == nil {
		c.missing()
		return
	}
	answer := map[string]any{"id": 4521, "status": 2, "requester_id": one.id, "updated_at": s.clock.Format(time.RFC3339)}
	if c.r.URL.Query().Get("include") == "requester" {
		answer["requester"] = map[string]any{"id": one.id, "name": one.name, "email": one.email, "mobile": nil, "phone": nil}
	}
	c.answer = answer
}

// field makes a contact field; its name comes from the label.
func (s *Sim) field(label, kind string) map[string]any {
	name := "custom_" + strings.ReplaceAll(strings.ToLower(label), " ", "_")
	return map[string]any{"id": 900 + len(s.fields), "name": name, "label": label, "type": kind, "default": false}
}

func (s *Sim) listFields(c *call) { c.answer = s.fields }

func (s *Sim) createField(c *call) {
	var in struct {
		Label     string `json:"label"`
		Customers string `json:"label_for_customers"`
		Type      string `json:"type"`
		Displayed bool   `json:"displayed_for_customers"`
		Editable  bool   `json:"customers_can_edit"`
		InSignup  bool   `json:"editable_in_signup"`
	}
	if !c.decode(&in) {
		return
	}
	if in.Label == "" || !strings.HasPrefix(in.Type, "custom_") || slices.ContainsFunc(s.fields, func(f map[string]any) bool { return f["label"] == in.Label }) {
		c.invalid(http.StatusBadRequest, "label", "duplicate_value", "It should be a unique value", nil)
		return
	}
	made := s.field(in.Label, in.Type)
	s.fields = append(s.fields, made)
	c.status, c.answer = http.StatusCreated, made
}
