package connectors

import "strings"

// PersonTask is a Task at a vendor that knows a person by an id of its own and
// finds people by e-mail address. A vendor's type embeds it.
type PersonTask struct {
	Task
	Difference // what has to be sent
	// Email without white space around it; empty when unknown.
	Email string
	// ID is the vendor's, empty while not known.
	ID string
	// Seen is set once an answer showed that the person is there.
	Seen bool
	// Wrote is what becomes Result.Written.
	Wrote []Field
}

// NewPersonTask works out what an update needs; the task may be done at once.
// id is Update.VendorID where it has the form of the vendor's ids, else empty;
// unknown are the words for a person of whom neither id nor address is known.
func NewPersonTask(u *Update, id, unknown string) PersonTask {
	t := PersonTask{Task: Task{Update: u}, Email: strings.TrimSpace(u.Email), ID: id}
	if t.Email == "" && t.ID == "" {
		t.End(Result{Outcome: Skipped, Reason: ReasonNoIdentity, Message: unknown})
		return t
	}
	t.Difference = DifferenceOf(&u.Want, u.Known)
	if u.Known != nil && t.Empty() {
		t.End(Result{Outcome: OK, VendorID: t.ID})
	}
	return t
}

// Finish gives the result: what was not ended otherwise has arrived.
func (t *PersonTask) Finish() Result {
	t.End(Result{Outcome: OK})
	r := t.Result()
	r.Written = t.Wrote
	if r.VendorID == "" && t.Seen {
		r.VendorID = t.ID
	}
	return r
}
