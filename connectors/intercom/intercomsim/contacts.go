package intercomsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// shownTags is how many of its tags a contact shows.
const shownTags = 10

// shown is a contact as the API shows one.
func (s *Sim) shown(c *contact) map[string]any {
	tags := []any{}
	for _, id := range c.tags[:min(len(c.tags), shownTags)] {
		tags = append(tags, map[string]any{"type": "tag", "id": id, "url": "/tags/" + id})
	}
	var external, name any
	if c.external != "" {
		external = c.external
	}
	if c.name != "" {
		name = c.name
	}
	return map[string]any{
		"type": "contact", "id": c.id, "workspace_id": "ab12cd34", "external_id": external, "role": c.role, "email": c.email, "phone": nil, "name": name,
		"has_hard_bounced": false, "marked_email_as_spam": false, "unsubscribed_from_emails": false,
		"created_at": clock, "updated_at": c.updated, "signed_up_at": nil, "last_seen_at": nil, "custom_attributes": c.attributes,
		"tags": map[string]any{"type": "list", "data": tags, "url": "/contacts/" + c.id + "/tags", "total_count": len(c.tags), "has_more": len(c.tags) > shownTags},
	}
}

// named gives the contact of the request's path; nil, and 404, where there is
// none.
func (s *Sim) named(c *call) *contact {
	found := s.find(c.r.PathValue("id"))
	if found == nil {
		c.missing("User")
	}
	return found
}

func (s *Sim) getContact(c *call) {
	if found := s.named(c); found != nil {
		c.answer = s.shown(found)
	}
}

// below serves the two paths that a pattern of the mux can't tell apart.
func (s *Sim) below(c *call) {
	switch {
	case c.r.PathValue("id") == "find_by_external_id":
		s.findExternal(c)
	case c.r.PathValue("more") == "tags":
		s.contactTags(c)
	default:
		c.missing("Path")
	}
}

func (s *Sim) findExternal(c *call) {
	for _, one := range s.contacts {
		if one.external == c.r.PathValue("more") && !one.hidden {
			c.answer = s.shown(one)
			return
		}
	}
	c.missing("User")
}

// search knows one condition: an address, or all. Two contacts make a page.
func (s *Sim) search(c *call) {
	var in struct {
		Query struct {
			Field, Operator string
			Value           any
		}
		Pagination struct {
			After string `json:"starting_after"`
		}
	}
	if !c.decode(&in) {
		return
	}
	var found []*contact
	for _, one := range s.contacts {
		if !one.hidden && (in.Query.Field == "created_at" || in.Query.Field == "email" && strings.EqualFold(one.email, fmt.Sprint(in.Query.Value))) {
			found = append(found, one)
		}
	}
	const size = 2
	at, _ := strconv.Atoi(in.Pagination.After)
	at = min(max(at, 0), len(found))
	pages := map[string]any{"type": "pages", "page": at/size + 1, "per_page": size, "total_pages": (len(found) + size - 1) / size}
	end := len(found)
	if in.Query.Field == "created_at" && at+size < len(found) {
		end = at + size
		pages["next"] = map[string]any{"per_page": size, "starting_after": strconv.Itoa(end)}
	}
	data := []any{}
	for _, one := range found[at:end] {
		data = append(data, s.shown(one))
	}
	c.answer = list(data)
	answer := c.answer.(map[string]any)
	answer["total_count"], answer["pages"] = len(found), pages
}

// write is what a request may say of a contact.
type write struct {
	Role       string         `json:"role"`
	External   string         `json:"external_id"`
	Email      string         `json:"email"`
	Attributes map[string]any `json:"custom_attributes"`
}

// set writes attributes; one that does not exist, or a person who is refused,
// refuses all.
func (s *Sim) set(c *call, one *contact, w write) bool {
	if words, refused := s.refused[one.email]; refused {
		c.fail(http.StatusBadRequest, "parameter_invalid", words)
		return false
	}
	for name := range w.Attributes {
		if !slices.ContainsFunc(s.attributes, func(a map[string]any) bool { return a["name"] == name }) {
			c.fail(http.StatusBadRequest, "parameter_invalid", "Custom attribute '"+name+"' does not exist")
			return false
		}
	}
	for name, value := range w.Attributes {
		one.attributes[name] = value
	}
	one.updated = clock + int64(s.number())
	c.answer = s.shown(one)
	return true
}

func (s *Sim) updateContact(c *call) {
	var in write
	if one := s.named(c); one != nil && c.decode(&in) {
		s.set(c, one, in)
	}
}

func (s *Sim) createContact(c *call) {
	var in write
	if !c.decode(&in) {
		return
	}
	if in.External == "" && in.Email == "" || in.Role == "lead" && in.External != "" {
		c.fail(http.StatusBadRequest, "parameter_invalid", "One of email, external_id must be provided")
		return
	}
	for _, one := range s.contacts {
		if in.External != "" && one.external == in.External || in.Email != "" && one.role == in.Role && in.Role == "user" && strings.EqualFold(one.email, in.Email) {
			state := "A contact"
			if one.archived {
				state = "An archived contact"
			}
			c.fail(http.StatusConflict, "conflict", state+" matching those details already exists with id="+one.id)
			return
		}
	}
	one := s.add(in.Role, in.External, in.Email)
	if !s.set(c, one, in) {
		s.contacts = s.contacts[:len(s.contacts)-1]
	}
}

func (s *Sim) deleteContact(c *call) {
	one := s.named(c)
	if one == nil {
		return
	}
	s.contacts = slices.DeleteFunc(s.contacts, func(o *contact) bool { return o == one })
	c.answer = map[string]any{"type": "contact", "id": one.id, "external_id": nil, "deleted": true}
}
