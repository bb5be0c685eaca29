package crisp

import (
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	connectors.Task
	connectors.Difference // what has to be sent
	email                 string
	id                    string // the profile's, "" while not known
	// held is the profile as just read; nil where that was not needed.
	held *profile
	// seen is set once an answer showed that the profile exists.
	seen bool
	// lost is set once the profile known was not there: nothing is known then.
	lost bool
	// unproved is set where only a cached read could show the write.
	unproved bool
	wrote    []connectors.Field
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email)}
	if idForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	if t.email == "" && t.id == "" {
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Crisp knows people by their profile's id or e-mail address only"})
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
	outcome := connectors.OK
	if t.unproved {
		outcome = connectors.Unconfirmed
	}
	t.End(connectors.Result{Outcome: outcome})
	r := t.Result()
	r.Written = t.wrote
	if r.VendorID == "" && t.seen {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person who has no profile.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the workspace has no such profile, and push.create is off"}
}
