package mailchimpsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mergesOf gives every field of the audience, "" where the contact has none.
func (s *Sim) mergesOf(m *member) map[string]any {
	all := make(map[string]any, len(s.fields))
	for _, f := range s.fields {
		all[f.Tag] = ""
	}
	maps.Copy(all, m.merge)
	return all
}

// setMerge passes over fields that the audience does not have and cuts text;
// it reports whether anything changed.
func (s *Sim) setMerge(m *member, values map[string]any) (changed bool) {
	for _, f := range s.fields {
		value, ok := values[f.Tag]
		if !ok {
			continue
		}
		if text, ok := value.(string); ok && f.Type == "text" && len(text) > 255 {
			value = strings.ToValidUTF8(text[:255], "")
		}
		if fmt.Sprint(m.merge[f.Tag]) != fmt.Sprint(value) {
			changed = true
		}
		m.merge[f.Tag] = value
	}
	return changed
}

// field is a merge field of the audience.
type field struct {
	ID       int64    `json:"merge_id"`
	Tag      string   `json:"tag"`
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Public   bool     `json:"public"`
	Choices  []string `json:"-"`
}

func (s *Sim) getFields(c *call) *problem {
	c.answer = map[string]any{"merge_fields": s.fields, "list_id": s.options.Audience, "total_items": len(s.fields)}
	return nil
}

func (s *Sim) postField(c *call) *problem {
	var f field
	if p := c.decode(&f); p != nil {
		return p
	}
	if f.Name == "" || f.Type == "" {
		return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"name", "This value should not be blank."})
	}
	if slices.ContainsFunc(s.fields, func(o *field) bool { return o.Tag == f.Tag }) {
		return badRequest("Invalid Resource", fmt.Sprintf("A Merge Field with the tag %q already exists for this list.", f.Tag))
	}
	f.ID = int64(len(s.fields) + 1)
	s.fields = append(s.fields, &f)
	s.counts.Fields++
	c.answer = &f
	return nil
}
