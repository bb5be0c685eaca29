package zendesk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	id    string
	// user is what Zendesk holds, once it was read.
	user *user
	// stage, fields, add and remove are what has to be sent.
	stage       string
	fields      map[string]any // by key of the user field, our values
	add, remove []string       // tags
	wrote       []connectors.Field
	job         string
	done        bool
	result      connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if digits(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a Zendesk id is known"})
		return t
	}
	c.need(t, u.Known)
	if !t.writes() && u.Known != nil {
		t.end(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	want := t.u.Want
	t.stage, t.fields, t.add, t.remove = "", map[string]any{}, nil, nil
	if known == nil {
		known = &connectors.State{}
	}
	if want.Stage != known.Stage {
		t.stage = want.Stage
	}
	for key, value := range want.Traits {
		held, ok := known.Traits[key]
		if !ok || fieldText(held) != fieldText(value) {
			t.fields[key] = value
		}
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			t.add = append(t.add, c.tagName(s))
		}
	}
	for _, s := range want.Absent {
		// Two names may give one tag; being in one of them decides.
		tag := c.tagName(s)
		held := slices.ContainsFunc(want.Segments, func(in string) bool { return c.tagName(in) == tag })
		if !held && !slices.Contains(known.Absent, s) {
			t.remove = append(t.remove, tag)
		}
	}
}

// settle takes off what the user turns out to hold already.
func (c *Connector) settle(t *task, u *user) {
	t.user, t.id = u, u.ID.String()
	if t.stage != "" && fieldText(u.Fields[c.stageField]) == t.stage {
		t.stage = ""
	}
	for key, value := range t.fields {
		if held, ok := u.Fields[key]; ok && fieldText(held) == fieldText(value) {
			delete(t.fields, key)
		}
	}
	t.add = slices.DeleteFunc(t.add, func(tag string) bool { return slices.Contains(u.Tags, tag) })
	t.remove = slices.DeleteFunc(t.remove, func(tag string) bool { return !slices.Contains(u.Tags, tag) })
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

// writesFields reports whether the user itself has to be written.
func (t *task) writesFields() bool { return t.stage != "" || len(t.fields) > 0 }

func (t *task) writes() bool { return t.writesFields() || len(t.add)+len(t.remove) > 0 }

// values gives the user fields of the task as the vendor takes them.
func (c *Connector) values(t *task) map[string]any {
	if !t.writesFields() {
		return nil
	}
	all := make(map[string]any, len(t.fields)+1)
	for key, value := range t.fields {
		all[key] = fieldValue(value)
	}
	if t.stage != "" {
		all[c.stageField] = t.stage
	}
	return all
}

// noteWritten lists the user fields of a write as Zendesk's events report them.
func (c *Connector) noteWritten(t *task, values map[string]any) {
	for _, key := range sortedKeys(values) {
		if id := c.fields.id(key); id != "" {
			t.wrote = append(t.wrote, connectors.Field{Record: t.id, Name: fieldMark(id), Value: fieldText(values[key])})
		}
	}
}

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// finish gives the result: what was not ended otherwise has arrived, or waits
// for its job.
func (t *task) finish() connectors.Result {
	if t.job != "" {
		t.end(connectors.Result{Outcome: connectors.Submitted, Job: t.job, Delay: jobPause})
	}
	t.end(connectors.Result{Outcome: connectors.OK})
	r := t.result
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
	return fieldText(value)
}

// fieldText spells a value as text, valid UTF-8.
func fieldText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = fieldText(part)
		}
		return strings.Join(parts, ", ")
	}
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(b)
}
