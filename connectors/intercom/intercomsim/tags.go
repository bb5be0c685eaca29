package intercomsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// tag gives the tag of a name, made if missing.
func (s *Sim) tag(name string) map[string]string {
	for _, t := range s.tags {
		if strings.EqualFold(t["name"], name) {
			return t
		}
	}
	t := map[string]string{"type": "tag", "id": strconv.Itoa(81 + len(s.tags)), "name": name}
	s.tags = append(s.tags, t)
	return t
}

func (s *Sim) tagName(id string) string {
	for _, t := range s.tags {
		if t["id"] == id {
			return t["name"]
		}
	}
	return ""
}

func (s *Sim) listTags(c *call) { c.answer = list(append([]map[string]string{}, s.tags...)) }

func (s *Sim) createTag(c *call) {
	var in struct{ Name string }
	if !c.decode(&in) {
		return
	}
	if in.Name == "" {
		c.fail(http.StatusBadRequest, "parameter_invalid", "Invalid parameters")
		return
	}
	c.answer = s.tag(in.Name)
}

func (s *Sim) contactTags(c *call) {
	one := s.named(c)
	if one == nil {
		return
	}
	all := []any{}
	for _, id := range one.tags {
		all = append(all, map[string]any{"type": "tag", "id": id, "name": s.tagName(id)})
	}
	c.answer = list(all)
}

func (s *Sim) tagContact(c *call) {
	var in struct{ ID string }
	one := s.named(c)
	if one == nil || !c.decode(&in) {
		return
	}
	name := s.tagName(in.ID)
	if name == "" {
		c.missing("Tag")
		return
	}
	if !slices.Contains(one.tags, in.ID) {
		one.tags = append(one.tags, in.ID)
	}
	c.answer = map[string]any{"type": "tag", "id": in.ID, "name": name}
}

func (s *Sim) untagContact(c *call) {
	one := s.named(c)
	if one == nil {
		return
	}
	id := c.r.PathValue("tag")
	if !slices.Contains(one.tags, id) {
		c.missing("Tag")
		return
	}
	one.tags = slices.DeleteFunc(one.tags, func(t string) bool { return t == id })
	c.answer = map[string]any{"type": "tag", "id": id, "name": s.tagName(id)}
}

func (s *Sim) attribute(name, kind string) map[string]any {
	return map[string]any{
		"type": "data_attribute", "id": 900000 + len(s.attributes), "model": "contact", "name": name, "full_name": "custom_attributes." + name,
		"label": name, "data_type": kind, "api_writable": true, "ui_writable": false, "messenger_writable": false, "custom": true, "archived": false,
	}
}

func (s *Sim) listAttributes(c *call) {
	email := s.attribute("email", "string")
	email["custom"], email["full_name"] = false, "email"
	c.answer = list(append([]map[string]any{email}, s.attributes...))
}

func (s *Sim) createAttribute(c *call) {
	var in struct {
		Name  string `json:"name"`
		Model string `json:"model"`
		Type  string `json:"data_type"`
	}
	if !c.decode(&in) {
		return
	}
	taken := slices.ContainsFunc(s.attributes, func(a map[string]any) bool { return a["name"] == in.Name })
	if taken || in.Model != "contact" || in.Name == "" || in.Type == "" {
		c.fail(http.StatusBadRequest, "parameter_invalid", "You already have '"+in.Name+"' in your people data.")
		return
	}
	made := s.attribute(in.Name, in.Type)
	s.attributes = append(s.attributes, made)
	c.answer = made
}
