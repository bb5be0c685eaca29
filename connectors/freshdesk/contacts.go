package freshdesk

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// bring takes one person to the desired state.
func (p *push) bring(ctx context.Context, t *task) {
	held, err := p.c.find(ctx, t.id, t.email)
	switch {
	case err != nil:
		p.Fail(t, err)
	case held == nil && !p.c.cfg.Push.Create, held == nil && t.email == "":
		t.End(notThere())
	case held == nil:
		p.create(ctx, t)
	case t.id != "" && held.ID.String() != t.id:
		// The contact we knew is no more; of this one nothing is known.
		p.wholly(ctx, t, func() { p.update(ctx, t, held) })
	default:
		p.update(ctx, t, held)
	}
}

// wholly makes a task send everything and goes on where that can be done.
func (p *push) wholly(ctx context.Context, t *task, then func()) {
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	if err := p.prepareFields(ctx, t); err != nil {
		p.Fail(t, err)
	}
	if !t.Done() {
		then()
	}
}

// update writes what differs to the contact that is there.
func (p *push) update(ctx context.Context, t *task, held *contact) {
	p.c.settle(t, held)
	in := contactWrite{Fields: p.c.values(t), Tags: p.c.tags(t, held.Tags)}
	if in.Fields == nil && in.Tags == nil {
		return
	}
	var answer contact
	err := p.c.api.call(ctx, "update a contact", http.MethodPut, contactPath(t.id), in, &answer)
	switch {
	case err != nil && connectors.AsPushError(err).Status == http.StatusMethodNotAllowed:
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the contact is deleted or blocked in Freshdesk"})
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		// Gone since it was read a moment ago; the next try finds out.
		later := *connectors.AsPushError(err)
		later.Retryable = true
		t.End(later.Result())
	case err != nil:
		p.Fail(t, err)
	default:
		p.accept(t, in, held, &answer)
	}
}

// create makes the contact. Where one has the address all the same, a further
// address of its own or one in the bin, the refusal may name it.
func (p *push) create(ctx context.Context, t *task) {
	if t.id != "" {
		t.id = ""
		p.wholly(ctx, t, func() { p.create(ctx, t) })
		return
	}
	name, _, _ := strings.Cut(t.email, "@")
	in := contactWrite{Name: name, Email: t.email, Fields: p.c.values(t)}
	if len(t.Add) > 0 {
		in.Tags = p.c.tags(t, nil)
	}
	answer, err := p.c.api.do(ctx, "create a contact", http.MethodPost, "/contacts", in)
	var made contact
	if err == nil {
		err = answer.JSON("freshdesk: create a contact", &made)
	}
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonConflict:
		p.conflict(ctx, t, connectors.AsPushError(err), duplicateOf(answer))
	case err != nil:
		p.Fail(t, err)
	default:
		p.accept(t, in, nil, &made)
	}
}

// duplicateOf gives the id of the contact that stands in the way; "" where the
// refusal does not name it.
func duplicateOf(a *connectors.Answer) string {
	for _, one := range readProblem(a).Errors {
		if id := one.Additional.UserID.String(); digits(id) {
			return id
		}
	}
	return ""
}

// conflict writes to the contact that stood in the way of making one, if it has
// the person's address and may be written to.
func (p *push) conflict(ctx context.Context, t *task, refusal *connectors.PushError, id string) {
	if id != "" {
		held, err := p.c.find(ctx, id, "")
		if err != nil {
			p.Fail(t, err)
			return
		}
		if held != nil && held.has(t.email) {
			p.update(ctx, t, held)
			return
		}
	}
	t.End(connectors.Result{
		Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor,
		Message: "another contact, deleted or blocked, has the address: " + refusal.Message,
	})
}

// accept holds the answer to a write against what was sent. held is the contact
// as it was read before; nil where it was made.
func (p *push) accept(t *task, sent contactWrite, held, answer *contact) {
	if !digits(answer.ID.String()) {
		p.Fail(t, &connectors.PushError{Act: "freshdesk: write a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no contact"})
		return
	}
	p.Arrival()
	t.id = answer.ID.String()
	if held != nil && p.c.told(held, answer, sent.Fields) {
		t.wrote = []connectors.Field{written(answer)}
	}
	stage, known := p.c.held(answer, p.c.stageLabel)
	if t.Stage != "" && answer.Fields != nil && (!known || connectors.ValueText(stage) != t.Stage) {
		p.c.fields.forget()
		t.End(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: "Freshdesk did not keep the stage in the contact field " + p.c.stageLabel,
		})
		return
	}
	for _, s := range t.Add {
		if answer.Tags != nil && !answer.carries(p.c.tagName(s)) {
			t.End(connectors.Result{
				Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid,
				Message: "Freshdesk did not keep the tag " + p.c.tagName(s),
			})
			return
		}
	}
}

// told reports whether polling has told all that others changed: then the next
// poll shows this contact only because we wrote it. It must have changed last
// before the last poll began, and nobody else may have written between our
// reading and our writing. In doubt the contact is told once more, which does
// no harm.
func (c *Connector) told(before, after *contact, ours map[string]any) bool {
	changed, polled := instant(before.UpdatedAt), c.polled.Load()
	if changed == 0 || polled == 0 || changed.Time().Unix() >= polled-int64(pollOverlap.Seconds()) {
		return false
	}
	strip := func(one *contact) contact {
		rest := *one
		rest.UpdatedAt, rest.Tags, rest.Fields = "", nil, map[string]any{}
		for name, value := range one.Fields {
			if _, written := ours[name]; !written {
				rest.Fields[name] = connectors.ValueText(value)
			}
		}
		return rest
	}
	return reflect.DeepEqual(strip(before), strip(after))
}

// contactPath is the path of a contact, with more of it.
func contactPath(id string, more ...string) string {
	return "/contacts/" + strings.Join(append([]string{url.PathEscape(id)}, more...), "/")
}

// find gives the contact of an id, else of an address; nil where there is none
// that can be written to.
func (c *Connector) find(ctx context.Context, id, email string) (*contact, error) {
	if id != "" {
		var held contact
		err := c.api.call(ctx, "read a contact", http.MethodGet, contactPath(id), nil, &held)
		switch {
		case err == nil && held.ID.String() != id:
			return nil, &connectors.PushError{Act: "freshdesk: read a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer is not the contact asked for"}
		case err == nil && !held.Deleted:
			return &held, nil
		case err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound:
			return nil, err
		}
	}
	if email == "" {
		return nil, nil
	}
	all, err := c.withAddress(ctx, email, "")
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// withAddress lists the contacts of an address: those that can be written to,
// or those in a state (deleted, blocked).
func (c *Connector) withAddress(ctx context.Context, email, state string) ([]contact, error) {
	query := url.Values{"email": {email}}
	if state != "" {
		query.Set("state", state)
	}
	found, _, err := c.api.page(ctx, "find a contact", query, 1)
	if err != nil {
		return nil, err
	}
	var all []contact
	for _, text := range found {
		var one contact
		if err := decode(text, &one); err != nil {
			return nil, &connectors.PushError{Act: "freshdesk: find a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: connectors.Words(err.Error())}
		}
		if digits(one.ID.String()) && one.has(email) && (state != "" || !one.Deleted) {
			all = append(all, one)
		}
	}
	return all, nil
}
