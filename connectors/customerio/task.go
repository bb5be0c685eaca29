package customerio

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxValueBytes is the longest text an attribute holds; longer ones are
// refused with the whole person.
const maxValueBytes = 1000

// identifier is one way to name a person to Customer.io.
type identifier struct{ kind, value string }

// identifiersOf lists how an update's person can be named, best first: the
// vendor's own id, which survives a change of address, then what the workspace
// identifies people by.
func (c *Connector) identifiersOf(u *connectors.Update) []identifier {
	var all []identifier
	add := func(kind, value string) {
		if value = strings.TrimSpace(value); value != "" && len(value) <= maxNameBytes {
			all = append(all, identifier{kind, value})
		}
	}
	add(kindCIO, u.VendorID)
	if c.identifyBy == kindEmail {
		add(kindEmail, strings.ToLower(u.Email))
	}
	for _, k := range u.Keys {
		if k.Namespace == lifecycle.NamespaceUser {
			add(kindID, k.Value)
			break
		}
	}
	return all
}

// task is one update on its way.
type task struct {
	u   *connectors.Update
	ids []identifier
	// by names the person in the request.
	by identifier
	// attributes is what has to be sent.
	attributes map[string]any
	// updateOnly keeps the request from making a person.
	updateOnly bool
	// proved is set when it is known that the person is there or will be made.
	proved   bool
	vendorID string
	done     bool
	result   connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, ids: c.identifiersOf(u), attributes: c.needed(u, u.Known), vendorID: u.VendorID}
	switch {
	case len(t.attributes) == 0:
		t.end(connectors.Result{Outcome: connectors.OK})
	case len(t.ids) == 0:
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "the workspace knows people by " + c.identifyBy + ", and none is known of this person"})
	default:
		t.by = t.ids[0]
		// Without a look-up nobody whom it held is made again with a part of what
		// belongs to them: a full push does that.
		t.updateOnly = !c.cfg.Push.Create || u.Known != nil
		t.proved = c.cfg.Push.Create || u.Known != nil && u.VendorID != ""
	}
	return t
}

// needed lists the attributes that differ from what the vendor is known to
// hold; all of them where that is not known.
func (c *Connector) needed(u *connectors.Update, known *connectors.State) map[string]any {
	if known == nil {
		known = &connectors.State{}
	}
	attributes := map[string]any{}
	if u.Want.Stage != known.Stage && u.Want.Stage != "" {
		attributes[c.stage] = valueOf(u.Want.Stage)
		if u.Want.Since != 0 {
			attributes[c.stage+stageTimeAfter] = u.Want.Since.Time().Unix()
		}
	}
	for _, s := range u.Want.Segments {
		if !slices.Contains(known.Segments, s) {
			attributes[c.prefix+s] = true
		}
	}
	for _, s := range u.Want.Absent {
		if !slices.Contains(known.Absent, s) {
			attributes[c.prefix+s] = false
		}
	}
	for name, value := range u.Want.Traits {
		held, ok := known.Traits[name]
		if !ok || textOf(held) != textOf(value) {
			attributes[name] = valueOf(value)
		}
	}
	return attributes
}

// found is what a look-up says about the task's person; nil: not there.
func (c *Connector) found(t *task, p *person) {
	if p != nil {
		t.proved, t.updateOnly = true, true
		if t.u.VendorID != "" && p.Identifiers.CIO != "" && p.Identifiers.CIO != t.u.VendorID {
			// Another record than the one that something is known of.
			t.attributes = c.needed(t.u, nil)
		}
		if p.Identifiers.CIO != "" {
			t.by, t.vendorID = identifier{kindCIO, p.Identifiers.CIO}, p.Identifiers.CIO
		}
		return
	}
	i := slices.IndexFunc(t.ids, func(id identifier) bool { return id.kind != kindCIO })
	if !c.cfg.Push.Create || i < 0 {
		t.end(notThere())
		return
	}
	// Whatever was known is gone with the person.
	t.by, t.vendorID, t.updateOnly, t.attributes = t.ids[i], "", false, c.needed(t.u, nil)
	if t.by.kind == kindID && t.u.Email != "" {
		// Only for somebody who is made here: for others it would change the
		// address that they gave.
		t.attributes[kindEmail] = t.u.Email
	}
}

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// finish gives the result: what was not ended otherwise was taken.
func (t *task) finish() connectors.Result {
	if t.proved {
		t.end(connectors.Result{Outcome: connectors.OK})
	}
	t.end(connectors.Result{
		Outcome: connectors.Unconfirmed,
		Message: "Customer.io took it without saying whether the person is there; with an App API key it is asked first",
	})
	r := t.result
	if r.VendorID == "" && r.Outcome == connectors.OK {
		r.VendorID = t.vendorID
	}
	return r
}

// notThere is the outcome for a person whom the workspace does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the workspace has no such person, and push.create is off or nothing is known to make one with"}
}
