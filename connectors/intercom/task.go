package intercom

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	// external is the id that the product knows the person by.
	external string
	id       string
	// stage, fields, add and remove are what has to be sent.
	stage       string
	fields      map[string]any // by attribute, our values
	add, remove []string       // segments
	// seen is set once an answer showed that the contact exists.
	seen   bool
	wrote  []connectors.Field
	done   bool
	result connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email), id: u.VendorID}
	for _, key := range u.Keys {
		if key.Namespace == "user" && t.external == "" {
			t.external = key.Value
		}
	}
	if t.id == "" && t.email == "" && t.external == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a user id nor an Intercom id is known"})
		return t
	}
	t.need(u.Known)
	if u.Known != nil && !t.writesAttributes() && len(t.add)+len(t.remove) == 0 {
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
	for name, value := range want.Traits {
		held, ok := known.Traits[name]
		if !ok || fieldText(held) != fieldText(value) {
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

// writesAttributes reports whether the contact itself has to be written.
func (t *task) writesAttributes() bool { return t.stage != "" || len(t.fields) > 0 }

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
	if r.VendorID == "" && t.seen {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person whom the workspace does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Intercom has no such contact, and push.create is off"}
}
