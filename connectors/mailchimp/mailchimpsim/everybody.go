package mailchimpsim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// listMembers gives a page of the audience, oldest first.
func (s *Sim) listMembers(c *call) *problem {
	q := c.r.URL.Query()
	count, err := strconv.Atoi(cmp.Or(q.Get("count"), "10"))
	if err != nil || count < 0 || count > 1000 {
		return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"count", "Value must be between 0 and 1000."})
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	all := slices.SortedFunc(maps.Values(s.members), func(a, b *member) int { return cmp.Compare(a.webID, b.webID) })
	all = slices.DeleteFunc(all, func(m *member) bool { return m.status == statusForgotten })
	answer := struct {
		Members []memberAnswer `json:"members"`
		ListID  string         `json:"list_id"`
		Total   int            `json:"total_items"`
	}{[]memberAnswer{}, s.options.Audience, len(all)}
	from := min(max(offset, 0), len(all))
	for _, m := range all[from:min(from+count, len(all))] {
		answer.Members = append(answer.Members, s.show(m))
	}
	c.answer = answer
	return nil
}

// forgetMember deletes a contact for good.
func (s *Sim) forgetMember(c *call) *problem {
	m := s.find(c.r.PathValue("id"))
	if m == nil || m.status == statusForgotten {
		return notFound()
	}
	s.untagAll(m)
	m.status, m.merge = statusForgotten, map[string]any{}
	return nil
}
