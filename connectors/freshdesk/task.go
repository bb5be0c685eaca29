package freshdesk

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	connectors.Task
	connectors.Difference // what has to be sent
	email                 string
	id                    string
	wrote                 []connectors.Field
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email)}
	if digits(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a Freshdesk id is known"})
		return t
	}
	t.Difference = connectors.DifferenceOf(&u.Want, u.Known)
	if u.Known != nil && !t.Fields() && len(t.Add)+len(t.Remove) == 0 {
		t.End(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// settle takes off what the contact turns out to hold already.
func (c *Connector) settle(t *task, one *contact) {
	t.id = one.ID.String()
	if held, _ := c.held(one, c.stageLabel); t.Stage != "" && connectors.ValueText(held) == t.Stage {
		t.Stage = ""
	}
	for label, value := range t.Traits {
		if held, ok := c.held(one, label); ok && connectors.ValueText(held) == connectors.ValueText(value) {
			delete(t.Traits, label)
		}
	}
	t.Add = slices.DeleteFunc(t.Add, func(s string) bool { return one.carries(c.tagName(s)) })
	t.Remove = slices.DeleteFunc(t.Remove, func(s string) bool { return !one.carries(c.tagName(s)) })
}

// tagName is the tag of a segment; Freshdesk parts tags by commas.
func (c *Connector) tagName(segment string) string {
	return c.tagPrefix + strings.ReplaceAll(segment, ",", "_")
}

// tags gives the whole list of tags that a contact is to have, nil where it
// stays as it is. Only names of the managed set come and go.
func (c *Connector) tags(t *task, held []string) *[]string {
	if len(t.Add)+len(t.Remove) == 0 {
		return nil
	}
	all := slices.DeleteFunc(slices.Clone(held), func(tag string) bool {
		return slices.ContainsFunc(t.Remove, func(s string) bool { return strings.EqualFold(tag, c.tagName(s)) })
	})
	for _, s := range t.Add {
		all = append(all, c.tagName(s))
	}
	if all == nil {
		all = []string{}
	}
	return &all
}

// finish gives the result: what was not ended otherwise has arrived.
func (t *task) finish() connectors.Result {
	t.End(connectors.Result{Outcome: connectors.OK})
	r := t.Result()
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
