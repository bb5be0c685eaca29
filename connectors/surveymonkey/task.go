package surveymonkey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// segmentPrefix marks a segment inside the custom field, so that a filter for
// sb:eu does not find sb:europe's neighbours of another kind; segmentBetween
// parts them.
const (
	segmentPrefix  = "sb:"
	segmentBetween = "; "
)

// task is one update on its way.
type task struct {
	u     *connectors.Update
	email string
	id    text
	// byID is set where the contact has to be written by its id.
	byID bool
	// lookup is set where the first call did not show the contact.
	lookup bool
	// held is the contact as it stands in the account.
	held *contact
	// custom, first and last are what has to be sent.
	custom      map[string]text
	first, last *string
	done        bool
	result      connectors.Result
}

// newTask works out what an update needs; a task may be done at once.
func (c *Connector) newTask(u *connectors.Update) *task {
	t := &task{u: u, email: normalEmail(u.Email)}
	known := numberForm.MatchString(u.VendorID)
	addresses := map[string]bool{}
	for _, k := range u.Keys {
		if k.Namespace == "email" {
			addresses[normalEmail(k.Value)] = true
		}
	}
	t.need(c, u.Known)
	switch {
	case t.email == "" && !known:
		t.end(connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "SurveyMonkey knows people by e-mail address only"})
	case len(t.custom) == 0 && t.first == nil && t.last == nil:
		t.end(connectors.Result{Outcome: connectors.OK})
	}
	if known {
		t.id = text(u.VendorID)
		// Whoever has only ever had one address has it at SurveyMonkey too.
		t.byID = t.email == "" || len(addresses) > 1
	}
	return t
}

// need lists what differs from what the vendor is known to hold; with nil,
// everything.
func (t *task) need(c *Connector, known *connectors.State) {
	want := t.u.Want
	t.custom, t.first, t.last = map[string]text{}, nil, nil
	all := known == nil
	if all {
		known = &connectors.State{}
	}
	if want.Stage != "" && want.Stage != known.Stage {
		t.custom[c.stageField] = text(want.Stage)
	}
	managed := len(want.Segments)+len(want.Absent) > 0
	if managed && (all || segmentText(want.Segments) != segmentText(known.Segments)) {
		t.custom[c.segmentField] = text(segmentText(want.Segments))
	}
	for _, name := range slices.Sorted(maps.Keys(want.Traits)) {
		value := fieldText(want.Traits[name])
		held, ok := known.Traits[name]
		if ok && fieldText(held) == value {
			continue
		}
		switch name {
		case "first_name":
			t.first = &value
		case "last_name":
			t.last = &value
		default:
			t.custom[name] = text(value)
		}
	}
}

// contact is what a bulk write carries for the task, upon what is held.
func (t *task) contact(held contact) contact {
	k := contact{
		Email:     t.email,
		FirstName: orPlaceholder(t.first, held.FirstName),
		LastName:  orPlaceholder(t.last, held.LastName),
		Custom:    merged(held.Custom, t.custom),
	}
	if k.Email == "" {
		k.Email = held.Email
	}
	return k
}

// repeats reports whether an entry may be what was sent rather than what is
// held: then its names prove nothing.
func (t *task) repeats(held contact) bool {
	sent := t.contact(contact{})
	return held.FirstName == sent.FirstName && held.LastName == sent.LastName && (sent.FirstName == placeholder || sent.LastName == placeholder)
}

func orPlaceholder(want *string, held string) string {
	switch {
	case want != nil && *want != "":
		return *want
	case held != "":
		return held
	}
	return placeholder
}

// merged puts new values over the ones held: whether a write leaves custom
// fields alone that it does not name is not documented.
func merged(held, custom map[string]text) map[string]text {
	if len(custom) == 0 {
		return nil
	}
	all := maps.Clone(custom)
	for field, value := range held {
		if _, ours := all[field]; !ours && value != "" {
			all[field] = value
		}
	}
	return all
}

// end sets the outcome; the first one stays.
func (t *task) end(r connectors.Result) {
	if !t.done {
		t.done, t.result = true, r
	}
}

// segmentText is the custom field's value for a set of segments.
func segmentText(segments []string) string {
	var parts []string
	for _, s := range slices.Sorted(slices.Values(segments)) {
		parts = append(parts, segmentPrefix+s)
	}
	return strings.Join(parts, segmentBetween)
}

// segmentsIn reads such a value; what is not ours is passed over.
func segmentsIn(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, ";") {
		if name, ours := strings.CutPrefix(strings.TrimSpace(part), segmentPrefix); ours && name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fieldText is a value as a custom field holds it: text. Nothing clears it.
func fieldText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(value)
}
