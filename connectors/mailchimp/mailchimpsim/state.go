package mailchimpsim

import (
	"errors"
	"maps"
	"slices"
)

// Counts tells what has happened to the audience.
type Counts struct {
	// Members counts accepted writes of a contact, Created those that made it,
	// Emails those that changed the address.
	Members, Created, Emails int
	// StatusChanges counts accepted changes of a subscription status by API.
	StatusChanges int
	// Tags counts accepted calls for one person's tags, Segments those for many
	// people at once, TaggedInBulk the people whom the latter changed.
	Tags, Segments, TaggedInBulk int
	// TagsCreated, Fields and Webhooks count what was made or changed beside.
	TagsCreated, Fields, Webhooks int
	// Refused counts requests that were answered with a problem.
	Refused int
	// Sent and Lost count webhooks that were taken, and those that Run gave up.
	Sent, Lost int
}

// Writes is how many writes about people were accepted.
func (c Counts) Writes() int { return c.Members + c.Tags + c.Segments }

// Counts gives what was counted since New.
func (s *Sim) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Held is what the audience holds about a contact.
type Held struct {
	Email, Status string
	// Merge holds the fields that were set.
	Merge map[string]any
	// Tags by name, sorted.
	Tags []string
}

// Member gives a contact by address.
func (s *Sim) Member(email string) (Held, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[hash(email)]
	if m == nil {
		return Held{}, false
	}
	return s.held(m), true
}

// Members gives every contact, by address.
func (s *Sim) Members() map[string]Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]Held, len(s.members))
	for _, m := range s.members {
		all[m.email] = s.held(m)
	}
	return all
}

func (s *Sim) held(m *member) Held {
	h := Held{Email: m.email, Status: m.status, Merge: maps.Clone(m.merge)}
	for _, t := range s.tagsOf(m) {
		h.Tags = append(h.Tags, t.Name)
	}
	return h
}

// AddField gives the audience a merge field; choices make it a dropdown.
func (s *Sim) AddField(tag, kind string, required bool, choices ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields = append(s.fields, &field{ID: int64(len(s.fields) + 1), Tag: tag, Name: tag, Type: kind, Required: required, Choices: choices})
}

// RemoveField takes a merge field and its values away.
func (s *Sim) RemoveField(tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fields = slices.DeleteFunc(s.fields, func(f *field) bool { return f.Tag == tag })
	for _, m := range s.members {
		delete(m.merge, tag)
	}
}

// AddMember puts a contact into the audience without telling anybody. An
// empty status is subscribed.
func (s *Sim) AddMember(email, status string, merge map[string]any, tags ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == "" {
		status = "subscribed"
	}
	m := s.add(email, status)
	s.setMerge(m, merge)
	for _, name := range tags {
		s.tag(m, s.named(name, true), true)
	}
}

// AddWebhook enters a webhook for all six events and changes by users and
// admins, as a person would in the settings of the audience. It gives the
// signing secret: the one given, one made up, or "" with Options.Unsigned.
func (s *Sim) AddWebhook(url, secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := map[string]bool{}
	for _, name := range eventTypes {
		events[name] = true
	}
	return s.addHook(url, secret, events, map[string]bool{"user": true, "admin": true}).secret
}

// ErrNoMember is the answer of an act about a contact that is not there.
var ErrNoMember = errors.New("mailchimpsim: no such contact")

// Subscribe is a person joining by a form; one who left may come back.
func (s *Sim) Subscribe(email string, merge map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[hash(email)]
	if m == nil {
		m = s.add(email, "subscribed")
	}
	m.status = "subscribed"
	s.setMerge(m, merge)
	s.event("user", "subscribe", m, nil)
}

// Unsubscribe is a person opting out; reason is manual or abuse.
func (s *Sim) Unsubscribe(email, reason string) error {
	return s.on(email, func(m *member) {
		m.status = "unsubscribed"
		s.event("user", "unsubscribe", m, []pair{{"data[action]", "unsub"}, {"data[reason]", reason}})
	})
}

// Remove is an admin deleting a contact.
func (s *Sim) Remove(email string) error {
	return s.on(email, func(m *member) {
		s.event("admin", "unsubscribe", m, []pair{{"data[action]", "delete"}, {"data[reason]", "manual"}})
		s.untagAll(m)
		delete(s.members, m.id)
	})
}

// Forget deletes a contact for good, which no webhook tells of.
func (s *Sim) Forget(email string) error {
	return s.on(email, func(m *member) {
		s.untagAll(m)
		m.status, m.merge = statusForgotten, map[string]any{}
	})
}

// Edit is a person changing fields in their profile.
func (s *Sim) Edit(email string, merge map[string]any) error {
	return s.on(email, func(m *member) {
		if s.setMerge(m, merge) {
			s.event("user", "profile", m, nil)
		}
	})
}

// ChangeEmail is a person changing their address.
func (s *Sim) ChangeEmail(email, next string) error {
	return s.on(email, func(m *member) { s.move(m, next, "user") })
}

// Clean is Mailchimp giving up an address; reason is hard or abuse.
func (s *Sim) Clean(email, reason string) error {
	return s.on(email, func(m *member) {
		m.status = "cleaned"
		s.event("admin", "cleaned", m, []pair{{"data[campaign_id]", "77aa88bb99"}, {"data[reason]", reason}})
	})
}

func (s *Sim) on(email string, act func(*member)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[hash(email)]
	if m == nil || m.status == statusForgotten {
		return ErrNoMember
	}
	act(m)
	return nil
}

func (s *Sim) untagAll(m *member) {
	for id := range m.tags {
		s.tag(m, s.segments[id], false)
	}
}
