package lifecycle

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// Vocabulary describes events by name: what they mean, whether they count as
// activity of the person, and which properties they carry. It must not be
// changed once a plan was parsed with it.
type Vocabulary map[EventName]EventSpec

// EventSpec describes one event.
type EventSpec struct {
	Description string
	// Owner is who answers for the event: a team, a name, an address.
	Owner string
	// Activity marks that the person did something; see inactive(…).
	Activity bool
	// Deprecated marks an event that should not be used any more, Successor the
	// one to use instead; empty for none.
	Deprecated bool
	Successor  EventName
	// Properties by name; nil when nothing is said about them.
	Properties map[string]PropertySpec
	// Closed says that an event has no other properties than these. A plan that
	// describes an event's properties describes all of them.
	Closed bool
}

// PropertySpec says what a property of an event must be.
type PropertySpec struct {
	Description string
	Type        PropertyType
	Required    bool
	// Values are all that are allowed: string, bool, int64 or float64; nil when
	// any is.
	Values []any
	PII    PII
}

// PropertyType is the type of a property.
type PropertyType string

// The types. The empty one takes any value.
const (
	TypeAny     PropertyType = ""
	TypeText    PropertyType = "text"
	TypeNumber  PropertyType = "number"  // or a text that is one
	TypeInteger PropertyType = "integer" // or a text that is one
	TypeBoolean PropertyType = "boolean"
	TypeList    PropertyType = "list"
	TypeMap     PropertyType = "map"
	TypeTime    PropertyType = "time" // RFC 3339, or microseconds since 1970
)

// anyType is how a file spells TypeAny.
const anyType = "any"

var propertyTypes = [...]string{
	string(TypeText), string(TypeNumber), string(TypeInteger), string(TypeBoolean),
	string(TypeList), string(TypeMap), string(TypeTime), anyType,
}

// readEvents reads the field events. What an entry leaves open (its activity,
// its properties) it takes from what is known already.
func readEvents(r *document.Reader, known Vocabulary) Vocabulary {
	events, full := Vocabulary{}, false
	r.Entries("events", func(name string, e *document.Reader) {
		if len(events) == MaxPlanEvents {
			if !full {
				e.Fail("", "is one event too many; the limit is %d", MaxPlanEvents)
			}
			full = true
			return
		}
		checkEventName(e, name)
		spec := known[EventName(name)]
		switch e.Kind("") {
		case document.Text:
			spec.Description = e.Text("")
		case document.Null:
		default:
			readEvent(e, &spec)
		}
		events[EventName(name)] = spec
	})
	all := maps.Clone(known)
	maps.Copy(all, events)
	successors(r, events, all)
	return events
}

func readEvent(e *document.Reader, spec *EventSpec) {
	if e.Has("description") {
		spec.Description = e.Text("description")
	}
	if e.Has("owner") {
		spec.Owner = e.Text("owner")
	}
	if e.Has("deprecated") {
		spec.Deprecated, spec.Successor = e.Bool("deprecated"), ""
	}
	if e.Has("successor") {
		spec.Deprecated, spec.Successor = true, EventName(e.Text("successor"))
	}
	if e.Has("activity") {
		spec.Activity = e.Bool("activity")
	}
	if e.Has("properties") {
		spec.Properties, spec.Closed = map[string]PropertySpec{}, true
		e.Entries("properties", func(name string, p *document.Reader) {
			spec.Properties[name] = readProperty(p)
		})
	}
	e.Unknown()
}

// readProperty reads a type alone, or a map with what is said of the property.
func readProperty(p *document.Reader) PropertySpec {
	if p.Kind("") == document.Text {
		return PropertySpec{Type: readType(p, "")}
	}
	spec := PropertySpec{Description: p.OptText("description"), Required: p.Bool("required")}
	if p.Has("type") {
		spec.Type = readType(p, "type")
	}
	if p.Has("pii") {
		spec.PII = readPII(p, "pii")
	}
	p.List("values", func(item *document.Reader) {
		value := item.Any("")
		switch {
		case len(spec.Values) == maxValues:
			p.Fail("values", "is too long; the limit is %d", maxValues)
		case item.Kind("") == document.Null, item.Kind("") == document.List, item.Kind("") == document.Map:
			item.Fail("", "is %s, want a text, a number or a yes/no value", item.Kind(""))
		case !spec.Type.fits(value):
			item.Fail("", "is not of the type %s", spec.Type)
		default:
			spec.Values = append(spec.Values, value)
		}
	})
	if p.Has("values") && p.Kind("values") == document.List && len(p.Node().Get("values").Items) == 0 {
		p.Fail("values", "is empty; leave it out to allow any value")
	}
	p.Unknown()
	return spec
}

// maxValues bounds the list of a property's values.
const maxValues = 500

// successors checks that whoever follows a deprecated event is known and does
// not itself give way to another.
func successors(r *document.Reader, events, known Vocabulary) {
	r.Entries("events", func(name string, e *document.Reader) {
		next := events[EventName(name)].Successor
		if next == "" || e.Kind("") != document.Map || !e.Has("successor") {
			return
		}
		spec, described := known[next]
		switch {
		case next == EventName(name):
			e.Fail("successor", "is the event itself")
		case !described:
			e.Fail("successor", "names %q, which is described neither here nor in the vocabulary", cutText(string(next), 80))
		case spec.Deprecated:
			e.Fail("successor", "names %q, which is deprecated as well", next)
		}
	})
}

func readType(p *document.Reader, field string) PropertyType {
	name := p.Text(field)
	switch {
	case name == anyType:
		return TypeAny
	case slices.Contains(propertyTypes[:], name):
		return PropertyType(name)
	case name != "":
		p.Fail(field, "is %q, want one of %s", cutText(name, 80), strings.Join(propertyTypes[:], ", "))
	}
	return TypeAny
}
