package lifecycle

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// Action says what becomes of an event that does not fit the plan.
type Action string

// The actions, from the mildest. Whatever the action, the violation is counted.
const (
	Allow      Action = "allow"      // taken as it is; the default
	Tag        Action = "tag"        // taken, and the raw event carries the class as its reason
	Strip      Action = "strip"      // taken without the property or trait that is wrong
	Quarantine Action = "quarantine" // parked until the plan or the rules are mended
)

// actions in the order of what a plan's mistakes are told.
var actions = [...]Action{Allow, Tag, Strip, Quarantine}

// ViolationClass says in what way an event does not fit the plan.
type ViolationClass string

// The classes, in the order in which those of one event are told.
const (
	ViolationReserved ViolationClass = "reserved_event"     // a decision's name, told by a connection
	ViolationEvent    ViolationClass = "unplanned_event"    // the plan does not know the name
	ViolationMissing  ViolationClass = "missing_property"   // a required property is not there
	ViolationType     ViolationClass = "wrong_type"         // a property is of another type
	ViolationValue    ViolationClass = "value_not_allowed"  // a property has none of the values listed
	ViolationProperty ViolationClass = "unplanned_property" // the plan describes the event's properties, and not this one
	ViolationPII      ViolationClass = "unmarked_pii"       // a value looks personal, and the plan does not say so
)

// classes in the order of the constants.
var classes = [...]ViolationClass{
	ViolationReserved, ViolationEvent, ViolationMissing, ViolationType, ViolationValue, ViolationProperty, ViolationPII,
}

// governed are the classes whose action a plan decides: all but reserved
// names, which are quarantined whatever it says.
var governed = classes[1:]

// Classes gives every class of violation, in the order in which those of one
// event are told.
func Classes() []ViolationClass { return slices.Clone(classes[:]) }

// strips tells whether there is something to take away.
func (c ViolationClass) strips() bool { return c != ViolationEvent && c != ViolationMissing }

// governance is what a plan says about events that do not fit it.
type governance struct {
	actions     [len(classes)]Action // by place in classes; empty: allow
	connections []connectionActions  // the first that fits and names the class decides
	traits      map[string]PII
	categories  []string // allowed beside those of the vocabulary
}

type connectionActions struct {
	pattern string // a connection's id, or with a trailing *
	actions [len(classes)]Action
}

// Action gives what becomes of a violation of a class by a connection.
func (p *Plan) Action(class ViolationClass, connection string) Action {
	place := slices.Index(classes[:], class)
	switch {
	case class == ViolationReserved:
		return Quarantine
	case place < 0:
		return Allow
	}
	for i := range p.rules.connections {
		c := &p.rules.connections[i]
		if a := c.actions[place]; a != "" && fitsConnection(c.pattern, connection) {
			return a
		}
	}
	if a := p.rules.actions[place]; a != "" {
		return a
	}
	return Allow
}

// fitsConnection compares an id with a pattern, which may end in *.
func fitsConnection(pattern, connection string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return pattern == connection || open && strings.HasPrefix(connection, prefix)
}

// Categories gives the categories of event names that the plan allows beside
// those of the vocabulary, in the order of the plan.
func (p *Plan) Categories() []string { return slices.Clone(p.rules.categories) }

// Own gives the events that the plan describes itself, sorted.
func (p *Plan) Own() []EventName { return slices.Sorted(maps.Keys(p.events)) }

// ConnectionActions is what a plan says of one connection, or of those whose
// ids begin alike.
type ConnectionActions struct {
	Connection string // exact, or with a trailing *
	Actions    map[ViolationClass]Action
}

// Overrides gives what the plan says of single connections, in its order.
func (p *Plan) Overrides() []ConnectionActions {
	list := make([]ConnectionActions, len(p.rules.connections))
	for i, c := range p.rules.connections {
		list[i] = ConnectionActions{c.pattern, map[ViolationClass]Action{}}
		for place, a := range c.actions {
			if a != "" {
				list[i].Actions[classes[place]] = a
			}
		}
	}
	return list
}

// governance reads the fields unplanned and governance. The first is short for
// one action for events that are not planned and properties that are not as
// described; what governance says of a class comes before it.
func (d *planReader) governance() {
	g := &d.p.rules
	if d.r.Has("unplanned") {
		short := readAction(d.r, "unplanned", false)
		for _, class := range []ViolationClass{ViolationEvent, ViolationMissing, ViolationType, ViolationValue} {
			g.actions[slices.Index(classes[:], class)] = short
		}
	}
	d.r.Map("governance", func(r *document.Reader) {
		readActions(r, &g.actions)
		r.Entries("connections", func(pattern string, c *document.Reader) {
			if len(g.connections) == MaxSegments {
				d.fullUp(c, "connection", MaxSegments)
				return
			}
			checkPattern(c, pattern)
			one := connectionActions{pattern: pattern}
			readActions(c, &one.actions)
			c.Unknown()
			g.connections = append(g.connections, one)
		})
		g.traits = map[string]PII{}
		r.Entries("traits", func(name string, t *document.Reader) {
			if len(g.traits) == MaxPlanEvents {
				d.fullUp(t, "trait", MaxPlanEvents)
				return
			}
			g.traits[name] = readPII(t, "")
			if name == TraitEmail && g.traits[name] == PIISensitive {
				t.Fail("", "can't be sensitive: vendors know a person by the address")
			}
		})
		for _, name := range r.Texts("categories") {
			if !isWord(name) {
				r.Fail("categories", "holds %q, want one word of letters that begins with a capital", cutText(name, 80))
			}
			g.categories = append(g.categories, name)
		}
		r.Unknown()
	})
}

// readActions reads the action of each class that is named.
func readActions(r *document.Reader, into *[len(classes)]Action) {
	for _, class := range governed {
		if r.Has(string(class)) {
			into[slices.Index(classes[:], class)] = readAction(r, string(class), class.strips())
		}
	}
}

func readAction(r *document.Reader, field string, strips bool) Action {
	name := Action(r.Text(field))
	switch {
	case name == "":
		return ""
	case name == Strip && !strips:
		r.Fail(field, "can't be strip: there is nothing to take away; want allow, tag or quarantine")
	case !slices.Contains(actions[:], name):
		want := "allow, tag or quarantine"
		if strips {
			want = "allow, tag, strip or quarantine"
		}
		r.Fail(field, "is %q, want %s", cutText(string(name), 80), want)
	}
	return name
}

// checkPattern reports what can be no connection's id.
func checkPattern(r *document.Reader, pattern string) {
	if star := strings.IndexByte(pattern, '*'); star >= 0 && star != len(pattern)-1 || len(pattern) > MaxNameBytes {
		r.Fail("", "is not a connection's id; * may only stand at its end")
	}
}

// isWord tells whether a text is letters of ASCII, the first a capital.
func isWord(s string) bool {
	if s == "" || len(s) > maxPlanNameBytes || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
}
