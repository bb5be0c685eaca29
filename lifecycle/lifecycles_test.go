package lifecycle

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const schoolPlan = `
name: school
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed") || stage_of("academy") == "Graduate"' }
segments:
  learner: stage_of("academy") in ["Student", "Graduate"]
lifecycles:
  academy:
    about: Courses
    events: ['Course:*', Video:Watched]
    stages:
      - { name: Guest }
      - { name: Student, when: 'seen("Course:Started")' }
      - { name: Graduate, when: 'count("Course:Completed") >= 2' }
      - { name: Away, side: true, from: [Student], when: 'never("Course:Completed", "20d") || inactive("10d")' }
    segments:
      star: stage == "Graduate" && stage_of("main") == "Customer"
  support:
    stages:
      - { name: Quiet }
      - { name: Loud, when: 'seen("Ticket:Created") && stage_of("academy") != "Student"' }
    back: [ { policy: forbid } ]
`

func told(n int, at Instant, name EventName) Event {
	e := event(n, at, name)
	e.Inbox = int64(n)
	return e
}

func schoolVocabulary() Vocabulary {
	return Vocabulary{"Course:Started": {Activity: true}, "Video:Watched": {Activity: true}, "Course:Completed": {}, "Order:Completed": {Activity: true}, "Ticket:Created": {}}
}

func school(t testing.TB) *Plan {
	t.Helper()
	p, err := ParsePlan("school.yaml", []byte(schoolPlan), schoolVocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each lifecycle goes its own way, at exact instants, and sees of the others
// what was held just before.
func TestLifecyclesSideBySide(t *testing.T) {
	t.Parallel()
	p := school(t)
	prof, moves := p.Derive(1, []Event{
		told(1, start, "Order:Viewed"),
		told(2, start+day, "Course:Started"),
		told(3, start+2*day, "Ticket:Created"),
		told(4, start+9*day, "Order:Completed"),
		told(5, start+15*day, "Course:Completed"),
		told(6, start+16*day, "Course:Completed"),
	}, start+100*day)
	var got []string
	for _, m := range moves {
		line := m.Lifecycle + " " + string(m.From) + ">" + string(m.To) + " " + string(m.Kind)
		for _, s := range m.Entered {
			line += " +" + string(s)
		}
		for _, s := range m.Exited {
			line += " -" + string(s)
		}
		got = append(got, (m.At-start).span().String()+" "+line)
	}
	want := []string{
		"0s  >Visit forward",
		"0s support >Quiet forward",
		"24h0m0s  Visit>Visit segments +learner",
		"24h0m0s academy >Student skip",
		"216h0m0s  Visit>Customer forward",
		"264h0m0s  Customer>Customer segments -learner",
		"264h0m0s academy Student>Away forward", // ten days after the activity
		"264h0m0.000001s support Quiet>Loud forward",
		"384h0m0s  Customer>Customer segments +learner +star",
		"384h0m0s academy Away>Graduate forward",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	if prof.Stage != "Customer" || prof.StandingIn("academy").Stage != "Graduate" || prof.StandingIn("main").Stage != "Customer" || prof.StandingIn("none").Stage != "" {
		t.Errorf("stands at %q, %+v", prof.Stage, prof.lifecycles)
	}
}

// Somebody of whom a lifecycle has read nothing is not in it, unless by a pin.
func TestLifecyclePinAndAbsence(t *testing.T) {
	t.Parallel()
	p := school(t)
	prof, _ := p.Derive(1, []Event{told(1, start, "Order:Completed")}, start+50*day)
	if prof.lifecycle("academy") != nil || prof.StandingIn("support").Stage != "Quiet" {
		t.Fatalf("in %+v", prof.lifecycles)
	}
	for _, tt := range []struct {
		name  string
		event Event
		want  Stage
	}{
		{"pinned", PinEvent(number(2), start+60*day, "Student", "by phone", start+80*day).About("academy"), "Student"},
		{"unknown stage", PinEvent(number(2), start+60*day, "Customer", "", 0).About("academy"), ""},
		{"unknown lifecycle", PinEvent(number(2), start+60*day, "Visit", "", 0).About("nowhere"), ""},
		{"release of nothing", UnpinEvent(number(2), start+60*day, "").About("academy"), ""},
	} {
		c := prof.Clone()
		moves, err := p.Apply(c, []Event{tt.event}, start+60*day)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.StandingIn("academy").Stage; got != tt.want || c.Stage != "Customer" {
			t.Errorf("%s: academy %q, main %q", tt.name, got, c.Stage)
		}
		if tt.want == "" {
			continue
		}
		if kind := moves[len(moves)-1].Kind; kind != KindManual {
			t.Errorf("%s: kind %q", tt.name, kind)
		}
		x := p.Explain(c, start+61*day)
		if len(x.Lifecycles) != 2 || x.Lifecycles[0].Via != ViaPin || x.Lifecycles[0].Until != start+80*day || x.Via != ViaPath {
			t.Errorf("explained as %+v", x.Lifecycles)
		}
		if p.Advance(c, start+80*day); c.StandingIn("academy").Stage != "" {
			t.Errorf("after the pin: %q", c.StandingIn("academy").Stage)
		}
	}
}

func TestLifecycleMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"  main: { stages: [ { name: A } ] }":                                                                             "is what conditions call the plan's own stages",
		"  Big-Id: { stages: [ { name: A } ] }":                                                                           "an id is a small letter",
		"  a: { about: x }":                                                                                               "stages: is missing",
		"  a: { stages: [ { name: A } ], claims: { x: hold } }":                                                           "claims",
		"  a: { events: ['A*:Done'], stages: [ { name: A } ] }":                                                           "a * may stand at the end only",
		"  a: { events: [], stages: [ { name: A } ] }":                                                                    "leave it out to read all events",
		"  a: { events: ['B:*'], stages: [ { name: A, when: 'seen(\"A:Done\")' } ] }":                                     "is not among the events of the lifecycle a",
		"  a: { stages: [ { name: A, when: 'stage_of(\"b\") == \"A\"' } ] }":                                              `there is no lifecycle "b"`,
		"  a: { stages: [ { name: A, when: 'stage_of(\"main\") == \"A\"' } ] }":                                           `there is no stage "A"`,
		"  a: { stages: [ { name: A, when: 'stage_of(\"main\")' } ] }":                                                    "is a name; compare it",
		"  a: { stages: [ { name: A } ], segments: { s: 'stage == \"Visit\"' } }":                                         `there is no stage "Visit"`,
		"  a: { stages: [ { name: A } ], segments: { taken: 'stage == \"A\"' } }":                                         "is the name of two segments",
		"  a: { stages: [ { name: A }, { name: B, when: 'seen(\"X:Y\")' } ], back: [ { from: Visit, policy: forbid } ] }": "is no stage of this plan",
	} {
		_, err := ParsePlan("p.yaml", []byte("name: p\nstages: [ { name: Visit } ]\nsegments: { taken: 'seen(\"A:B\")' }\nlifecycles:\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngave %v, want %q", text, err, want)
		}
	}
}

// pair is two random plans, each alone and the second as a lifecycle beside the
// first.
type pair struct {
	a, b     *model
	reading  []EventName // nil: all
	together *Plan
}

func drawPair(t *rapid.T, linked bool) *pair {
	x := &pair{a: drawModel(t), b: drawModel(t)}
	some := !linked && rapid.Bool().Draw(t, "reads some")
	if some {
		x.a.scores = nil // which are the plan's own, whatever a lifecycle reads
	}
	x.b.claims, x.b.zone, x.b.scores = nil, x.a.zone, x.a.scores
	if some {
		x.reading = rapid.SliceOfNDistinct(rapid.SampledFrom(genEvents), 1, len(genEvents), rapid.ID).Draw(t, "reading")
		x.b.readOnly(x.reading)
	}
	x.together = x.parse(t, linked)
	return x
}

// parse makes one plan of the two.
func (x *pair) parse(t *rapid.T, linked bool) *Plan {
	text := x.a.text() + "lifecycles:\n  beside:\n"
	if x.reading != nil {
		text += "    events: ["
		for i, name := range x.reading {
			if i > 0 {
				text += ", "
			}
			text += string(name)
		}
		text += "]\n"
	}
	_, inner, _ := strings.Cut(x.b.text(), "stages:\n")
	for line := range strings.Lines("stages:\n" + strings.NewReplacer("  s1:", "  t1:", "  s2:", "  t2:", "  s3:", "  t3:").Replace(inner)) {
		text += "    " + line
	}
	if linked {
		main, beside, _ := strings.Cut(text, "lifecycles:\n")
		main = strings.ReplaceAll(main, `(stage == "P0")`, `(stage_of("beside") == "P0")`)
		beside = strings.ReplaceAll(beside, `(stage != "P0")`, `(stage_of("main") != "P0")`)
		text = main + "lifecycles:\n" + beside
	}
	p, err := ParsePlan("together.yaml", []byte(text), genVocabulary())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// readOnly puts events that are read in the place of the others.
func (m *model) readOnly(names []EventName) {
	for i := range m.stages {
		m.stages[i].when.readOnly(names)
		m.stages[i].until.readOnly(names)
	}
	for _, s := range m.segments {
		s.when.readOnly(names)
		s.until.readOnly(names)
	}
}

func (c *cond) readOnly(names []EventName) {
	if c == nil {
		return
	}
	if c.op == "source" { // of the person, whatever a lifecycle reads
		c.op = "seen"
	}
	if c.event != "" && !slices.Contains(names, c.event) {
		c.event = names[0]
	}
	for _, k := range c.kids {
		k.readOnly(names)
	}
}

func (x *pair) alone(t *rapid.T, m *model) *Plan {
	p, err := ParsePlan("alone.yaml", []byte(m.text()), genVocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rests tells whether timers came so often that they rest, where plans differ
// in how much they bear.
func rests(moves []Transition) bool {
	n := 0
	for _, m := range moves {
		if m.Event != (EventID{}) {
			n = 0
		} else if n++; n >= maxIdleMoves-1 {
			return true
		}
	}
	return false
}

// stageMoves are the moves of one lifecycle as that of a plan of its own.
func stageMoves(all []Transition, id string) (moves []Transition) {
	for _, m := range all {
		if m.Lifecycle == id && m.From != m.To {
			m.Seq, m.Entered, m.Exited, m.Lifecycle = 0, nil, nil, ""
			moves = append(moves, m)
		}
	}
	return moves
}

// A lifecycle beside the main one is what it would be as a plan of its own, and
// the main one does not notice it.
func TestPropertyLifecyclesDoNotTouchEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := drawPair(t, false)
		var all, ofB []Event
		for _, e := range drawEvents(t, x.a) {
			if e.IsDecision() { // it begins everybody's way, whatever it is about
				continue
			}
			if x.reading != nil && !slices.Contains(x.reading, e.Name) {
				// Traits are the plan's own, whatever a lifecycle reads; and an event
				// of the instant of another shows conditions what that one led to.
				e.Traits = nil
				e.At += 250_000
				all = append(all, e)
				continue
			}
			all = append(all, e)
			e.Claim = ""
			ofB = append(ofB, e)
		}
		now := drawNow(t, "now")
		for i := range all {
			now = max(now, all[i].At) // what a lifecycle does not read lets time pass for it
		}
		prof, moves := x.together.Derive(1, all, now)
		a, movesA := x.alone(t, x.a).Derive(1, all, now)
		b, movesB := x.alone(t, x.b).Derive(1, ofB, now)
		if x.reading != nil && len(ofB) == 0 {
			if prof.lifecycle("beside") != nil {
				t.Fatal("in a lifecycle that has read nothing")
			}
			return
		}
		if rests(moves) || rests(movesA) || rests(movesB) {
			return
		}
		same := func(what string, alone, beside Standing, movesAlone, movesBeside []Transition) {
			if diff := cmp.Diff(movesAlone, movesBeside); diff != "" {
				t.Fatalf("%s (-alone +beside):\n%s\n%s", what, diff, x.b.text())
			}
			if diff := cmp.Diff(alone, beside, cmp.AllowUnexported(Standing{}), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s (-alone +beside):\n%s\n%s", what, diff, x.b.text())
			}
		}
		same("main", a.Standing, prof.Standing, stageMoves(movesA, ""), stageMoves(moves, ""))
		same("beside", b.Standing, prof.StandingIn("beside"), stageMoves(movesB, ""), stageMoves(moves, "beside"))
		if x.reading != nil && len(ofB) < len(all) {
			return // segments begin with the person, not with the lifecycle
		}
		want := a.SegmentNames()
		for _, s := range b.SegmentNames() {
			want = append(want, "t"+s[1:])
		}
		if got := prof.SegmentNames(); !slices.Equal(got, want) {
			t.Fatalf("in %v, want %v", got, want)
		}
	})
}

// Lifecycles that read each other are the same in any order of the events and
// however these are cut into calls.
func TestPropertyLinkedLifecyclesInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := drawPair(t, true)
		events := drawEvents(t, x.a)
		for i := range events {
			if events[i].IsDecision() && rapid.Bool().Draw(t, "about the one beside") {
				events[i] = events[i].About("beside")
			}
		}
		now := drawNow(t, "now")
		want, wantMoves := x.together.Derive(1, events, now)
		got, gotMoves := x.together.Derive(1, rapid.Permutation(events).Draw(t, "order"), now)
		if diff := diffProfiles(want, recoded(t, got)); diff != "" {
			t.Fatalf("profile (-first +mixed):\n%s", diff)
		}
		if diff := cmp.Diff(wantMoves, gotMoves); diff != "" {
			t.Fatalf("moves (-first +mixed):\n%s", diff)
		}
		sorted := Effective(events)
		prof, clock := NewProfile(1), Instant(0)
		for i := 0; i < len(sorted); {
			n := rapid.IntRange(1, len(sorted)-i).Draw(t, "chunk")
			clock = max(clock, drawNow(t, "call"))
			if _, err := x.together.Apply(prof, sorted[i:i+n], clock); errors.Is(err, ErrLate) {
				prof, _ = x.together.Derive(1, sorted[:i+n], clock)
			} else if err != nil {
				t.Fatal(err)
			}
			i += n
			prof = recoded(t, prof)
		}
		now = max(clock, sorted[len(sorted)-1].At)
		x.together.Advance(prof, now)
		want, _ = x.together.Derive(1, events, now)
		if diff := diffProfiles(want, prof); diff != "" {
			t.Fatalf("profile (-whole +split):\n%s", diff)
		}
	})
}
