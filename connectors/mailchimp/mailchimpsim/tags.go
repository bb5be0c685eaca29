package mailchimpsim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// segment is a static segment, which is what a tag is.
type segment struct {
	id   int64
	name string
	size int
}

type tagAnswer struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// tagsOf lists a contact's tags by name.
func (s *Sim) tagsOf(m *member) []tagAnswer {
	all := make([]tagAnswer, 0, len(m.tags))
	for id := range m.tags {
		all = append(all, tagAnswer{id, s.segments[id].name})
	}
	slices.SortFunc(all, func(a, b tagAnswer) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// named gives the segment of a name, making it where asked to. Names are one
// whatever their case.
func (s *Sim) named(name string, create bool) *segment {
	seg := s.byName[strings.ToLower(name)]
	if seg == nil && create {
		s.lastID++
		seg = &segment{id: s.lastID, name: name}
		s.segments[seg.id], s.byName[strings.ToLower(name)] = seg, seg
		s.counts.TagsCreated++
	}
	return seg
}

// tag sets or removes a tag and reports whether that changed anything.
func (s *Sim) tag(m *member, seg *segment, on bool) bool {
	if m.tags[seg.id] == on {
		return false
	}
	if on {
		m.tags[seg.id] = true
		seg.size++
	} else {
		delete(m.tags, seg.id)
		seg.size--
	}
	return true
}

func (s *Sim) getTags(c *call) *problem {
	m := s.find(c.r.PathValue("id"))
	if m == nil {
		return notFound()
	}
	tags := s.tagsOf(m)
	c.answer = map[string]any{"tags": tags, "total_items": len(tags)}
	return nil
}

func (s *Sim) postTags(c *call) *problem {
	var w struct {
		Tags []struct {
			Name   string `json:"name"`
			Status string `json:"status"`
		} `json:"tags"`
	}
	if p := c.decode(&w); p != nil {
		return p
	}
	m := s.find(c.r.PathValue("id"))
	if m == nil || m.status == statusForgotten {
		return notFound()
	}
	for _, t := range w.Tags {
		if t.Status != "active" && t.Status != "inactive" || t.Name == "" {
			return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"tags", "Value must be one of: active, inactive."})
		}
	}
	for _, t := range w.Tags {
		if seg := s.named(t.Name, t.Status == "active"); seg != nil {
			s.tag(m, seg, t.Status == "active")
		}
	}
	s.counts.Tags++
	return nil
}

// segmentAnswer is a tag as the API shows it.
type segmentAnswer struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Count  int    `json:"member_count"`
	Type   string `json:"type"`
	ListID string `json:"list_id"`
}

func (s *Sim) showSegment(seg *segment) segmentAnswer {
	return segmentAnswer{seg.id, seg.name, seg.size, "static", s.options.Audience}
}

func (s *Sim) getSegments(c *call) *problem {
	query := c.r.URL.Query()
	count, offset := number(query.Get("count"), 10), number(query.Get("offset"), 0)
	all := make([]segmentAnswer, 0, len(s.segments))
	for _, seg := range s.segments {
		all = append(all, s.showSegment(seg))
	}
	slices.SortFunc(all, func(a, b segmentAnswer) int { return cmp.Compare(a.ID, b.ID) })
	page := all[min(offset, len(all)):min(offset+min(count, 1000), len(all))]
	c.answer = map[string]any{"segments": page, "list_id": s.options.Audience, "total_items": len(all)}
	return nil
}

func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<30 {
		return n
	}
	return otherwise
}

func (s *Sim) postSegment(c *call) *problem {
	var w struct {
		Name   string    `json:"name"`
		Static *[]string `json:"static_segment"`
	}
	if p := c.decode(&w); p != nil {
		return p
	}
	if w.Name == "" || w.Static == nil {
		return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"static_segment", "This value should not be null."})
	}
	if s.named(w.Name, false) != nil {
		return badRequest("Bad Request", "Sorry, that tag already exists.")
	}
	seg := s.named(w.Name, true)
	for _, email := range *w.Static {
		if m := s.find(hash(email)); m != nil {
			s.tag(m, seg, true)
		}
	}
	c.answer = s.showSegment(seg)
	return nil
}

// changeSegment adds and removes many people at once. Addresses that the
// audience does not hold are passed over without a word; only changes are told.
func (s *Sim) changeSegment(c *call) *problem {
	var w struct {
		Add    []string `json:"members_to_add"`
		Remove []string `json:"members_to_remove"`
	}
	if p := c.decode(&w); p != nil {
		return p
	}
	id, _ := strconv.ParseInt(c.r.PathValue("segment"), 10, 64)
	seg := s.segments[id]
	if seg == nil {
		return notFound()
	}
	if len(w.Add) > 500 || len(w.Remove) > 500 {
		return badRequest("Bad Request", "At most 500 members may be added or removed at once.")
	}
	added, removed := s.tagAll(seg, w.Add, true), s.tagAll(seg, w.Remove, false)
	s.counts.Segments++
	s.counts.TaggedInBulk += len(added) + len(removed)
	c.answer = map[string]any{
		"members_added": added, "members_removed": removed, "errors": []any{},
		"total_added": len(added), "total_removed": len(removed), "error_count": 0,
	}
	return nil
}

func (s *Sim) tagAll(seg *segment, emails []string, on bool) []memberAnswer {
	changed := []memberAnswer{}
	for _, email := range emails {
		m := s.members[hash(email)]
		if m != nil && m.status != statusForgotten && s.tag(m, seg, on) {
			shown := s.show(m)
			shown.WebID = 0 // not told here
			changed = append(changed, shown)
		}
	}
	return changed
}
