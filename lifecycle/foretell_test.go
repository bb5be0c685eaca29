package lifecycle

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// calm takes from a model what a foreteller does not answer at all.
func (m *model) calm() {
	m.claims, m.back = nil, nil
	for i := range m.stages {
		m.stages[i].modelGate = modelGate{}
		m.stages[i].when.forgetStages()
	}
	for _, s := range m.segments {
		s.modelGate = modelGate{}
		s.when.forgetStages()
	}
}

func (c *cond) forgetStages() {
	if c == nil {
		return
	}
	switch {
	case c.op == "stage" && strings.HasPrefix(string(c.stage), "X"): // a side stage
	case slices.Contains([]string{"was", "left", "stage", "in_stage_for"}, c.op):
		c.op = "seen"
	}
	for _, k := range c.kids {
		k.forgetStages()
	}
}

// edited gives a model that differs in some conditions.
func (m *model) edited(t *rapid.T) *model {
	e := *m
	e.stages, e.segments = slices.Clone(m.stages), map[Segment]*modelSegment{}
	names := make([]Stage, len(m.stages))
	for i := range m.stages {
		names[i] = m.stages[i].name
	}
	for i := range e.stages {
		if e.stages[i].when != nil && rapid.IntRange(0, 2).Draw(t, "edit") == 0 {
			e.stages[i].when = drawCond(t, names, 2)
		}
	}
	for _, name := range genSegments {
		if s := m.segments[name]; s != nil {
			e.segments[name] = &modelSegment{when: s.when}
		}
	}
	return &e
}

// What is foretold from a profile's facts is what deriving the person from all
// events gives; and much is foretold.
func TestPropertyForetoldIsWhatTheEventsSay(t *testing.T) {
	t.Parallel()
	var asked, told atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		calm := rapid.IntRange(0, 3).Draw(t, "calm") > 0
		if calm {
			m.calm()
		}
		draft := m.edited(t)
		if rapid.IntRange(0, 3).Draw(t, "another plan") == 0 {
			draft = drawModel(t)
		}
		if calm {
			draft.calm()
		}
		from, err := ParsePlan("from.yaml", []byte(m.text()), genVocabulary())
		if err != nil {
			t.Fatalf("%v\n%s", err, m.text())
		}
		to, err := ParsePlan("to.yaml", []byte(draft.text()), genVocabulary())
		if err != nil {
			t.Fatalf("%v\n%s", err, draft.text())
		}
		from, to = from.WithVersion(1), to.WithVersion(2)
		f := to.Foretell(from)
		if f == nil {
			return
		}
		for range 3 {
			events := drawEvents(t, m)
			if calm {
				events = slices.DeleteFunc(events, func(e Event) bool { return e.IsDecision() })
			}
			if len(events) == 0 {
				continue
			}
			now := drawNow(t, "now")
			have, _ := from.Derive(1, events, drawNow(t, "looked at before"))
			if rapid.Bool().Draw(t, "up to date") {
				have, _ = from.Derive(1, events, now)
			}
			got, ok := f.Decide(have, now)
			asked.Add(1)
			if !ok {
				continue
			}
			told.Add(1)
			want, _ := to.Derive(1, events, now)
			if got.Stage != want.Stage || !slices.Equal(got.SegmentNames(), want.SegmentNames()) {
				t.Fatalf("foretold %q %v, derived %q %v\n%s\n%s", got.Stage, got.SegmentNames(), want.Stage, want.SegmentNames(), m.text(), draft.text())
			}
			if got.Trait("score") != want.Trait("score") || got.Email() != want.Email() {
				t.Fatalf("traits: %v, %v", got.Values(), want.Values())
			}
		}
	})
	if a, n := asked.Load(), told.Load(); n == 0 || n*20 < a {
		t.Errorf("only %d of %d are foretold", n, a)
	} else {
		t.Logf("%d of %d are foretold", n, a)
	}
}

// edited gives a pair that differs in some conditions, of lifecycles with the
// same stages and readers.
func (x *pair) edited(t *rapid.T) *pair {
	e := &pair{a: x.a, b: x.b, reading: x.reading}
	if rapid.IntRange(0, 2).Draw(t, "main") > 0 {
		e.a = x.a.edited(t)
	}
	if rapid.IntRange(0, 2).Draw(t, "beside") > 0 {
		e.b = x.b.edited(t)
		if e.reading != nil {
			e.b.scores = nil
			e.b.readOnly(e.reading)
		}
	}
	return e
}

// The same of lifecycles side by side, whichever of them a draft changes.
func TestPropertyForetoldLifecyclesAreWhatTheEventsSay(t *testing.T) {
	t.Parallel()
	var asked, told atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		x := drawPair(t, false)
		x.a.calm()
		x.b.calm()
		draft := x.edited(t)
		draft.a.calm()
		draft.b.calm()
		linked := rapid.IntRange(0, 4).Draw(t, "linked") == 0
		from, to := x.parse(t, linked).WithVersion(1), draft.parse(t, linked).WithVersion(2)
		f := to.Foretell(from)
		if f == nil {
			return
		}
		for range 4 {
			events := drawEvents(t, x.a)
			if rapid.IntRange(0, 3).Draw(t, "decided") > 0 {
				events = slices.DeleteFunc(events, func(e Event) bool { return e.IsDecision() })
			}
			for i := range events {
				if events[i].IsDecision() && rapid.Bool().Draw(t, "about the one beside") {
					events[i] = events[i].About("beside")
				}
			}
			if len(events) == 0 {
				continue
			}
			now := drawNow(t, "now")
			have, _ := from.Derive(1, events, now)
			got, ok := f.Decide(have, now)
			asked.Add(1)
			if !ok {
				continue
			}
			told.Add(1)
			want, _ := to.Derive(1, events, now)
			if got.Stage != want.Stage || got.StandingIn("beside").Stage != want.StandingIn("beside").Stage || !slices.Equal(got.SegmentNames(), want.SegmentNames()) {
				t.Fatalf("foretold %q, %q, %v, derived %q, %q, %v", got.Stage, got.StandingIn("beside").Stage, got.SegmentNames(), want.Stage, want.StandingIn("beside").Stage, want.SegmentNames())
			}
		}
	})
	if a, n := asked.Load(), told.Load(); n == 0 {
		t.Errorf("only %d of %d are foretold", n, a)
	} else {
		t.Logf("%d of %d are foretold", n, a)
	}
}
