package zendesk

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	connectors.Task
	// Difference is what has to be sent; traits by key of the user field, and
	// Add and Remove hold tags.
	connectors.Difference
	email string
	id    string
	// user is what Zendesk holds, once it was read.
	user  *user
	wrote []connectors.Field
	job   string
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email)}
	if digits(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a Zendesk id is known"})
		return t
	}
	c.need(t, u.Known)
	if t.Empty() && u.Known != nil {
		t.End(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	t.Difference = connectors.DifferenceOf(&t.Update.Want, known)
	for i, s := range t.Add {
		t.Add[i] = c.tagName(s)
	}
	var remove []string
	for _, s := range t.Remove {
		// Two names may give one tag; being in one of them decides.
		tag := c.tagName(s)
		if !slices.ContainsFunc(t.Update.Want.Segments, func(in string) bool { return c.tagName(in) == tag }) {
			remove = append(remove, tag)
		}
	}
	t.Remove = remove
}

// settle takes off what the user turns out to hold already.
func (c *Connector) settle(t *task, u *user) {
	t.user, t.id = u, u.ID.String()
	if t.Stage != "" && connectors.ValueText(u.Fields[c.stageField]) == t.Stage {
		t.Stage = ""
	}
	for key, value := range t.Traits {
		if held, ok := u.Fields[key]; ok && connectors.ValueText(held) == connectors.ValueText(value) {
			delete(t.Traits, key)
		}
	}
	t.Add = slices.DeleteFunc(t.Add, func(tag string) bool { return slices.Contains(u.Tags, tag) })
	t.Remove = slices.DeleteFunc(t.Remove, func(tag string) bool { return !slices.Contains(u.Tags, tag) })
}

// tagName is the tag of a segment. Tags are lower case; what is neither a
// letter, a digit nor one of _-:/ becomes an underscore.
func (c *Connector) tagName(segment string) string {
	return c.tagPrefix + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("_-:/", r), r > 0x7f:
			return r
		}
		return '_'
	}, strings.ToLower(segment))
}

// values gives the user fields of the task as the vendor takes them.
func (c *Connector) values(t *task) map[string]any {
	if !t.Fields() {
		return nil
	}
	all := make(map[string]any, len(t.Traits)+1)
	for key, value := range t.Traits {
		all[key] = fieldValue(value)
	}
	if t.Stage != "" {
		all[c.stageField] = t.Stage
	}
	return all
}

// noteWritten lists the user fields of a write as Zendesk's events report them.
func (c *Connector) noteWritten(t *task, values map[string]any) {
	for _, key := range sortedKeys(values) {
		if id := c.fields.id(key); id != "" {
			t.wrote = append(t.wrote, connectors.Field{Record: t.id, Name: fieldMark(id), Value: connectors.ValueText(values[key])})
		}
	}
}

// finish gives the result: what was not ended otherwise has arrived, or waits
// for its job.
func (t *task) finish() connectors.Result {
	if t.job != "" {
		t.End(connectors.Result{Outcome: connectors.Submitted, Job: t.job, Delay: jobPause})
	}
	t.End(connectors.Result{Outcome: connectors.OK})
	r := t.Result()
	r.Written = t.wrote
	if r.VendorID == "" && t.user != nil {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person whom the account does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Zendesk has no such user, and push.create is off"}
}

// fieldValue is a trait as a user field takes it: numbers and yes or no as
// they are, for fields of those types; everything else as text.
func fieldValue(value any) any {
	switch value.(type) {
	case nil, bool, int64, float64, json.Number:
		return value
	}
	return connectors.ValueText(value)
}
