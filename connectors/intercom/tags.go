package intercom

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// tagName is the tag of a segment.
func (c *Connector) tagName(segment string) string { return c.tagPrefix + segment }

// tags knows the ids of the workspace's tags by name in lower case, which is
// how Intercom compares them.
type tags struct {
	api *api

	mu  sync.Mutex
	ids map[string]string // nil: not read yet
}

func (s *tags) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = nil
}

// id gives a tag's id. One that does not exist is made where create says so;
// else the id is empty.
func (s *tags) id(ctx context.Context, name string, create bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		var list tagList
		if err := s.api.call(ctx, "list tags", http.MethodGet, "/tags", nil, &list); err != nil {
			return "", err
		}
		ids := map[string]string{}
		for _, t := range list.Data {
			ids[strings.ToLower(t.Name)] = t.ID
		}
		s.ids = ids
	}
	if id := s.ids[strings.ToLower(name)]; id != "" || !create {
		return id, nil
	}
	var made tag
	if err := s.api.call(ctx, "create a tag", http.MethodPost, "/tags", tag{Name: name}, &made); err != nil {
		return "", ofSettings(err)
	}
	if made.ID == "" {
		return "", &connectors.PushError{Act: "intercom: create a tag", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no tag"}
	}
	s.ids[strings.ToLower(name)] = made.ID
	return made.ID, nil
}

// names gives the name of each tag id as far as they were read.
func (s *tags) names() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]string, len(s.ids))
	for name, id := range s.ids {
		all[id] = name
	}
	return all
}

// writeTags sets and takes off the tags of one contact. Only names of the
// managed set are named. held is the contact where it was read just now: it
// shows its tags, unless there are many.
func (p *push) writeTags(ctx context.Context, t *task, held *contact) {
	carries := map[string]bool{}
	told := held != nil && !held.Tags.More
	if told {
		for _, one := range held.Tags.Data {
			carries[one.ID] = true
		}
	}
	for _, s := range t.Add {
		id, err := p.c.tags.id(ctx, p.c.tagName(s), true)
		if err == nil && told && carries[id] {
			continue
		}
		if err == nil {
			err = p.c.api.call(ctx, "tag a contact", http.MethodPost, contactPath(t.id, "tags"), tag{ID: id}, nil)
		}
		if !p.tagged(ctx, t, held, s, tagOn, err) {
			return
		}
	}
	for _, s := range t.Remove {
		id, err := p.c.tags.id(ctx, p.c.tagName(s), false)
		if err == nil && (id == "" || told && !carries[id]) {
			continue
		}
		if err == nil {
			err = p.c.api.call(ctx, "untag a contact", http.MethodDelete, contactPath(t.id, "tags", id), nil, nil)
			if connectors.ReasonOf(err) == connectors.ReasonNotFound {
				err = p.offAlready(ctx, t, id, err)
			}
		}
		if !p.tagged(ctx, t, held, s, tagOff, err) {
			return
		}
	}
}

// offAlready looks whether a tag that could not be taken off is not on: then
// there is nothing wrong.
func (p *push) offAlready(ctx context.Context, t *task, id string, failed error) error {
	var list tagList
	if err := p.c.api.call(ctx, "read a contact's tags", http.MethodGet, contactPath(t.id, "tags"), nil, &list); err != nil {
		return err
	}
	for _, one := range list.Data {
		if one.ID == id {
			return failed
		}
	}
	return nil
}

// tagged notes a tag's write and reports whether it may go on. Where a contact
// or tag is gone that was taken to be there, the contact is read and written
// anew; where it was read a moment ago, the next try finds out.
func (p *push) tagged(ctx context.Context, t *task, held *contact, segment, value string, err error) bool {
	if err == nil {
		t.seen = true
		p.Arrival()
		t.wrote = append(t.wrote, connectors.Field{Record: t.id, Name: tagMark(p.c.tagName(segment)), Value: value})
		return true
	}
	if connectors.ReasonOf(err) != connectors.ReasonNotFound {
		p.Fail(t, err)
		return false
	}
	p.c.tags.forget()
	if held != nil {
		later := *connectors.AsPushError(err)
		later.Retryable = true
		t.End(later.Result())
		return false
	}
	again, err := p.c.get(ctx, t.id)
	switch {
	case err != nil:
		p.Fail(t, err)
	case again == nil:
		p.lost(ctx, t)
	default:
		p.update(ctx, t, again)
	}
	return false
}
