package mailchimp

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSegmentPeople is how many addresses one call adds, and how many it removes.
const maxSegmentPeople = 500

// tagChange is what one tag's call does.
type tagChange struct {
	segment     string
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
		e := connectors.AsPushError(err)
		p.Note(e)
		if !e.Retryable {
			return tasks
		}
		for _, t := range tasks {
			t.End(connectors.PersonResult(e))
		}
		return nil
	}
	unsettled := map[*task]bool{}
	for _, change := range changes {
		p.writeTag(ctx, change, unsettled)
	}
	for _, t := range tasks {
		if unsettled[t] && !t.Done() {
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
			byName[name] = &tagChange{segment: s}
		}
		return byName[name]
	}
	for _, t := range tasks {
		for _, s := range t.Add {
			named(s).add = append(named(s).add, t)
		}
		for _, s := range t.Remove {
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
		if away := p.Stopped(); away != nil {
			for _, t := range people {
				t.End(connectors.NotAttempted(away))
			}
			continue
		}
		var answer segmentAnswer
		err := p.c.api.call(ctx, "write a tag", http.MethodPost, p.c.api.list("segments", strconv.FormatInt(change.id, 10)),
			segmentWrite{Add: emails(add), Remove: emails(remove)}, &answer)
		if err == nil {
			p.Arrival()
			change.settle(add, remove, answer, unsettled)
			continue
		}
		e := connectors.AsPushError(err)
		p.Note(e)
		if e.Reason == connectors.ReasonNotFound {
			p.c.tags.forget()
		}
		for _, t := range people {
			if e.Retryable {
				t.End(connectors.PersonResult(e))
			}
			unsettled[t] = true
		}
	}
}

// settle reads the answer, which names those whom the call changed. Addresses
// are passed over without a word where the audience does not hold them, so
// whoever should have been changed and is not named is written once more
// singly, where the answer is definite.
func (c *tagChange) settle(add, remove []*task, answer segmentAnswer, unsettled map[*task]bool) {
	named := map[string]bool{}
	for _, m := range slices.Concat(answer.Added, answer.Removed) {
		named[normalEmail(m.Email)] = true
	}
	for _, e := range answer.Errors {
		for _, email := range e.Emails {
			delete(named, normalEmail(email))
		}
	}
	for _, t := range add {
		if named[normalEmail(t.email)] {
			t.seen = true
		} else {
			unsettled[t] = true
		}
	}
	for _, t := range remove {
		held := t.Update.Known != nil && slices.Contains(t.Update.Known.Segments, c.segment)
		switch {
		case named[normalEmail(t.email)]:
			t.seen = true
		case held || !t.seen:
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
