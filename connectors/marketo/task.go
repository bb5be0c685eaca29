package marketo

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// idForm is a person's number at Marketo.
var idForm = regexp.MustCompile(`^[1-9][0-9]{0,17}$`)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string // ASCII as Marketo demands, spelled as it was given
	id    string // the person's number where it is known
	// fields, add and remove are what has to be sent.
	fields      map[string]any // by REST name, our values
	add, remove []string       // segments, where they are lists
	// fresh is set once a record was met that is not the one that Known is
	// about, so that everything was put into fields, add and remove.
	fresh  bool
	wrote  []connectors.Field
	done   bool
	result connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	if idForm.MatchString(u.VendorID) {
		t.id = u.VendorID
	}
	if t.id == "" && t.email == "" {
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Marketo knows people by e-mail address and by its own number only"})
		return t
	}
	if t.id == "" && !addressable(t.email) {
		t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "Marketo takes addresses of ASCII characters only, without commas"})
		return t
	}
	c.need(t, u.Known)
	return t
}

// addressable reports whether Marketo can be asked for an address.
func addressable(email string) bool {
	return email != "" && !strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' })
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	want := t.u.Want
	t.fields, t.add, t.remove = map[string]any{}, nil, nil
	t.fresh = known == nil
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
	if !c.asLists {
		if managed := len(want.Segments)+len(want.Absent) > 0; managed && (t.fresh || !slices.Equal(want.Segments, known.Segments)) {
			t.fields[c.segmentsField] = segmentsText(want.Segments)
		}
		return
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

// segmentsText writes segments so that a filter "contains ;at_risk;" meets
// exactly one of them.
func segmentsText(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return ";" + strings.Join(segments, ";") + ";"
}

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
	if r.Outcome == connectors.OK {
		r.VendorID = t.id
	}
	return r
}

// notThere is the outcome for a person whom the instance does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "Marketo has no such person, and push.create is off"}
}
