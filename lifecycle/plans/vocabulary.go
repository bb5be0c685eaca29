package plans

import (
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// Event is one entry of the vocabulary.
type Event struct {
	Name lifecycle.EventName
	// Description says in one sentence what happened.
	Description string
	// Activity marks what the person did, as conditions understand inactive(…).
	Activity bool
	// Value marks an event that carries an amount and a currency.
	Value bool
	// Key marks an event that needs a business key, so that two tools that tell
	// of one fact count once.
	Key bool
	// Properties by name; none has to be there.
	Properties map[string]lifecycle.PropertySpec
}

// Events gives the vocabulary in its own order, which puts what belongs
// together next to each other. It reads the file anew each time, which takes
// some milliseconds, and the answer is the caller's.
func Events() []Event {
	events, err := parseEvents("events.yaml", read("events.yaml"))
	if err != nil {
		panic(fmt.Sprintf("plans: %v", err))
	}
	return events
}

// Vocabulary gives the same as lifecycle.ParsePlan wants it. Each call gives a
// vocabulary of its own.
func Vocabulary() lifecycle.Vocabulary {
	events := Events()
	v := make(lifecycle.Vocabulary, len(events))
	for _, e := range events {
		v[e.Name] = lifecycle.EventSpec{Description: e.Description, Activity: e.Activity, Properties: e.Properties}
	}
	return v
}

// parseEvents reads the vocabulary's file; the error has every mistake.
func parseEvents(file string, src []byte) ([]Event, error) {
	var events []Event
	r := document.Open(file, src)
	r.Entries("events", func(name string, e *document.Reader) {
		if !e.Has("activity") {
			e.Fail("activity", "is missing; say true or false")
		}
		events = append(events, Event{
			Name:        lifecycle.EventName(name),
			Description: e.Text("description"),
			Activity:    e.Bool("activity"),
			Value:       e.Bool("value"),
			Key:         e.Bool("key"),
			Properties:  readProperties(e),
		})
		e.Unknown()
	})
	r.Unknown()
	return events, r.Err()
}

func readProperties(e *document.Reader) map[string]lifecycle.PropertySpec {
	properties := make(map[string]lifecycle.PropertySpec)
	e.Entries("properties", func(name string, p *document.Reader) {
		switch t := lifecycle.PropertyType(p.Text("")); t {
		case "any":
			properties[name] = lifecycle.PropertySpec{Type: lifecycle.TypeAny}
		case lifecycle.TypeText, lifecycle.TypeNumber, lifecycle.TypeInteger, lifecycle.TypeBoolean,
			lifecycle.TypeList, lifecycle.TypeMap, lifecycle.TypeTime:
			properties[name] = lifecycle.PropertySpec{Type: t}
		default:
			p.Fail("", "is %q, want any or a type of property", string(t))
		}
	})
	return properties
}
