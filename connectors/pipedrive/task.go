package pipedrive

import "github.com/stagebridge/stagebridge/connectors"

// task is one update on its way.
type task struct {
	connectors.PersonTask
	// held is the person as just read; nil where that was not needed.
	held *person
}

// newTask works out what an update needs; a task may be done at once.
func newTask(u *connectors.Update) *task {
	id := ""
	if numberForm.MatchString(u.VendorID) {
		id = u.VendorID
	}
	return &task{PersonTask: connectors.NewPersonTask(u, id, "Pipedrive knows people by their number or e-mail address only")}
}

// notThere is the outcome for a person whom the company does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Pipedrive has no such person, and push.create is off"}
}
