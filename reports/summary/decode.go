package summary

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Want says what a reader needs of people beside what is always there: who,
// since when, stage and segments.
type Want struct {
	// AllEvents asks for every event, else only those with one of the names, or
	// of one of the categories: what a name has before its colon.
	AllEvents  bool
	Events     []lifecycle.EventName
	Categories []string
	Moves      bool
	// Courses asks for the moves in further lifecycles.
	Courses bool
	Traits  bool
}

// All is everything that there is.
func All() Want { return Want{AllEvents: true, Moves: true, Courses: true, Traits: true} }

// events tells whether any event may be wanted.
func (w *Want) events() bool { return w.AllEvents || len(w.Events) > 0 || len(w.Categories) > 0 }

// event tells whether those of a name are.
func (w *Want) event(name lifecycle.EventName) bool {
	if w.AllEvents || slices.Contains(w.Events, name) {
		return true
	}
	category, _, _ := strings.Cut(string(name), ":")
	return slices.Contains(w.Categories, category)
}

// block holds the people of one block, and the memory for the next.
type block struct {
	people     []Person
	texts      []string
	shapes     []shape
	sets       [][]lifecycle.Segment
	names      []string // of all shapes' properties
	segments   []lifecycle.Segment
	moves      []Move
	courses    []Course
	steps      []Move // of courses
	traits     []Trait
	events     []Event
	properties []Property
}

// shape is what some events have in common.
type shape struct {
	name       lifecycle.EventName
	connection string
	currency   string
	keyed      bool
	wanted     bool
	properties []string
}

// decode reads a block, into memory that it had before where that suffices. An
// error means that the block has to be made anew.
func (b *block) decode(body []byte, want *Want) error {
	if len(body) == 0 || body[0] != Version {
		return errCorrupt
	}
	r := &reader{b: body, at: 1}
	b.readTexts(r)
	b.readShapes(r, want)
	b.readSets(r)
	people, moves, courses, steps := r.count(1), r.count(1), r.count(1), r.count(1)
	traits, events, properties := r.count(1), r.count(1), r.count(1)
	var sections [5]int
	for i := range sections {
		sections[i] = r.count(1)
	}
	head := reader{b: r.bytes(sections[0])}
	move, course := reader{b: r.bytes(sections[1])}, reader{b: r.bytes(sections[2])}
	trait, event := reader{b: r.bytes(sections[3])}, reader{b: r.bytes(sections[4])}
	if r.bad || r.left() != 0 {
		return errCorrupt
	}
	b.people = slices.Grow(b.people[:0], people)
	b.moves, b.traits = slices.Grow(b.moves[:0], moves), slices.Grow(b.traits[:0], traits)
	b.courses, b.steps = slices.Grow(b.courses[:0], courses), slices.Grow(b.steps[:0], steps)
	b.events, b.properties = slices.Grow(b.events[:0], events), slices.Grow(b.properties[:0], properties)
	var before lifecycle.ProfileID
	for range people {
		b.people = append(b.people, Person{})
		p := &b.people[len(b.people)-1]
		p.ID = before + lifecycle.ProfileID(head.uvarint())
		before = p.ID
		n := b.readHead(&head, p)
		if want.Moves {
			p.Moves = b.readMoves(&move, &b.moves, p.FirstSeen, n.moves, moves)
		}
		if want.Courses {
			b.readCourses(&course, p, n.courses, courses, steps)
		}
		if want.Traits {
			b.readTraits(&trait, p, n.traits, traits)
		}
		if want.events() {
			b.readEvents(&event, p, n.events, events, properties)
		}
		if head.bad || move.bad || course.bad || trait.bad || event.bad {
			return errCorrupt
		}
	}
	return nil
}

func (b *block) readTexts(r *reader) {
	n := r.count(1)
	b.texts = slices.Grow(b.texts[:0], max(n, 1))
	lengths := reader{b: r.b, at: r.at}
	total := 0
	for range n {
		total += int(min(r.uvarint(), uint64(len(r.b))))
	}
	all := string(r.bytes(total))
	for range n {
		size := int(lengths.uvarint())
		if r.bad || size < 0 || size > len(all) {
			r.fail()
			break
		}
		b.texts, all = append(b.texts, all[:size]), all[size:]
	}
	if len(b.texts) == 0 { // every place below reads some text
		b.texts = append(b.texts, "")
	}
}

func (b *block) text(r *reader) string { return b.texts[r.place(len(b.texts))] }

func (b *block) readShapes(r *reader, want *Want) {
	n := r.count(4)
	b.shapes, b.names = slices.Grow(b.shapes[:0], n), b.names[:0]
	for range n {
		s := shape{name: lifecycle.EventName(b.text(r)), connection: b.text(r), currency: b.text(r)}
		flags := r.count(1)
		s.keyed = flags&1 != 0
		from := len(b.names)
		for range flags >> 1 {
			b.names = append(b.names, b.text(r))
		}
		s.properties = b.names[from:len(b.names):len(b.names)]
		s.wanted = want.event(s.name)
		b.shapes = append(b.shapes, s)
	}
}

func (b *block) readSets(r *reader) {
	n := r.count(1)
	b.sets, b.segments = slices.Grow(b.sets[:0], n), b.segments[:0]
	for range n {
		from := len(b.segments)
		for range r.count(1) {
			b.segments = append(b.segments, lifecycle.Segment(b.text(r)))
		}
		b.sets = append(b.sets, b.segments[from:len(b.segments):len(b.segments)])
	}
}

// amounts are how much there is of a person.
type amounts struct{ moves, courses, traits, events int }

func (b *block) readHead(r *reader, p *Person) amounts {
	p.Source = b.text(r)
	p.FirstSeen = lifecycle.Instant(r.scaled(&timeUnits))
	p.LastSeen = p.FirstSeen + lifecycle.Instant(r.scaled(&timeUnits))
	p.PlanVersion = r.scaled(&moneyUnits)
	p.Stage = lifecycle.Stage(b.text(r))
	p.Since = p.FirstSeen + lifecycle.Instant(r.scaled(&timeUnits))
	if set := r.place(len(b.sets)); set < len(b.sets) {
		p.Segments = b.sets[set]
	}
	p.Account = b.text(r)
	return amounts{int(r.uvarint()), int(r.uvarint()), int(r.uvarint()), int(r.uvarint())}
}

// fits tells whether n more fit into memory that was made for so many.
func fits(r *reader, have, n, room int) bool {
	if n < 0 || n > room-have {
		r.fail()
		return false
	}
	return true
}

// readMoves reads n moves into a list with room for so many.
func (b *block) readMoves(r *reader, to *[]Move, at lifecycle.Instant, n, room int) []Move {
	if !fits(r, len(*to), n, room) {
		return nil
	}
	from := len(*to)
	for range n {
		stage := lifecycle.Stage(b.text(r))
		at += lifecycle.Instant(r.scaled(&timeUnits))
		*to = append(*to, Move{stage, at})
	}
	return (*to)[from:len(*to):len(*to)]
}

func (b *block) readCourses(r *reader, p *Person, n, room, steps int) {
	if !fits(r, len(b.courses), n, room) {
		return
	}
	from := len(b.courses)
	for range n {
		id := b.text(r)
		b.courses = append(b.courses, Course{id, b.readMoves(r, &b.steps, p.FirstSeen, int(r.uvarint()), steps)})
	}
	p.Courses = b.courses[from:len(b.courses):len(b.courses)]
}

func (b *block) readTraits(r *reader, p *Person, n, room int) {
	if !fits(r, len(b.traits), n, room) {
		return
	}
	from := len(b.traits)
	for range n {
		b.traits = append(b.traits, Trait{b.text(r), b.text(r)})
	}
	p.Traits = b.traits[from:len(b.traits):len(b.traits)]
}

func (b *block) readEvents(r *reader, p *Person, n, room, properties int) {
	if !fits(r, len(b.events), n, room) {
		return
	}
	from, at := len(b.events), p.FirstSeen
	for range n {
		place := r.place(len(b.shapes))
		if r.bad {
			return
		}
		s := &b.shapes[place]
		at += lifecycle.Instant(r.scaled(&timeUnits))
		var micros int64
		if s.currency != "" {
			micros = r.scaled(&moneyUnits)
		}
		var key uint64
		if s.keyed {
			key = r.word()
		}
		first := len(b.properties)
		if len(s.properties) > 0 {
			if !fits(r, first, len(s.properties), properties) {
				return
			}
			for _, name := range s.properties {
				value := b.text(r)
				if s.wanted {
					b.properties = append(b.properties, Property{name, value})
				}
			}
		}
		if s.wanted {
			b.events = append(b.events, Event{
				Name: s.name, At: at, Connection: s.connection, Amount: lifecycle.Money{Micros: micros, Currency: s.currency},
				Key: key, Properties: b.properties[first:len(b.properties):len(b.properties)],
			})
		}
	}
	p.Events = b.events[from:len(b.events):len(b.events)]
}
