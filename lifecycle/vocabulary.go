package lifecycle

import (
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
	// Activity marks that the person did something; see inactive(…).
	Activity bool
	// Properties by name; nil when nothing is said about them.
	Properties map[string]PropertySpec
}

// PropertySpec says what a property of an event must be.
type PropertySpec struct {
	Type     PropertyType
	Required bool
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
	return events
}

func readEvent(e *document.Reader, spec *EventSpec) {
	if e.Has("description") {
		spec.Description = e.Text("description")
	}
	if e.Has("activity") {
		spec.Activity = e.Bool("activity")
	}
	if e.Has("properties") {
		spec.Properties = map[string]PropertySpec{}
		e.Entries("properties", func(name string, p *document.Reader) {
			spec.Properties[name] = readProperty(p)
		})
	}
	e.Unknown()
}

// readProperty reads a type alone, or a map with type and required.
func readProperty(p *document.Reader) PropertySpec {
	if p.Kind("") == document.Text {
		return PropertySpec{Type: readType(p, "")}
	}
	spec := PropertySpec{Required: p.Bool("required")}
	if p.Has("type") {
		spec.Type = readType(p, "type")
	}
	p.Unknown()
	return spec
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
