package lifecycle

import (
	"maps"
	"slices"
)

// Foreteller finds where people would stand under a plan, from what their
// profiles hold and without their events, wherever that is certain. A profile
// keeps facts, not their order, and path stages are latched, so the question
// for each of them is whether its condition was ever true: the facts answer it
// where the condition only ever becomes true, where it holds now, where nothing
// it reads ever came, and where the plan that the person is under asks the same.
// It is used by one goroutine.
type Foreteller struct {
	to      *Plan
	from    *Plan
	courses []foretelling // the main lifecycle, then the further ones by id
	shares  bool          // what from knows of conditions is of use
	resting []*track      // of from, where stages could chase each other
	v       view
	was     *Profile // as it is under from
}

// foretelling is about one lifecycle.
type foretelling struct {
	*track
	from *track // the same one of the other plan
	ways []foretold
	// named are the side stages that its stage conditions name.
	named []*stage
}

// foretold is a path stage.
type foretold struct {
	when *expr
	// same is the place on the other plan's path of a stage with the same
	// condition; -1 for none.
	same int
}

// Foretell prepares to say where people who are under from would stand under
// p; nil where that needs their events whatever the person.
func (p *Plan) Foretell(from *Plan) *Foreteller {
	if !quietClaims(p, from) || !p.settles() {
		return nil
	}
	for _, s := range p.segments {
		visits := false
		s.each(func(l *leaf) { visits = visits || l.kind == leafWas || l.kind == leafLeft || l.kind == leafInStageFor })
		if visits || s.hysteresis() {
			return nil
		}
	}
	active := maps.Equal(p.activity, from.activity)
	if p.activeRead && !active {
		return nil
	}
	if !sameScores(p, from) {
		return nil
	}
	f := &Foreteller{to: p, from: from, shares: !advances(from) && from.settles(), v: view{plan: p}}
	for _, t := range from.tracks() {
		_, plain := t.namedSides()
		f.shares = f.shares && plain
		if t.stageReads && len(t.sides) > 0 {
			f.resting = append(f.resting, t)
		}
	}
	for _, t := range p.tracks() {
		c, ok := f.foretelling(t)
		if !ok {
			return nil
		}
		f.courses = append(f.courses, c)
	}
	return f
}

// foretelling prepares one lifecycle; false where that needs events.
func (f *Foreteller) foretelling(t *track) (foretelling, bool) {
	c := foretelling{track: t, from: f.from.trackOf(t.id)}
	if c.from == nil || t.id != "" && !t.continues(c.from) || len(t.back) > 0 {
		return c, false
	}
	plain := false
	if c.named, plain = t.namedSides(); !plain {
		return c, false
	}
	for _, s := range t.stages {
		if s.hysteresis() {
			return c, false
		}
	}
	for _, s := range t.path {
		w := foretold{when: s.when, same: -1}
		if f.shares && s.when != nil && scoresKept(s.when, f.from) {
			w.same = c.from.pathOf(s.when.spelled(), f.to.zone == f.from.zone)
		}
		c.ways = append(c.ways, w)
	}
	return c, true
}

// continues tells whether a further lifecycle has the same people as that of
// another plan, and no stage that a pin may have been passed over for there.
func (t *track) continues(have *track) bool {
	return slices.Equal(t.reading, have.reading) && !slices.ContainsFunc(t.stages, func(s *stage) bool { return have.stage(s.name) == nil })
}

// namedSides gives the side stages that stage conditions name, as in
// stage == "Dormant"; plain is false where they look at anything else of where
// the person is or was, in this lifecycle or another.
func (t *track) namedSides() (sides []*stage, plain bool) {
	plain = true
	for _, s := range t.stages {
		s.each(func(l *leaf) {
			if !l.readsStage() {
				return
			}
			names := l.list
			if l.kind == leafCompare && l.left.kind == operandStage && l.right.kind == operandLiteral {
				names = []any{l.right.value}
			}
			plain = plain && len(names) > 0 && l.left.of == t.id
			for _, v := range names {
				name, _ := v.(string)
				side := t.stage(Stage(name))
				if side == nil || !side.side {
					plain = false
					return
				}
				sides = append(sides, side)
			}
		})
	}
	return sides, plain
}

// quietClaims tells whether a profile without claims shows that none ever
// counted under p.
func quietClaims(p, from *Plan) bool {
	if len(p.claims) == 0 {
		return true
	}
	return slices.Equal(p.claims, from.claims) && !slices.ContainsFunc(p.claims, func(c claimRule) bool { return c.mode != claimHold })
}

func advances(p *Plan) bool {
	return slices.ContainsFunc(p.claims, func(c claimRule) bool { return c.mode == claimAdvance })
}

// settles tells whether time alone cannot move anybody so often that timers
// rest: without events a window opens or closes once, and a number of days
// becomes equal to another and unequal again.
func (p *Plan) settles() bool {
	timed := 0
	for _, t := range p.tracks() {
		for _, s := range t.stages {
			s.each(func(l *leaf) {
				switch {
				case l.left.isDays() && l.kind == leafIn:
					timed += 2 * len(l.list)
				case l.left.isDays():
					timed += 2
				case l.readsScore() != nil:
					timed += l.turns()
				case l.timed():
					timed++
				}
			})
		}
	}
	return timed < maxIdleMoves
}

func (l *leaf) timed() bool {
	switch l.kind {
	case leafLiteral, leafSeen, leafWas, leafIn, leafTruthy, leafCompare:
		return false
	}
	return true
}

// pathOf gives the place on the path of a stage with a condition; -1 for none.
func (t *track) pathOf(spelled string, sameZone bool) int {
	for i, s := range t.path {
		if s.when == nil || s.hysteresis() || s.when.spelled() != spelled {
			continue
		}
		days := false
		s.each(func(l *leaf) { days = days || l.left.isDays() || l.kind == leafBefore || l.kind == leafAfter })
		if days && !sameZone {
			continue
		}
		return i
	}
	return -1
}

// spelled gives a text that is equal for equal conditions.
func (x *expr) spelled() string {
	if x.op == opLeaf {
		return x.leaf.text()
	}
	text := [...]string{opAnd: "and(", opOr: "or(", opNot: "not("}[x.op]
	for _, k := range x.kids {
		text += k.spelled() + ";"
	}
	return text + ")"
}

// Decide gives a profile as it would be under the plan, as far as its stage,
// the names of its segments and its traits go; Since and everything about the
// way there stay as they are. False: the events have to be asked.
func (f *Foreteller) Decide(prof *Profile, now Instant) (*Profile, bool) {
	if prof.PlanVersion != f.from.version || prof.pin.Stage != "" || len(prof.claims) > 0 || len(prof.conflicts) > 0 || prof.NewestAt > now ||
		len(prof.facts) >= MaxEventNames || len(prof.traits) >= MaxTraits || prof.Flapping() {
		return nil, false
	}
	next := *prof
	next.PlanVersion, next.Stage, next.lifecycles = f.to.version, "", nil
	for i := range prof.lifecycles {
		l := &prof.lifecycles[i]
		if l.pin.Stage != "" {
			return nil, false
		}
		if f.to.other(l.ID) != nil {
			next.lifecycles = append(next.lifecycles, Lifecycle{ID: l.ID, FirstSeen: l.FirstSeen, LastActivity: l.LastActivity})
		}
	}
	f.v.prof, f.v.now, f.was = &next, now, prof
	f.v.locate()
	for i := range f.courses {
		c := &f.courses[i]
		at := next.standing(c.id)
		if at == nil || c.reading != nil && next.lifecycle(c.id).FirstSeen == 0 {
			continue // has not come to it
		}
		var known bool
		if at.Stage, known = f.stage(c); !known {
			return nil, false
		}
	}
	next.Segments = nil
	if !f.scores(&next) {
		return nil, false
	}
	for _, s := range f.to.segments {
		truth, known := f.holds(&s.gate)
		if !known {
			return nil, false
		}
		if truth {
			next.Segments = append(next.Segments, Membership{Name: s.name})
		}
	}
	return &next, true
}

// stage finds the stage in a lifecycle; false where only events tell. Until it is
// found the person is in none.
func (f *Foreteller) stage(c *foretelling) (stage Stage, known bool) {
	// As long as nobody was ever shown in a side stage, conditions that name it
	// see that; and where its own condition was never true then, that stays so.
	for _, s := range c.named {
		if s.when == nil || f.ever(s.when) != no {
			return "", false
		}
	}
	path := -1
	for i := len(c.ways) - 1; i >= 0 && path < 0; i-- {
		switch f.reached(c, &c.ways[i]) {
		case unknown:
			return "", false
		case yes:
			path = i
		}
	}
	for _, s := range c.sides {
		if s.from != anywhere && (path < 0 || s.from&(1<<path) == 0) {
			continue
		}
		truth, known := f.holds(&s.gate)
		if !known {
			return "", false
		}
		if truth {
			return s.name, true
		}
	}
	if path < 0 {
		return "", true
	}
	return c.track.path[path].name, true
}

// holds evaluates a condition now, unless a fact lacks what it reads.
func (f *Foreteller) holds(g *gate) (truth, known bool) {
	known = true
	g.each(func(l *leaf) { known = known && f.readable(l) })
	if !known {
		return false, false
	}
	truth, _ = g.eval(&f.v)
	return truth, true
}

// readable tells whether the profile holds what a leaf reads: other plans may
// have kept fewer times of an event, and of very many currencies none is kept.
func (f *Foreteller) readable(l *leaf) bool {
	if s := l.readsScore(); s != nil && !f.scoreReadable(s) {
		return false
	}
	if l.kind == leafAtLeast {
		fact := f.v.fact(l.slot)
		return fact == nil || fact.Count < int64(l.n) || len(fact.Newest) >= l.n
	}
	for _, o := range [...]*operand{&l.left, &l.right} {
		if fact := f.v.factOf(o); fact != nil && o.kind == operandSum && len(fact.Sums) >= MaxCurrencies {
			return false
		}
	}
	return true
}

func (v *view) factOf(o *operand) *Fact {
	if o.kind != operandCount && o.kind != operandSum {
		return nil
	}
	return v.fact(o.slot)
}
