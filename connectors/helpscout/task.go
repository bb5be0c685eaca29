package helpscout

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	id    string // the customer's, "" while not known
	// held is the customer as just read; nil where that was not needed.
	held *customer
	// stage, fields, add and remove are what has to be sent.
	stage       string
	fields      map[string]any // by slug
	add, remove []string       // segments
	// seen is set once an answer showed that the customer exists.
	seen   bool
	wrote  []connectors.Field
	done   bool
	result connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if numberForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	if t.email == "" && t.id == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Help Scout knows people by their number or e-mail address only"})
		return t
	}
	t.need(u.Known)
	if u.Known != nil && !t.writes() {
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
		if held, ok := known.Traits[name]; !ok || plainText(held) != plainText(value) {
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

func (t *task) writes() bool { return t.stage != "" || len(t.fields) > 0 || t.writesSegments() }

func (t *task) writesSegments() bool { return len(t.add)+len(t.remove) > 0 }

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

// notThere is the outcome for a person who is no customer there.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Help Scout has no such customer, and push.create is off"}
}
