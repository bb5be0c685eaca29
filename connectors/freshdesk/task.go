package freshdesk

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	id    string
	// stage, fields, add and remove are what has to be sent.
	stage       string
	fields      map[string]any // by label, our values
	add, remove []string       // segments
	wrote       []connectors.Field
	done        bool
	result      connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if digits(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a Freshdesk id is known"})
		return t
	}
	t.need(u.Known)
	if u.Known != nil && !t.writesFields() && len(t.add)+len(t.remove) == 0 {
		t.end(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (t *task) need(known *connectors.State) {
	want := t.u.Want
	t.stage, t.fields, t.add, t.remove = "", map[string]any{}, nil, nil
	if known == nil {
		known = &connectors.State{}
	}
	if want.Stage != known.Stage {
		t.stage = want.Stage
	}
	for label, value := range want.Traits {
		held, ok := known.Traits[label]
		if !ok || fieldText(held) != fieldText(value) {
			t.fields[label] = value
		}
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			t.add = append(t.add, s)
		}
	}
	for _, s := range want.Absent {
		if !slices.Contains(known.Absent, s) {
			t.remove = append(t.remove, s)
		}
	}
}

// settle takes off what the contact turns out to hold already.
func (c *Connector) settle(t *task, one *contact) {
	t.id = one.ID.String()
	if held, _ := c.held(one, c.stageLabel); t.stage != "" && fieldText(held) == t.stage {
		t.stage = ""
	}
	for label, value := range t.fields {
		if held, ok := c.held(one, label); ok && fieldText(held) == fieldText(value) {
			delete(t.fields, label)
		}
	}
	t.add = slices.DeleteFunc(t.add, func(s string) bool { return one.carries(c.tagName(s)) })
	t.remove = slices.DeleteFunc(t.remove, func(s string) bool { return !one.carries(c.tagName(s)) })
}

// writesFields reports whether contact fields have to be written.
func (t *task) writesFields() bool { return t.stage != "" || len(t.fields) > 0 }

// tagName is the tag of a segment; Freshdesk parts tags by commas.
func (c *Connector) tagName(segment string) string {
	return c.tagPrefix + strings.ReplaceAll(segment, ",", "_")
}

// tags gives the whole list of tags that a contact is to have, nil where it
// stays as it is. Only names of the managed set come and go.
func (c *Connector) tags(t *task, held []string) *[]string {
	if len(t.add)+len(t.remove) == 0 {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(held), func(tag string) bool {
		return slices.ContainsFunc(t.remove, func(s string) bool { return strings.EqualFold(tag, c.tagName(s)) })
	})
	for _, s := range t.add {
		all = append(all, c.tagName(s))
	}
	if all == nil {
		all = []string{}
	}
	return &all
}

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// finish gives the result: what was not ended otherwise has arrived.
func (t *task) finish() connectors.Result {
	t.end(connectors.Result{Outcome: connectors.OK})
	r := t.result
	r.Written = t.wrote
	if r.VendorID == "" && r.Outcome == connectors.OK {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person whom the account does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Freshdesk has no such contact, and push.create is off"}
}
