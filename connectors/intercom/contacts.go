package intercom

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxSame is how many contacts of one address are looked at; leads may share one.
const maxSame = 50

// bring takes one person to the desired state: the contact is found or made,
// then its attributes and its tags are written.
func (p *push) bring(ctx context.Context, t *task) {
	var held *contact
	switch {
	case t.id != "" && t.Update.Known != nil:
		// It was there when it was last written.
	case t.id != "":
		var err error
		if held, err = p.c.get(ctx, t.id); err != nil {
			p.Fail(t, err)
			return
		}
		if held == nil {
			p.lost(ctx, t)
			return
		}
	default:
		var err error
		if held, err = p.c.find(ctx, t.external, t.email); err != nil {
			p.Fail(t, err)
			return
		}
		if held == nil {
			p.create(ctx, t)
			return
		}
	}
	p.update(ctx, t, held)
}

// lost deals with a contact that is no more: somebody else may have the
// person's address or user id by now, of whom nothing is known.
func (p *push) lost(ctx context.Context, t *task) {
	t.id = ""
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	if t.email == "" && t.external == "" {
		t.End(notThere())
		return
	}
	if err := p.prepareAttributes(ctx, t); err != nil {
		p.Fail(t, err)
	}
	if !t.Done() {
		p.bring(ctx, t)
	}
}

// update writes to the contact that is there, what differs only. held is the
// contact where it was read just now, else nil.
func (p *push) update(ctx context.Context, t *task, held *contact) {
	if held != nil {
		t.id, t.seen = held.ID, true
		if t.Stage != "" && connectors.ValueText(held.Attributes[p.c.stageField]) == t.Stage {
			t.Stage = ""
		}
		for name, value := range t.Traits {
			if has, ok := held.Attributes[name]; ok && connectors.ValueText(has) == connectors.ValueText(value) {
				delete(t.Traits, name)
			}
		}
	}
	if values := p.c.values(t); values != nil {
		var answer contact
		err := p.c.api.call(ctx, "update a contact", http.MethodPut, contactPath(t.id), contactWrite{Attributes: values}, &answer)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound && held == nil:
			p.lost(ctx, t)
			return
		case err != nil:
			p.Fail(t, err)
			return
		}
		if !p.accept(t, values, &answer) {
			return
		}
	}
	p.writeTags(ctx, t, held)
}

// accept reads the answer to a write and reports whether it may go on.
func (p *push) accept(t *task, sent map[string]any, answer *contact) bool {
	p.Arrival()
	if answer.ID != "" {
		t.id, t.seen = answer.ID, true
	}
	t.wrote = append(t.wrote, written(answer)...)
	stage, ours := sent[p.c.stageField]
	if !ours || answer.Attributes == nil || connectors.ValueText(answer.Attributes[p.c.stageField]) == connectors.ValueText(stage) {
		return true
	}
	p.c.attributes.forget()
	t.End(connectors.Result{
		Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
		Message: "Intercom did not keep the stage in the data attribute " + p.c.stageField,
	})
	return false
}

// existing finds the contact that a conflict names.
var existing = regexp.MustCompile(`\bid=([0-9A-Za-z]{1,64})`)

// create makes the contact. Intercom's search lags behind, so that one may be
// there all the same: the refusal names it.
func (p *push) create(ctx context.Context, t *task) {
	if !p.c.cfg.Push.Create {
		t.End(notThere())
		return
	}
	values := p.c.values(t)
	in := contactWrite{Role: p.c.roleIfNew, Email: t.email, Attributes: values}
	if in.Role == "user" {
		// A lead may not have one.
		in.ExternalID = t.external
	}
	if in.Email == "" && in.ExternalID == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "a lead needs an e-mail address"})
		return
	}
	var answer contact
	err := p.c.api.call(ctx, "create a contact", http.MethodPost, "/contacts", in, &answer)
	if connectors.ReasonOf(err) == connectors.ReasonConflict {
		p.conflict(ctx, t, connectors.AsPushError(err))
		return
	}
	if err == nil && answer.ID == "" {
		err = &connectors.PushError{Act: "intercom: create a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no contact"}
	}
	if err != nil {
		p.Fail(t, err)
		return
	}
	if p.accept(t, values, &answer) {
		p.writeTags(ctx, t, &answer)
	}
}

// conflict writes to the contact that stood in the way of making one. Whoever
// was archived stays so.
func (p *push) conflict(ctx context.Context, t *task, e *connectors.PushError) {
	named := existing.FindStringSubmatch(e.Message)
	switch {
	case strings.Contains(strings.ToLower(e.Message), "archived"):
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the contact is in Intercom's archive: " + e.Message})
		return
	case named == nil:
		later := *e
		later.Retryable = true
		t.End(later.Result())
		return
	}
	held, err := p.c.get(ctx, named[1])
	switch {
	case err != nil:
		p.Fail(t, err)
	case held == nil:
		later := *e
		later.Retryable = true
		t.End(later.Result())
	default:
		p.update(ctx, t, held)
	}
}

// get reads a contact; nil where there is none of this id.
func (c *Connector) get(ctx context.Context, id string) (*contact, error) {
	var held contact
	err := c.api.call(ctx, "read a contact", http.MethodGet, contactPath(id), nil, &held)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case held.ID == "":
		return nil, &connectors.PushError{Act: "intercom: read a contact", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no contact"}
	}
	return &held, nil
}

// find gives the contact of a user id, else of an address; nil where there is
// none.
func (c *Connector) find(ctx context.Context, external, email string) (*contact, error) {
	if external != "" {
		var held contact
		err := c.api.call(ctx, "find a contact", http.MethodGet, "/contacts/find_by_external_id/"+url.PathEscape(external), nil, &held)
		switch {
		case err == nil && held.ID != "":
			return &held, nil
		case err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound:
			return nil, err
		}
	}
	if email == "" {
		return nil, nil
	}
	all, err := c.withAddress(ctx, email)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// withAddress lists the contacts of an address: users before leads, then the
// one that changed last first.
func (c *Connector) withAddress(ctx context.Context, email string) ([]contact, error) {
	var found contactList
	in := search{Query: filter{"email", "=", email}, Page: page{Size: maxSame}}
	if err := c.api.call(ctx, "find contacts", http.MethodPost, "/contacts/search", in, &found); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(found.Data, func(one contact) bool { return one.ID == "" || !strings.EqualFold(one.Email, email) })
	rank := func(one contact) int {
		if one.Role == "user" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b contact) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.UpdatedAt, a.UpdatedAt), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}
