package intercom

import (
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	connectors.Task
	connectors.Difference // what has to be sent
	email                 string
	// external is the id that the product knows the person by.
	external string
	id       string
	// seen is set once an answer showed that the contact exists.
	seen  bool
	wrote []connectors.Field
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email), id: u.VendorID}
	for _, key := range u.Keys {
		if key.Namespace == "user" && t.external == "" {
			t.external = key.Value
		}
	}
	if t.id == "" && t.email == "" && t.external == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither an e-mail address nor a user id nor an Intercom id is known"})
		return t
	}
	t.Difference = connectors.DifferenceOf(&u.Want, u.Known)
	if u.Known != nil && !t.writesAttributes() && len(t.Add)+len(t.Remove) == 0 {
		t.End(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

// writesAttributes reports whether the contact itself has to be written.
func (t *task) writesAttributes() bool { return t.Stage != "" || len(t.Traits) > 0 }

// finish gives the result: what was not ended otherwise has arrived.
func (t *task) finish() connectors.Result {
	t.End(connectors.Result{Outcome: connectors.OK})
	r := t.Result()
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
