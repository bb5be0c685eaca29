package sendgrid

import (
	"regexp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// idForm is the id of a contact.
var idForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// maxEmailBytes is the longest address a search takes.
const maxEmailBytes = 100

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	// custom and own are what has to be sent: custom fields by name, and
	// SendGrid's own fields.
	custom, own map[string]any
	// contact is the one at SendGrid; nil: there is none yet.
	contact *contact
	// body is the contact of the request.
	body   map[string]any
	done   bool
	result connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: strings.ToLower(strings.TrimSpace(u.Email))}
	if len(t.email) > maxEmailBytes {
		t.email = ""
	}
	c.need(t, u.Known)
	switch {
	case len(t.custom)+len(t.own) == 0:
		t.end(connectors.Result{Outcome: connectors.OK})
	case t.email == "" && !idForm.MatchString(u.VendorID):
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "SendGrid finds people by e-mail address, and none is known that it takes"})
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (c *Connector) need(t *task, known *connectors.State) {
	if known == nil {
		known = &connectors.State{}
	}
	want := t.u.Want
	t.custom, t.own = map[string]any{}, map[string]any{}
	if want.Stage != "" && want.Stage != known.Stage {
		t.custom[c.stage] = want.Stage
		if want.Since != 0 {
			t.custom[c.stage+stageTimeAfter] = want.Since
		}
	}
	missing := func(names, held []string) bool {
		return slices.ContainsFunc(names, func(s string) bool { return !slices.Contains(held, s) })
	}
	if missing(want.Segments, known.Segments) || missing(want.Absent, known.Absent) {
		t.custom[c.segments] = segmentText(want.Segments)
	}
	for name, value := range want.Traits {
		held, ok := known.Traits[name]
		switch {
		case ok && textOf(held) == textOf(value):
		case ownField(name):
			t.own[name] = cutRunes(textOf(value), ownFields()[name])
		default:
			t.custom[name] = value
		}
	}
}

// segmentText puts the names between commas, so that a search for ,name, finds
// exactly that one.
func segmentText(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "," + strings.Join(names, ",") + ","
}

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// write makes the request's contact.
func (c *Connector) write(t *task, definitions map[string]fieldDefinition) {
	t.body = map[string]any{"email": t.email}
	if t.contact != nil {
		t.body = t.contact.identifiers()
	}
	for name, value := range t.own {
		t.body[name] = value
	}
	custom := map[string]any{}
	for name, value := range t.custom {
		d := definitions[name]
		fit, ok := valueFor(d.Type, value)
		switch {
		case !ok:
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "the custom field " + name + " is of type " + d.Type + ", which the value is not"})
		case name == c.segments && fit != value:
			// A name cut in two would be another segment.
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, Message: "the names of the segments together are longer than a custom field holds"})
		}
		custom[d.ID] = fit
	}
	if len(custom) > 0 {
		t.body["custom_fields"] = custom
	}
}

// finish gives the result of a task that has one.
func (t *task) finish() connectors.Result {
	r := t.result
	if r.VendorID == "" && t.contact != nil && (r.Outcome == connectors.OK || r.Outcome == connectors.Submitted) {
		r.VendorID = t.contact.ID
	}
	return r
}

// notThere is the outcome for a person whom SendGrid does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "there is no such contact, and push.create is off or no address is known"}
}
