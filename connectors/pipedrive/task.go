package pipedrive

import (
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	connectors.Task
	connectors.Difference // what has to be sent
	email                 string
	id                    string // the person's, "" while not known
	// held is the person as just read; nil where that was not needed.
	held *person
	// seen is set once an answer showed that the person exists.
	seen  bool
	wrote []connectors.Field
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email)}
	if numberForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	if t.email == "" && t.id == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Pipedrive knows people by their number or e-mail address only"})
		return t
	}
	t.Difference = connectors.DifferenceOf(&u.Want, u.Known)
	if u.Known != nil && t.Empty() {
		t.End(connectors.Result{Outcome: connectors.OK, VendorID: t.id})
	}
	return t
}

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

// notThere is the outcome for a person whom the company does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Pipedrive has no such person, and push.create is off"}
}
