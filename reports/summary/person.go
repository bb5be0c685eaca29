package summary

import (
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Person is what reports know of one person: facts and history after everything
// that was decided or merged, without what only concerns single people. Whoever
// was merged into somebody else, or erased, has none. A Person that a reader hands
// out is valid until the next one; what is to be kept of its lists is copied
// (texts may be kept as they are).
type Person struct {
	ID lifecycle.ProfileID
	// Source is the connection that told the earliest event; empty before the first.
	Source string
	// FirstSeen and LastSeen are the times of the earliest and the newest event;
	// zero before the first.
	FirstSeen, LastSeen lifecycle.Instant
	// PlanVersion is the version of the plan that the person was last derived under.
	PlanVersion int64
	// Stage is the stage shown now, empty for none, and Since when it began.
	Stage lifecycle.Stage
	Since lifecycle.Instant
	// Segments are those the person is in now, sorted.
	Segments []lifecycle.Segment
	// Account is the key of the account that the person belongs to now, such as
	// domain:example.com; empty for nobody's, and under a plan without accounts.
	Account string
	// Moves are all changes of the stage shown, oldest first, those by time alone
	// included, as the plan in force tells the history. A stay lasts from one move
	// to the next; the last one still does.
	Moves []Move
	// Courses are the moves in the plan's further lifecycles, sorted by id. Those
	// that the person never came to are missing.
	Courses []Course
	// Traits are those with a short value, sorted by name; addresses, numbers and
	// names of people are left out.
	Traits []Trait
	// Events are those that count (see lifecycle.Effective), sorted by time and id,
	// decisions left out.
	Events []Event
}

// Move is the beginning of a stay.
type Move struct {
	// Stage is the one that begins; empty where the person left all stages.
	Stage lifecycle.Stage
	At    lifecycle.Instant
}

// Course is a person's way through one further lifecycle.
type Course struct {
	Lifecycle string
	// Moves are all changes of the stage shown in it, as Person.Moves are.
	Moves []Move
}

// Trait is one present trait.
type Trait struct {
	Name string
	// Value is a text as it is, true or false, or a number in its shortest form.
	Value string
}

// Event is one event that counts.
type Event struct {
	Name lifecycle.EventName
	At   lifecycle.Instant
	// Connection told of it.
	Connection string
	// Amount is in micros; its Currency is empty where the event carries no money.
	Amount lifecycle.Money
	// Key tells things apart that several events, maybe of several people, are about:
	// equal keys of one category (Deal, Ticket, Subscription, ...) are one deal, ticket
	// or subscription. It is a hash of the business key; zero where there is none, or
	// the category is not in Keyed.
	Key uint64
	// Properties are those among Properties(), sorted by name.
	Properties []Property
}

// Property is one property of an event.
type Property struct {
	Name string
	// Value is a text as it is, true or false, or a number in its shortest form.
	Value string
}

// Property gives the value of a property; empty where the event has none.
func (e *Event) Property(name string) string {
	for i := range e.Properties {
		if e.Properties[i].Name == name {
			return e.Properties[i].Value
		}
	}
	return ""
}

// Number gives a property that is a number, such as a survey's score.
func (e *Event) Number(name string) (float64, bool) {
	text := e.Property(name)
	if text == "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil
}

// In tells whether the person is in a segment now.
func (p *Person) In(name lifecycle.Segment) bool {
	for _, s := range p.Segments {
		if s == name {
			return true
		}
	}
	return false
}

// Follow makes Stage, Since and Moves those of a further lifecycle; all are
// zero for somebody who never came to it.
func (p *Person) Follow(lifecycle string) {
	p.Stage, p.Since, p.Moves = "", 0, nil
	for i := range p.Courses {
		if c := &p.Courses[i]; c.Lifecycle == lifecycle && len(c.Moves) > 0 {
			last := c.Moves[len(c.Moves)-1]
			p.Stage, p.Since, p.Moves = last.Stage, last.At, c.Moves
		}
	}
}

// First gives when a stage was entered for the first time; false when never.
func (p *Person) First(stage lifecycle.Stage) (lifecycle.Instant, bool) {
	for i := range p.Moves {
		if p.Moves[i].Stage == stage {
			return p.Moves[i].At, true
		}
	}
	return 0, false
}

// Trait gives the value of a trait; empty where the summary has none.
func (p *Person) Trait(name string) string {
	for i := range p.Traits {
		if p.Traits[i].Name == name {
			return p.Traits[i].Value
		}
	}
	return ""
}
