package eloqua

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxTextRunes is what a text field is taken to hold; Oracle's pages give no
// number.
const maxTextRunes = 100

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	id    string // the contact's number; "" where the contact is yet to be made
	// fields, add and remove are what has to be sent.
	fields      map[string]any // by the field's name in the settings
	add, remove []string       // segments
	jobs        []string       // numbers of the syncs that bring it
	done        bool
	result      connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if idForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	switch {
	case t.id == "" && t.email == "":
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Eloqua knows contacts by e-mail address and by its own number only"})
		return t
	case t.id == "" && strings.ContainsAny(t.email, " *\"\\") || !strings.Contains(t.email, "@") && t.id == "":
		t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "the address cannot be one of Eloqua's"})
		return t
	}
	c.need(t, u.Known)
	if len(t.fields)+len(t.add)+len(t.remove) == 0 && u.Known != nil {
		t.end(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	want := t.u.Want
	t.fields, t.add, t.remove = map[string]any{}, nil, nil
	if known == nil {
		known = &connectors.State{}
	}
	if want.Stage != "" && want.Stage != known.Stage {
		t.fields[c.stageField] = want.Stage
	}
	for name, value := range want.Traits {
		held, ok := known.Traits[name]
		if !ok || connectors.ValueText(held) != connectors.ValueText(value) {
			t.fields[name] = value
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

// key is the column that names the task's contact, and its value.
func (t *task) key() (column, value string) {
	if t.id != "" {
		return columnID, t.id
	}
	return columnEmail, t.email
}

// columns lists the fields to be written, sorted.
func (t *task) columns() []string { return slices.Sorted(maps.Keys(t.fields)) }

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// finish gives the result: what was not ended otherwise is on its way.
func (t *task) finish() connectors.Result {
	if len(t.jobs) > 0 {
		t.end(connectors.Result{Outcome: connectors.Submitted, Job: strings.Join(t.jobs, ",")})
	}
	t.end(connectors.Result{Outcome: connectors.OK})
	r := t.result
	if r.Outcome == connectors.OK || r.Outcome == connectors.Submitted {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person whom the instance does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Eloqua has no such contact, and push.create is off"}
}

// shortText spells a value as a text field takes it.
func shortText(value any) string {
	text := connectors.ValueText(value)
	if runes := []rune(text); len(runes) > maxTextRunes {
		return string(runes[:maxTextRunes])
	}
	return text
}
