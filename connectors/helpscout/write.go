package helpscout

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// prepare makes sure of every property that the tasks write. The error means
// that nothing was sent.
func (p *push) prepare(ctx context.Context, tasks ...*task) error {
	slugs := map[string]bool{}
	for _, t := range tasks {
		if t.Stage != "" {
			slugs[p.c.stage] = true
		}
		if t.Segments() {
			slugs[p.c.segments] = true
		}
		for slug := range t.Traits {
			slugs[slug] = true
		}
	}
	if len(slugs) == 0 {
		return nil
	}
	own := map[string]string{p.c.stage: "Lifecycle stage", p.c.segments: "Segments"}
	return p.c.schema.ensure(ctx, slices.Sorted(maps.Keys(slugs)), own)
}

// write brings one person to the desired state.
func (p *push) write(ctx context.Context, t *task) {
	if t.ID == "" && !p.find(ctx, t) {
		return
	}
	err := p.patch(ctx, t)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound && !t.Seen {
		// Deleted, or merged into another customer: whoever has the address now
		// is somebody nothing is known of.
		t.ID, t.held = "", nil
		if !p.wholly(ctx, t) || !p.find(ctx, t) {
			return
		}
		err = p.patch(ctx, t)
	}
	if err != nil {
		p.Fail(t, err)
	}
}

// find looks the customer up by address, and creates one where there is none
// and a push may. It reports whether there is somebody to write to.
func (p *push) find(ctx context.Context, t *task) bool {
	if t.Email == "" {
		t.End(notThere())
		return false
	}
	found, err := p.c.search(ctx, t.Email)
	switch {
	case err != nil:
		p.Fail(t, err)
		return false
	case len(found) > 0:
		t.ID, t.Seen = found[0].id(), true
		if found[0].Embedded.Properties != nil {
			t.held = &found[0]
		}
		return true
	case !p.c.cfg.Push.Create:
		t.End(notThere())
		return false
	}
	return p.wholly(ctx, t) && p.create(ctx, t)
}

// wholly makes a task send everything, since nothing is known of the record it
// has come to write. It reports whether that can be done.
func (p *push) wholly(ctx context.Context, t *task) bool {
	t.Difference = connectors.DifferenceOf(&t.Update.Want, nil)
	if err := p.prepare(ctx, t); err != nil {
		p.Fail(t, err)
	}
	return !t.Done()
}

// create makes a customer with an address. The answer has no body; the number
// is in a header.
func (p *push) create(ctx context.Context, t *task) bool {
	const act = "create a customer"
	made, err := p.c.api.call(ctx, act, http.MethodPost, "/customers", customerCreate{Emails: []email{{Type: "work", Value: t.Email}}}, nil)
	if connectors.ReasonOf(err) == connectors.ReasonConflict {
		// Added by somebody else since it was looked for.
		if found, again := p.c.search(ctx, t.Email); again == nil && len(found) > 0 {
			t.ID, t.Seen = found[0].id(), true
			return true
		}
	}
	if err != nil {
		p.Fail(t, err)
		return false
	}
	t.ID = made.Header.Get("Resource-Id")
	if !numberForm.MatchString(t.ID) {
		p.Fail(t, badAnswer(act))
		return false
	}
	t.Seen, t.held = true, &customer{}
	t.Wrote = []connectors.Field{{Record: t.ID, Name: writtenCustomer, Value: strings.ToLower(t.Email)}}
	p.Arrival()
	return true
}

// patch writes what differs; where that is nothing, no call is made.
func (p *push) patch(ctx context.Context, t *task) error {
	if (t.Segments() || t.clears()) && t.held == nil {
		held, err := p.c.customer(ctx, t.ID)
		if err != nil {
			return err
		}
		t.held, t.Seen = held, true
	}
	operations, ok := p.operations(t)
	if !ok || len(operations) == 0 {
		return nil
	}
	_, err := p.c.api.call(ctx, "write a customer's properties", http.MethodPatch, "/customers/"+t.ID+"/properties", operations, nil)
	if err != nil {
		if connectors.ReasonOf(err) == connectors.ReasonInvalid {
			// Perhaps somebody took a property away since they were read.
			p.c.schema.forget()
		}
		return err
	}
	t.Seen = true
	p.Arrival()
	return nil
}

// clears reports whether a property is to be emptied.
func (t *task) clears() bool {
	for _, v := range t.Traits {
		if connectors.ValueText(v) == "" {
			return true
		}
	}
	return false
}

// operations builds what is sent; false where the task ended over it.
func (p *push) operations(t *task) ([]operation, bool) {
	var all []operation
	add := func(slug string, v any) bool {
		d := p.c.schema.property(slug)
		if d == nil {
			words := "customers have no property " + slug
			if slug == p.c.stage || slug == p.c.segments {
				words += ", and create_properties is off"
			}
			t.End(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: words})
			return false
		}
		if connectors.ValueText(v) == "" {
			if t.held.property(slug) == "" {
				return true // what is not there need not be removed
			}
			all = append(all, operation{Op: "remove", Path: "/" + slug})
			return true
		}
		written, problem := d.valueFor(v)
		if problem != "" {
			t.End(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: problem})
			return false
		}
		all = append(all, operation{Op: "replace", Path: "/" + slug, Value: written})
		return true
	}
	if t.Stage != "" && !add(p.c.stage, t.Stage) {
		return nil, false
	}
	if t.Segments() {
		was := t.held.property(p.c.segments)
		now := t.segments(was)
		if len([]rune(now)) > maxText {
			t.End(connectors.Result{
				Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge,
				Message: "the names of the segments do not fit into a text property together; push fewer of them with push.segments",
			})
			return nil, false
		}
		// To be taken off, the property need not be there.
		if now != was && !add(p.c.segments, now) {
			return nil, false
		}
	}
	for _, slug := range slices.Sorted(maps.Keys(t.Traits)) {
		if !add(slug, t.Traits[slug]) {
			return nil, false
		}
	}
	return all, true
}

// segments gives the list that the customer should have: the names there, with
// ours added and taken off. Names that are not of the managed set stay.
func (t *task) segments(was string) string {
	names := split(was)
	names = slices.DeleteFunc(names, func(name string) bool { return holds(t.Remove, name) })
	for _, s := range t.Add {
		if !holds(names, s) {
			names = append(names, s)
		}
	}
	return strings.Join(names, ",")
}

// split reads a list of names with commas.
func split(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func holds(all []string, name string) bool {
	return slices.ContainsFunc(all, func(one string) bool { return strings.EqualFold(one, name) })
}
