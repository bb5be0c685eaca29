package mailchimp

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSegmentPeople is how many addresses one call adds, and how many it removes.
const maxSegmentPeople = 500

// segmentPage and maxSegmentPages bound the listing of an audience's tags.
const (
	segmentPage     = 1000
	maxSegmentPages = 20
)

// tagSegments knows the static segments that tags are, by name in lower case:
// Mailchimp may change the case of a tag.
type tagSegments struct {
	api *api

	mu  sync.Mutex
	ids map[string]int64 // nil: not read yet
}

// find gives the id for each of the names that exist, making those in create.
func (s *tagSegments) find(ctx context.Context, names, create []string) (map[string]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.all(names) {
		ids, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		s.ids = ids
	}
	for _, name := range create {
		if _, ok := s.ids[strings.ToLower(name)]; ok {
			continue
		}
		var made segment
		err := s.api.call(ctx, "create a tag", http.MethodPost, s.api.list("segments"), segmentCreate{Name: name, Static: []string{}}, &made)
		if err != nil {
			return nil, err
		}
		s.ids[strings.ToLower(name)] = made.ID
	}
	found := map[string]int64{}
	for _, name := range names {
		if id := s.ids[strings.ToLower(name)]; id != 0 {
			found[name] = id
		}
	}
	return found, nil
}

func (s *tagSegments) all(names []string) bool {
	for _, name := range names {
		if _, ok := s.ids[strings.ToLower(name)]; !ok {
			return false
		}
	}
	return true
}

func (s *tagSegments) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = nil
}

func (s *tagSegments) read(ctx context.Context) (map[string]int64, error) {
	ids := map[string]int64{}
	for page := range maxSegmentPages {
		var answer struct {
			Segments []segment `json:"segments"`
		}
		path := fmt.Sprintf("%s?type=static&count=%d&offset=%d&fields=segments.id,segments.name", s.api.list("segments"), segmentPage, page*segmentPage)
		if err := s.api.call(ctx, "list tags", http.MethodGet, path, nil, &answer); err != nil {
			return nil, err
		}
		for _, seg := range answer.Segments {
			ids[strings.ToLower(seg.Name)] = seg.ID
		}
		if len(answer.Segments) < segmentPage {
			break
		}
	}
	return ids, nil
}

// tagChange is what one tag's call does.
type tagChange struct {
	id          int64
	add, remove []*task
}

// writeTagsInBulk writes tag by tag instead of person by person and gives back
// the people whom that did not settle; they are to be written one by one.
func (p *push) writeTagsInBulk(ctx context.Context, tasks []*task) (rest []*task) {
	if len(tasks) == 0 {
		return nil
	}
	changes, err := p.tagChanges(ctx, tasks)
	if err != nil {
		e := failure(err)
		p.note(e)
		if !e.Retryable {
			return tasks
		}
		for _, t := range tasks {
			t.end(resultOf(e))
		}
		return nil
	}
	unsettled := map[*task]bool{}
	for _, change := range changes {
		p.writeTag(ctx, change, unsettled)
	}
	for _, t := range tasks {
		if unsettled[t] && !t.done {
			rest = append(rest, t)
		}
	}
	return rest
}

// tagChanges turns the tasks' wishes round. A tag that does not exist yet is
// made if somebody is to get it; to be taken off, it need not exist.
func (p *push) tagChanges(ctx context.Context, tasks []*task) ([]*tagChange, error) {
	byName := map[string]*tagChange{}
	named := func(s string) *tagChange {
		name := p.c.tagName(s)
		if byName[name] == nil {
			byName[name] = &tagChange{}
		}
		return byName[name]
	}
	for _, t := range tasks {
		for _, s := range t.add {
			named(s).add = append(named(s).add, t)
		}
		for _, s := range t.remove {
			named(s).remove = append(named(s).remove, t)
		}
	}
	names := slices.Sorted(maps.Keys(byName))
	create := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(byName[name].add) == 0 })
	ids, err := p.c.tags.find(ctx, names, create)
	if err != nil {
		return nil, err
	}
	var changes []*tagChange
	for _, name := range names {
		if id, ok := ids[name]; ok {
			byName[name].id = id
			changes = append(changes, byName[name])
		}
	}
	return changes, nil
}

// writeTag makes the calls of one tag, as many as its people need.
func (p *push) writeTag(ctx context.Context, change *tagChange, unsettled map[*task]bool) {
	for len(change.add)+len(change.remove) > 0 {
		add, remove := cut(&change.add), cut(&change.remove)
		people := slices.Concat(add, remove)
		if p.stopped() {
			for _, t := range people {
				t.end(notAttempted(p.away))
			}
			continue
		}
		var answer segmentAnswer
		err := p.c.api.call(ctx, "write a tag", http.MethodPost, p.c.api.list("segments", strconv.FormatInt(change.id, 10)),
			segmentWrite{Add: emails(add), Remove: emails(remove)}, &answer)
		if err == nil {
			p.arrival()
			settle(people, answer, unsettled)
			continue
		}
		e := failure(err)
		p.note(e)
		if e.Reason == connectors.ReasonNotFound {
			p.c.tags.forget()
		}
		for _, t := range people {
			if e.Retryable {
				t.end(resultOf(e))
			}
			unsettled[t] = true
		}
	}
}

// settle reads the answer. Addresses that the audience does not hold are passed
// over without a word, so a person whom nothing in this push has shown to be
// there, and whom the answer does not name, is written once more by themself.
func settle(people []*task, answer segmentAnswer, unsettled map[*task]bool) {
	named := map[string]bool{}
	for _, m := range slices.Concat(answer.Added, answer.Removed) {
		named[normalEmail(m.Email)] = true
	}
	refused := map[string]bool{}
	for _, e := range answer.Errors {
		for _, email := range e.Emails {
			refused[normalEmail(email)] = true
		}
	}
	for _, t := range people {
		email := normalEmail(t.email)
		switch {
		case refused[email]:
			unsettled[t] = true
		case named[email]:
			t.seen = true
		case !t.seen:
			unsettled[t] = true
		}
	}
}

// cut takes at most one call's worth off the front.
func cut(tasks *[]*task) []*task {
	n := min(maxSegmentPeople, len(*tasks))
	front := (*tasks)[:n]
	*tasks = (*tasks)[n:]
	return front
}

func emails(tasks []*task) []string {
	all := make([]string, len(tasks))
	for i, t := range tasks {
		all[i] = t.email
	}
	return all
}
