package mailchimp

import (
	"crypto/md5"
	"encoding/hex"
	"regexp"
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
	connectors.Task
	// Difference is what has to be sent; traits by merge tag.
	connectors.Difference
	email string
	// id addresses the member: the hash of the address, or the id learned
	// earlier where no address is known.
	id string
	// old is the id learned earlier, where the address has changed since.
	old string
	// seen is set once an answer showed that the member exists.
	seen  bool
	wrote []connectors.Field
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{Task: connectors.Task{Update: u}, email: strings.TrimSpace(u.Email)}
	learned := ""
	if hashForm.MatchString(u.VendorID) {
		learned = u.VendorID
	}
	switch {
	case t.email == "" && learned == "":
		t.End(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Mailchimp knows people by e-mail address only"})
		return t
	case t.email == "":
		t.id = learned
	default:
		t.id = memberID(t.email)
		if learned != "" && learned != t.id {
			t.old = learned
		}
	}
	t.Difference = connectors.DifferenceOf(&u.Want, u.Known)
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

// notThere is the outcome for a person whom the audience does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the audience has no such contact, and push.create is off"}
}
