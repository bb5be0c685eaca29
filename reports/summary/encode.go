package summary

import (
	"encoding/binary"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// A block is: the version; the texts; the shapes of events; the sets of
// segments; how much there is of everything; and then one section each for
// what is known of people in few words, for moves, courses, traits and events, so
// that a reader leaves out what it does not need.

// encoder gathers a block.
type encoder struct {
	texts                    map[string]int
	listed                   []string
	shapes, sets             map[string]int
	shapeTable, setTable     writer
	head, moves, courses     writer
	traits, events           writer
	nMoves, nTraits, nEvents int
	nCourses, nSteps         int // steps are the moves of courses
	nProperties              int
}

// encode packs people, who are sorted by id.
func encode(people []*Person) []byte {
	e := &encoder{texts: map[string]int{}, shapes: map[string]int{}, sets: map[string]int{}}
	e.text("")
	before := lifecycle.ProfileID(0)
	for _, p := range people {
		e.head.size(int(p.ID - before))
		before = p.ID
		e.person(p)
	}
	w := writer{[]byte{Version}}
	w.size(len(e.listed))
	for _, t := range e.listed {
		w.size(len(t))
	}
	w.b = append(w.b, strings.Join(e.listed, "")...)
	w.size(len(e.shapes))
	w.b = append(w.b, e.shapeTable.b...)
	w.size(len(e.sets))
	w.b = append(w.b, e.setTable.b...)
	for _, n := range []int{len(people), e.nMoves, e.nCourses, e.nSteps, e.nTraits, e.nEvents, e.nProperties,
		len(e.head.b), len(e.moves.b), len(e.courses.b), len(e.traits.b), len(e.events.b)} {
		w.size(n)
	}
	w.b = append(w.b, e.head.b...)
	w.b = append(w.b, e.moves.b...)
	w.b = append(w.b, e.courses.b...)
	w.b = append(w.b, e.traits.b...)
	return append(w.b, e.events.b...)
}

// text gives a text's place in the table.
func (e *encoder) text(t string) int {
	at, ok := e.texts[t]
	if !ok {
		at = len(e.listed)
		e.texts[t] = at
		e.listed = append(e.listed, t)
	}
	return at
}

func (e *encoder) person(p *Person) {
	h := &e.head
	h.size(e.text(p.Source))
	h.scaled(int64(p.FirstSeen), &timeUnits)
	h.scaled(int64(p.LastSeen-p.FirstSeen), &timeUnits)
	h.scaled(p.PlanVersion, &moneyUnits)
	h.size(e.text(string(p.Stage)))
	h.scaled(int64(p.Since-p.FirstSeen), &timeUnits)
	h.size(e.set(p.Segments))
	h.size(e.text(p.Account))
	h.size(len(p.Moves))
	h.size(len(p.Courses))
	h.size(len(p.Traits))
	h.size(len(p.Events))
	e.steps(&e.moves, p.Moves, p.FirstSeen)
	for i := range p.Courses {
		c := &p.Courses[i]
		e.courses.size(e.text(c.Lifecycle))
		e.courses.size(len(c.Moves))
		e.steps(&e.courses, c.Moves, p.FirstSeen)
		e.nSteps += len(c.Moves)
	}
	for i := range p.Traits {
		e.traits.size(e.text(p.Traits[i].Name))
		e.traits.size(e.text(p.Traits[i].Value))
	}
	before := p.FirstSeen
	for i := range p.Events {
		e.event(&p.Events[i], before)
		before = p.Events[i].At
	}
	e.nMoves += len(p.Moves)
	e.nCourses += len(p.Courses)
	e.nTraits += len(p.Traits)
	e.nEvents += len(p.Events)
}

// steps writes moves, each by the time since the one before.
func (e *encoder) steps(w *writer, moves []Move, before lifecycle.Instant) {
	for i := range moves {
		m := &moves[i]
		w.size(e.text(string(m.Stage)))
		w.scaled(int64(m.At-before), &timeUnits)
		before = m.At
	}
}

func (e *encoder) event(v *Event, before lifecycle.Instant) {
	w := &e.events
	w.size(e.shape(v))
	w.scaled(int64(v.At-before), &timeUnits)
	if v.Amount.Currency != "" {
		w.scaled(v.Amount.Micros, &moneyUnits)
	}
	if v.Key != 0 {
		w.b = binary.LittleEndian.AppendUint64(w.b, v.Key)
	}
	for i := range v.Properties {
		w.size(e.text(v.Properties[i].Value))
	}
	e.nProperties += len(v.Properties)
}

// shape gives the place of what an event has in common with others: its name,
// who told it, its currency, whether it has a key, and the names of its properties.
func (e *encoder) shape(v *Event) int {
	var w writer
	w.size(e.text(string(v.Name)))
	w.size(e.text(v.Connection))
	w.size(e.text(v.Amount.Currency))
	n := len(v.Properties) << 1
	if v.Key != 0 {
		n |= 1
	}
	w.size(n)
	for i := range v.Properties {
		w.size(e.text(v.Properties[i].Name))
	}
	return listed(e.shapes, &e.shapeTable, w.b)
}

func (e *encoder) set(segments []lifecycle.Segment) int {
	var w writer
	w.size(len(segments))
	for _, s := range segments {
		w.size(e.text(string(s)))
	}
	return listed(e.sets, &e.setTable, w.b)
}

// listed gives the place of an entry in a table, which it joins when it is new.
func listed(places map[string]int, table *writer, entry []byte) int {
	at, ok := places[string(entry)]
	if !ok {
		at = len(places)
		places[string(entry)] = at
		table.b = append(table.b, entry...)
	}
	return at
}
