package mailchimp

import (
	"crypto/md5"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// hashForm is the id of a member in the API: the hex MD5 of the lower-cased
// address. A webhook's data[id] is shorter and is not one.
var hashForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// normalEmail is the spelling that Mailchimp's member ids are made from.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// memberID is the API's id of an address.
func memberID(email string) string {
	sum := md5.Sum([]byte(normalEmail(email)))
	return hex.EncodeToString(sum[:])
}

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	// id addresses the member: the hash of the address, or the id learned
	// earlier where no address is known.
	id string
	// old is the id learned earlier, where the address has changed since.
	old string
	// stage, fields, add and remove are what has to be sent.
	stage       string
	fields      map[string]any // by merge tag, our values
	add, remove []string       // segments
	// seen is set once an answer showed that the member exists.
	seen   bool
	wrote  []connectors.Field
	done   bool
	result connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.TrimSpace(u.Email)}
	learned := ""
	if hashForm.MatchString(u.VendorID) {
		learned = u.VendorID
	}
	switch {
	case t.email == "" && learned == "":
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Mailchimp knows people by e-mail address only"})
		return t
	case t.email == "":
		t.id = learned
	default:
		t.id = memberID(t.email)
		if learned != "" && learned != t.id {
			t.old = learned
		}
	}
	t.need(u.Known)
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
	for tag, value := range want.Traits {
		held, ok := known.Traits[tag]
		if !ok || fieldText(held) != fieldText(value) {
			t.fields[tag] = value
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

// writesFields reports whether the member itself has to be written.
func (t *task) writesFields() bool { return t.stage != "" || len(t.fields) > 0 }

// writesTags reports whether tags have to be written.
func (t *task) writesTags() bool { return len(t.add)+len(t.remove) > 0 }

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

// notThere is the outcome for a person whom the audience does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the audience has no such contact, and push.create is off"}
}
