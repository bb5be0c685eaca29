package mailchimp

import (
	"context"
	"net/http"

	"github.com/stagebridge/stagebridge/connectors"
)

// tagName is the tag of a segment.
func (c *Connector) tagName(segment string) string { return c.tagPrefix + segment }

// writeTags sets and removes the tags of every person whose member is in
// order. Only the names of the managed set are ever named.
func (p *push) writeTags(ctx context.Context) {
	var single, many []*task
	for _, t := range p.Open() {
		switch {
		case !t.Segments():
		case t.email == "":
			single = append(single, t)
		default:
			many = append(many, t)
		}
	}
	if names := tagNames(many); p.c.syncing || len(names) >= len(many) {
		// is_syncing exists only in the call for one person.
		single, many = append(single, many...), nil
	}
	single = append(single, p.writeTagsInBulk(ctx, many)...)
	p.Each(single, func(t *task) { p.writeTagsOf(ctx, t) })
}

// tagNames lists the segments that the tasks name, each once.
func tagNames(tasks []*task) map[string]bool {
	names := map[string]bool{}
	for _, t := range tasks {
		for _, s := range t.Add {
			names[s] = true
		}
		for _, s := range t.Remove {
			names[s] = true
		}
	}
	return names
}

// writeTagsOf writes one person's tags. Unknown tags are created; a tag that
// is not named stays as it is.
func (p *push) writeTagsOf(ctx context.Context, t *task) {
	err := p.sendTags(ctx, t)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound && p.creates(t) && !t.seen {
		if p.wholly(ctx, t) {
			p.put(ctx, t)
		}
		if t.Done() {
			return
		}
		err = p.sendTags(ctx, t)
	}
	switch {
	case err == nil:
		t.seen = true
		p.Arrival()
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		t.End(notThere())
	default:
		p.Fail(t, err)
	}
}

func (p *push) sendTags(ctx context.Context, t *task) error {
	w := tagsWrite{Syncing: p.c.syncing}
	for _, s := range t.Add {
		w.Tags = append(w.Tags, tagState{Name: p.c.tagName(s), Status: "active"})
	}
	for _, s := range t.Remove {
		w.Tags = append(w.Tags, tagState{Name: p.c.tagName(s), Status: "inactive"})
	}
	if len(w.Tags) == 0 {
		return nil
	}
	return p.c.api.call(ctx, "write a member's tags", http.MethodPost, p.c.api.list("members", t.id, "tags"), w, nil)
}
