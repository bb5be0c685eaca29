package lifecycle

import "slices"

// The oracle decides what a person's history is straight from the raw events:
// it keeps no facts, predicts no flips, and instead looks at every instant at
// which anything could possibly change. It shares no code with the engine.

type oracleMove struct {
	At              Instant
	From, To        Stage
	Entered, Exited []Segment
}

type span struct {
	stage Stage
	from  Instant
}

type oracle struct {
	m       *model
	windows []int
	events  []*Event // absorbed so far, in order
	now     Instant

	path     int
	history  []span // stages shown, oldest first
	segments []Segment
	entered  map[Segment]Instant
	side     Stage // the side stage that the condition of its own shows
	moves    []oracleMove
	fallTo   Stage
	fallFrom Instant // since when a move back is held up; 0: none
	idle     int
	instants []Instant // still to look at, sorted
}

// tell runs the whole history up to now.
func tell(m *model, events []Event, now Instant) *oracle {
	o := &oracle{m: m, path: -1, entered: map[Segment]Instant{}}
	windows := append([]int{2, 4}, genWindows...)
	slices.Sort(windows)
	o.windows = slices.Compact(windows)
	for _, e := range settle(events) {
		o.lookUntil(e.At, false)
		o.instants = slices.DeleteFunc(o.instants, func(t Instant) bool { return t == e.At })
		o.events = append(o.events, e)
		o.idle = 0
		o.look(e.At, e)
		o.expect(e.At)
		o.expectScores()
		for _, tr := range e.Traits {
			if tr.At != 0 {
				o.expect(tr.At)
			}
			o.expectDate(tr.Value)
		}
		if until, ok := e.Properties["until"].(int64); ok {
			o.add(Instant(until))
		}
	}
	o.lookUntil(now, true)
	return o
}

// settle sorts and drops what is only evidence.
func settle(events []Event) []*Event {
	var list []*Event
	for i := range events {
		list = append(list, &events[i])
	}
	slices.SortFunc(list, func(a, b *Event) int {
		switch {
		case a.Before(b):
			return -1
		case b.Before(a):
			return 1
		}
		return 0
	})
	return slices.DeleteFunc(list, func(e *Event) bool {
		return slices.ContainsFunc(list, func(other *Event) bool {
			if other == nil || e == nil || other == e || e.BusinessKey == "" || other.Name != e.Name || other.BusinessKey != e.BusinessKey {
				return false
			}
			if other.At != e.At {
				return other.At < e.At
			}
			if other.Connection != e.Connection {
				return other.Connection < e.Connection
			}
			return other.Before(e)
		})
	})
}

func (o *oracle) add(t Instant) {
	if i, ok := slices.BinarySearch(o.instants, t); !ok {
		o.instants = slices.Insert(o.instants, i, t)
	}
}

// expect notes every instant that may follow from something at t.
func (o *oracle) expect(t Instant) {
	for _, w := range o.windows {
		o.add(t + Instant(w)*1_000_000)
	}
}

func (o *oracle) lookUntil(t Instant, inclusive bool) {
	for len(o.instants) > 0 && (o.instants[0] < t || inclusive && o.instants[0] == t) {
		at := o.instants[0]
		o.instants = o.instants[1:]
		if at > o.now && o.idle < maxIdleMoves {
			o.look(at, nil)
		}
	}
}

func (o *oracle) stage() Stage {
	if len(o.history) == 0 {
		return ""
	}
	return o.history[len(o.history)-1].stage
}

func (o *oracle) look(t Instant, e *Event) {
	o.now = t
	path := o.pathStages()
	if e != nil && e.Claim != "" {
		if i := slices.Index(path, e.Claim); i > o.path && o.mode(e.Connection) == "advance" {
			o.path = i
		}
	}
	reached := o.path
	for i, name := range path {
		if s := o.stageOf(name); i > o.path && (s.when == nil || o.holds(s.when)) {
			reached = i
		}
	}
	o.path = reached
	from, to := o.stage(), o.target(path)
	if to != o.side {
		o.side = ""
	}
	if to != from {
		o.history = append(o.history, span{to, t})
		o.add(t + 1)
		o.expect(t)
		if e == nil {
			o.idle++
		}
	}
	move := oracleMove{At: t, From: from, To: to}
	for _, name := range genSegments {
		c := o.m.segments[name]
		was := slices.Contains(o.segments, name)
		in := c != nil && o.belongs(c.when, c.modelGate, was, o.entered[name])
		if in && !was {
			move.Entered = append(move.Entered, name)
			o.entered[name] = t
			o.expect(t)
		}
		if was && !in {
			move.Exited = append(move.Exited, name)
		}
	}
	o.segments = slices.DeleteFunc(append(o.segments, move.Entered...), func(s Segment) bool { return slices.Contains(move.Exited, s) })
	slices.Sort(o.segments)
	if from != to || len(move.Entered)+len(move.Exited) > 0 {
		o.moves = append(o.moves, move)
	}
}

func (o *oracle) pathStages() (names []Stage) {
	for _, s := range o.m.stages {
		if !s.side {
			names = append(names, s.name)
		}
	}
	return names
}

func (o *oracle) stageOf(name Stage) *modelStage {
	for i := range o.m.stages {
		if o.m.stages[i].name == name {
			return &o.m.stages[i]
		}
	}
	return nil
}

func (o *oracle) mode(connection string) string {
	for _, c := range o.m.claims {
		if c.connection == connection {
			return c.mode
		}
	}
	return "ignore"
}

// target finds the stage to show and applies the policies for moves back.
func (o *oracle) target(path []Stage) Stage {
	if pinned := o.pinned(); pinned != "" {
		o.fallFrom, o.fallTo, o.side = 0, "", ""
		return pinned
	}
	side := o.side
	want, claimed := o.wanted(path)
	held := o.held(path)
	from, to := slices.Index(path, held), slices.Index(path, want)
	kept := func() Stage {
		if o.side = side; claimed && o.sided(path) {
			return o.side
		}
		o.side = ""
		return held
	}
	if want == o.stage() || from < 0 || to >= from || to < 0 && want != "" {
		o.fallFrom, o.fallTo = 0, ""
		return want
	}
	for _, r := range o.m.back {
		if len(r.from) > 0 && !slices.Contains(r.from, held) || len(r.to) > 0 && !slices.Contains(r.to, want) {
			continue
		}
		if r.policy == "forbid" {
			o.fallFrom, o.fallTo = 0, ""
			return kept()
		}
		if r.policy == "after" {
			if o.fallFrom == 0 || o.fallTo != want {
				o.fallFrom, o.fallTo = o.now, want
				o.expect(o.now)
			}
			if o.now < o.fallFrom+Instant(r.span)*1_000_000 {
				return kept()
			}
		}
		break
	}
	o.fallFrom, o.fallTo = 0, ""
	return want
}

func (o *oracle) pinned() Stage {
	var stage Stage
	var until Instant
	for _, e := range o.events {
		switch e.Name {
		case EventPinned:
			end, _ := e.Properties["until"].(int64)
			name := Stage(e.Properties["stage"].(string))
			if o.stageOf(name) != nil && (end == 0 || Instant(end) > e.At) {
				stage, until = name, Instant(end)
			}
		case EventUnpinned:
			stage = ""
		}
	}
	if until != 0 && o.now >= until {
		return ""
	}
	return stage
}

// held is the path stage held now, or before the side stage held now.
func (o *oracle) held(path []Stage) Stage {
	if o.stage() == "" {
		return ""
	}
	for _, s := range slices.Backward(o.history) {
		if slices.Contains(path, s.stage) {
			return s.stage
		}
	}
	return ""
}

func (o *oracle) wanted(path []Stage) (stage Stage, claimed bool) {
	for _, c := range o.m.claims {
		if c.mode != "hold" {
			continue
		}
		for _, e := range slices.Backward(o.events) {
			if e.Connection == c.connection && e.Claim != "" && o.stageOf(e.Claim) != nil {
				if c.span == 0 || o.now-e.At < Instant(c.span)*1_000_000 {
					o.side = ""
					return e.Claim, true
				}
				break
			}
		}
	}
	switch {
	case o.sided(path):
		return o.side, false
	case o.path < 0:
		return "", false
	}
	return path[o.path], false
}

// sided finds the side stage that its own condition shows.
func (o *oracle) sided(path []Stage) bool {
	for _, s := range o.m.stages {
		here := o.path >= 0 && slices.Contains(s.from, path[max(o.path, 0)])
		was := o.side == s.name && o.stage() == s.name
		since := Instant(0)
		if was {
			since = o.history[len(o.history)-1].from
		}
		if s.side && (len(s.from) == 0 || here) && o.belongs(s.when, s.modelGate, was, since) {
			o.side = s.name
			return true
		}
	}
	o.side = ""
	return false
}
