package mailchimp

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// skipValidation lets a write through although a required merge field of the
// audience is missing in it; without it every partial update is refused.
const skipValidation = "?skip_merge_validation=true"

// writeMember brings one contact's merge fields, and its existence, to the
// desired state.
func (p *push) writeMember(ctx context.Context, t *task) {
	switch {
	case t.old != "":
		p.follow(ctx, t)
	case t.Update.Known == nil && p.creates(t):
		p.put(ctx, t)
	case t.Fields():
		p.patch(ctx, t)
	}
}

// creates reports whether this push may make the contact. That takes an
// address: an id alone names somebody who must be there already.
func (p *push) creates(t *task) bool { return p.c.cfg.Push.Create && t.email != "" }

// follow moves the contact known under an earlier address to the present one,
// so that the person does not get a second contact. Where that one is gone, or
// the present address has a contact of its own, the present address is written
// with everything, since nothing is known of that record.
func (p *push) follow(ctx context.Context, t *task) {
	fields := p.mergeValues(t)
	var m member
	err := p.c.api.call(ctx, "follow a changed address", http.MethodPatch, p.c.api.list("members", t.old)+skipValidation,
		memberWrite{Email: t.email, MergeFields: fields}, &m)
	if err == nil {
		p.accept(t, fields, m)
		return
	}
	if connectors.ReasonOf(err) != connectors.ReasonNotFound && connectors.ReasonOf(err) != connectors.ReasonConflict {
		p.Fail(t, err)
		return
	}
	switch {
	case !p.wholly(ctx, t):
	case p.creates(t):
		p.put(ctx, t)
	case t.Fields():
		p.patch(ctx, t)
	}
}

// wholly makes a task send everything, since nothing is known of the record it
// has come to write. It reports whether that can be done.
func (p *push) wholly(ctx context.Context, t *task) bool {
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	if err := p.prepareFields(ctx, t); err != nil {
		p.Fail(t, err)
	}
	return !t.Done()
}

// put creates the contact or writes to the one that is there. status_if_new
// has no effect on the latter.
func (p *push) put(ctx context.Context, t *task) {
	fields := p.mergeValues(t)
	var m member
	err := p.c.api.call(ctx, "write a member", http.MethodPut, p.c.api.list("members", t.id)+skipValidation,
		memberWrite{Email: t.email, StatusIfNew: p.c.statusIfNew, MergeFields: fields}, &m)
	if err != nil {
		p.Fail(t, err)
		return
	}
	p.accept(t, fields, m)
}

// patch writes to a contact that should be there. One that has gone since it
// was last seen is made again with everything, where the push may create.
func (p *push) patch(ctx context.Context, t *task) {
	fields := p.mergeValues(t)
	var m member
	err := p.c.api.call(ctx, "update a member", http.MethodPatch, p.c.api.list("members", t.id)+skipValidation,
		memberWrite{MergeFields: fields}, &m)
	switch {
	case err == nil:
		p.accept(t, fields, m)
	case connectors.ReasonOf(err) != connectors.ReasonNotFound:
		p.Fail(t, err)
	case p.creates(t):
		if p.wholly(ctx, t) {
			p.put(ctx, t)
		}
	default:
		t.End(notThere())
	}
}

// mergeValues gives the merge fields of the task as the vendor takes them.
func (p *push) mergeValues(t *task) map[string]any {
	if !t.Fields() {
		return nil
	}
	kinds := p.c.fields.kinds()
	values := make(map[string]any, len(t.Traits)+1)
	for tag, value := range t.Traits {
		values[tag] = fieldValue(kinds[tag], value)
	}
	if t.Stage != "" {
		values[p.c.stageField] = fieldValue(kinds[p.c.stageField], t.Stage)
	}
	return values
}

// accept reads the answer to a write. Mailchimp passes over a value for a
// merge field that it does not have, so the answer is held against what was
// sent.
func (p *push) accept(t *task, sent map[string]any, m member) {
	p.Arrival()
	t.seen = true
	if hashForm.MatchString(m.ID) {
		t.id = m.ID
	}
	t.wrote = p.c.written(cmp.Or(m.Email, t.email), texts(m.MergeFields))
	stage, ours := sent[p.c.stageField]
	if !ours || m.MergeFields == nil {
		return
	}
	held, ok := m.MergeFields[p.c.stageField]
	switch {
	case !ok:
		p.c.fields.forget()
		t.End(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
			Message: "the audience has no merge field " + p.c.stageField,
		})
	case strings.TrimSpace(connectors.ValueText(held)) != strings.TrimSpace(connectors.ValueText(stage)):
		t.End(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonStageRefused,
			Message: "Mailchimp kept another value in " + p.c.stageField + " than the one sent",
		})
	}
}

// texts spells values as an event reports them.
func texts(values map[string]any) map[string]string {
	all := make(map[string]string, len(values))
	for tag, value := range values {
		all[tag] = connectors.ValueText(value)
	}
	return all
}
