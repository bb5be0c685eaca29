package crisp

import "github.com/stagebridge/stagebridge/connectors"

// task is one update on its way.
type task struct {
	connectors.PersonTask
	// held is the profile as just read; nil where that was not needed.
	held *profile
	// lost is set once the profile known was not there: nothing is known then.
	lost bool
	// unproved is set where only a cached read could show the write.
	unproved bool
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	id := ""
	if idForm.MatchString(u.VendorID) {
		id = u.VendorID
	}
	return &task{PersonTask: connectors.NewPersonTask(u, id, "Crisp knows people by their profile's id or e-mail address only")}
}

// finish gives the result: what was not ended otherwise has arrived.
func (t *task) finish() connectors.Result {
	if t.unproved {
		t.End(connectors.Result{Outcome: connectors.Unconfirmed})
	}
	return t.Finish()
}

// notThere is the outcome for a person who has no profile.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the workspace has no such profile, and push.create is off"}
}
