package mailchimpsim

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// member is one contact. Its tags are kept in segments.
type member struct {
	id     string // MD5 of the address
	short  string // the id that webhooks use
	webID  int64
	email  string
	status string
	merge  map[string]any
	tags   map[int64]bool // by segment
}

func hash(email string) string {
	sum := md5.Sum([]byte(strings.ToLower(strings.TrimSpace(email))))
	return hex.EncodeToString(sum[:])
}

// find takes what the path may hold: the hash or the address itself.
func (s *Sim) find(id string) *member {
	if strings.Contains(id, "@") {
		id = hash(id)
	}
	return s.members[id]
}

func (s *Sim) add(email, status string) *member {
	s.lastID++
	m := &member{
		id: hash(email), short: fmt.Sprintf("%010x", s.lastID), webID: 55_510_000 + s.lastID,
		email: strings.TrimSpace(email), status: status, merge: map[string]any{}, tags: map[int64]bool{},
	}
	s.members[m.id] = m
	return m
}

// memberAnswer is a contact as the API shows it.
type memberAnswer struct {
	ID        string         `json:"id"`
	Email     string         `json:"email_address"`
	UniqueID  string         `json:"unique_email_id"`
	WebID     int64          `json:"web_id,omitempty"`
	Status    string         `json:"status"`
	Merge     map[string]any `json:"merge_fields"`
	TagsCount int            `json:"tags_count"`
	Tags      []tagAnswer    `json:"tags"`
	ListID    string         `json:"list_id"`
}

// shownTags is how many tags a contact shows; the rest is behind its own call.
const shownTags = 50

func (s *Sim) show(m *member) memberAnswer {
	tags := s.tagsOf(m)
	return memberAnswer{
		ID: m.id, Email: m.email, UniqueID: m.short, WebID: m.webID, Status: m.status,
		Merge: s.mergesOf(m), TagsCount: len(tags), Tags: tags[:min(len(tags), shownTags)], ListID: s.options.Audience,
	}
}

func (s *Sim) getMember(c *call) *problem {
	m := s.find(c.r.PathValue("id"))
	if m == nil || m.status == statusForgotten {
		return notFound()
	}
	c.answer = s.show(m)
	return nil
}

// memberWrite is the body of PUT and PATCH.
type memberWrite struct {
	Email       *string        `json:"email_address"`
	StatusIfNew string         `json:"status_if_new"`
	Status      string         `json:"status"`
	Merge       map[string]any `json:"merge_fields"`
}

// statusForgotten marks an address that was deleted for good.
const statusForgotten = "forgotten"

var statuses = []string{"subscribed", "unsubscribed", "cleaned", "pending", "transactional"}

func (s *Sim) putMember(c *call) *problem {
	var w memberWrite
	if p := c.decode(&w); p != nil {
		return p
	}
	if w.Email == nil {
		return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"email_address", "This value should not be blank."})
	}
	m := s.find(c.r.PathValue("id"))
	if m != nil && m.status == statusForgotten {
		return forgotten(m.email)
	}
	if m != nil {
		return s.change(c, m, w)
	}
	status := cmp.Or(w.Status, w.StatusIfNew)
	if !slices.Contains(statuses, status) {
		return badRequest("Invalid Resource", "The resource submitted could not be validated.", fieldProblem{"status_if_new", "Value must be one of: " + strings.Join(statuses, ", ")})
	}
	if other := s.members[hash(*w.Email)]; other != nil {
		return alreadyThere(other)
	}
	if p := s.checkWrite(c, w); p != nil {
		return p
	}
	m = s.add(*w.Email, status)
	s.setMerge(m, w.Merge)
	s.counts.Created++
	s.counts.Members++
	if status == "subscribed" {
		s.event("api", "subscribe", m, nil)
	}
	c.answer = s.show(m)
	return nil
}

func (s *Sim) patchMember(c *call) *problem {
	var w memberWrite
	if p := c.decode(&w); p != nil {
		return p
	}
	m := s.find(c.r.PathValue("id"))
	if m == nil || m.status == statusForgotten {
		return notFound()
	}
	return s.change(c, m, w)
}

// change writes to a contact that is there.
func (s *Sim) change(c *call, m *member, w memberWrite) *problem {
	protected := m.status == "unsubscribed" || m.status == "cleaned"
	if protected && w.Status != "" && w.Status != m.status {
		return inCompliance(m.email)
	}
	if p := s.checkWrite(c, w); p != nil {
		return p
	}
	moved := w.Email != nil && hash(*w.Email) != m.id
	if moved {
		if other := s.members[hash(*w.Email)]; other != nil {
			return alreadyThere(other)
		}
		if protected {
			return inCompliance(m.email)
		}
		s.move(m, *w.Email, "api")
		s.counts.Emails++
	}
	if w.Status != "" && w.Status != m.status {
		s.counts.StatusChanges++
		m.status = w.Status
	}
	if s.setMerge(m, w.Merge) {
		s.event("api", "profile", m, nil)
	}
	s.counts.Members++
	c.answer = s.show(m)
	return nil
}

// checkWrite validates what a write brings.
func (s *Sim) checkWrite(c *call, w memberWrite) *problem {
	if w.Email != nil && !strings.Contains(strings.Trim(*w.Email, "@"), "@") {
		return badRequest("Invalid Resource", "Please provide a valid email address.")
	}
	var wrong []fieldProblem
	for _, f := range s.fields {
		value, given := w.Merge[f.Tag]
		if f.Required && !given && c.r.URL.Query().Get("skip_merge_validation") != "true" {
			wrong = append(wrong, fieldProblem{f.Tag, "Please enter a value"})
		}
		if text, ok := value.(string); given && ok && f.Type == "number" && text != "" {
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				wrong = append(wrong, fieldProblem{f.Tag, "This field must be a number"})
			}
		}
		if text, ok := value.(string); given && ok && len(f.Choices) > 0 && !slices.Contains(f.Choices, text) {
			wrong = append(wrong, fieldProblem{f.Tag, "Value must be one of: " + strings.Join(f.Choices, ", ")})
		}
	}
	if wrong != nil {
		return badRequest("Invalid Resource", "Your merge fields were invalid.", wrong...)
	}
	return nil
}

func alreadyThere(m *member) *problem {
	if m.status == statusForgotten {
		return forgotten(m.email)
	}
	return badRequest("Invalid Resource", "The resource submitted could not be validated.",
		fieldProblem{"email_address", fmt.Sprintf("%q is already in this list with a status of %q.", m.email, m.status)})
}

// move gives a contact another address; its hash and its short id change.
func (s *Sim) move(m *member, email, source string) {
	old := m.email
	delete(s.members, m.id)
	s.lastID++
	m.email, m.id, m.short = strings.TrimSpace(email), hash(email), fmt.Sprintf("%010x", s.lastID)
	s.members[m.id] = m
	s.event(source, "upemail", m, []pair{{"data[new_id]", m.short}, {"data[new_email]", m.email}, {"data[old_email]", old}})
}

func (s *Sim) archiveMember(c *call) *problem {
	m := s.find(c.r.PathValue("id"))
	if m == nil {
		return notFound()
	}
	m.status = "archived"
	s.counts.Members++
	return nil
}
