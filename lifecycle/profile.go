package lifecycle

import (
	"iter"
	"slices"
)

// Profile is what is known of a person: facts that never grow with the length
// of the history, and where the plan puts the person. Plan.Apply and
// Plan.Advance change it; nobody else should. It is not safe for concurrent
// use while they run. Instants are zero where something never was.
type Profile struct {
	ID ProfileID
	// PlanVersion is the version of the plan that was applied last.
	PlanVersion int64

	// Standing is that in the main lifecycle.
	Standing
	// Segments the person is in, sorted by name.
	Segments []Membership

	// Source is the connection that told the earliest event.
	Source string
	// FirstSeen and LastSeen are the times of the earliest and the newest event,
	// LastActivity of the newest marked as activity. Decisions don't count.
	FirstSeen, LastSeen, LastActivity Instant
	// Events counts the events, decisions left out.
	Events int64
	// NewestAt and NewestID are of the newest event applied, decisions included.
	// Zero before the first.
	NewestAt Instant
	NewestID EventID
	// NextCheck is the earliest instant at which time alone may change something;
	// zero: none.
	NextCheck Instant
	// Moves is the Seq of the newest transition.
	Moves int64

	facts     []Fact       // sorted by name
	traits    []TraitState // sorted by name
	claims    []Claim      // sorted by connection
	conflicts []Conflict   // oldest first
	// lifecycles are those besides the main one, sorted by id.
	lifecycles []Lifecycle
	decays     []decayed // of the scores that fade, sorted by score
	history    historyPrint

	// timed is the latest instant at which time alone changed something: an
	// event before it is late.
	timed Instant
	// idle counts moves by time alone since the newest event.
	idle int
}

// Membership is a segment and since when the person is in it.
type Membership struct {
	Name  Segment
	Since Instant
}

// NewProfile gives a person of whom nothing is known yet.
func NewProfile(id ProfileID) *Profile { return &Profile{ID: id} }

// Fact gives what is known of the events of one name; the zero Fact when none
// came. It must not be changed.
func (prof *Profile) Fact(name EventName) Fact {
	if i, ok := prof.findFact(name); ok {
		return prof.facts[i]
	}
	return Fact{Name: name}
}

// Facts gives all facts, sorted by name.
func (prof *Profile) Facts() iter.Seq[Fact] { return slices.Values(prof.facts) }

// Trait gives a trait's value; nil when it is missing or was removed.
func (prof *Profile) Trait(name string) any {
	if i, ok := prof.findTrait(name); ok {
		return prof.traits[i].Value
	}
	return nil
}

// Traits gives all traits sorted by name, those removed (nil Value) included.
func (prof *Profile) Traits() iter.Seq[TraitState] { return slices.Values(prof.traits) }

// Values gives the traits that have a value as a new map.
func (prof *Profile) Values() map[string]any {
	m := make(map[string]any, len(prof.traits))
	for i := range prof.traits {
		if t := &prof.traits[i]; t.Value != nil {
			m[t.Name] = t.Value
		}
	}
	return m
}

// Email gives the trait email when it is a text, else "".
func (prof *Profile) Email() string {
	s, _ := prof.Trait(TraitEmail).(string)
	return s
}

// In tells whether the person is in a segment.
func (prof *Profile) In(name Segment) bool {
	return slices.ContainsFunc(prof.Segments, func(m Membership) bool { return m.Name == name })
}

// SegmentNames gives the names of the segments, sorted; nil when there is none.
func (prof *Profile) SegmentNames() []Segment {
	if len(prof.Segments) == 0 {
		return nil
	}
	names := make([]Segment, len(prof.Segments))
	for i := range prof.Segments {
		names[i] = prof.Segments[i].Name
	}
	return names
}

// Claims gives the newest claim of each connection that the plan lets hold,
// sorted by connection; see Plan.Until for how long each is live.
func (prof *Profile) Claims() iter.Seq[Claim] { return slices.Values(prof.claims) }

// Conflicts gives the newest claims and pins that did not have their way,
// oldest first.
func (prof *Profile) Conflicts() iter.Seq[Conflict] { return slices.Values(prof.conflicts) }

// Flapping tells that the plan's stages chased each other on this person, so
// that timers rest until the next event.
func (prof *Profile) Flapping() bool { return prof.idle >= maxIdleMoves }

// Clone gives a copy that shares nothing that changes.
func (prof *Profile) Clone() *Profile {
	c := *prof
	c.Segments = slices.Clone(prof.Segments)
	c.facts = slices.Clone(prof.facts)
	for i := range c.facts {
		c.facts[i].Sums = slices.Clone(c.facts[i].Sums)
		c.facts[i].Newest = slices.Clone(c.facts[i].Newest)
	}
	c.traits = slices.Clone(prof.traits)
	c.visits = slices.Clone(prof.visits)
	c.lifecycles = slices.Clone(prof.lifecycles)
	for i := range c.lifecycles {
		c.lifecycles[i].visits = slices.Clone(c.lifecycles[i].visits)
	}
	c.claims = slices.Clone(prof.claims)
	c.conflicts = slices.Clone(prof.conflicts)
	c.decays = slices.Clone(prof.decays)
	for i := range c.decays {
		c.decays[i].Worth = slices.Clone(c.decays[i].Worth)
	}
	return &c
}
