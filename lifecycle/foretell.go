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
	to     *Plan
	from   *Plan
	path   []foretold
	sides  []*stage // those that stage conditions of to name
	shares bool     // what from knows of conditions is of use
	v      view
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
	if len(p.others)+len(from.others) > 0 {
		return nil
	}
	sides, plain := p.namedSides()
	if !plain || len(p.back) > 0 || !quietClaims(p, from) || !p.settles() {
		return nil
	}
	for _, s := range p.segments {
		visits := false
		s.each(func(l *leaf) { visits = visits || l.kind == leafWas || l.kind == leafLeft || l.kind == leafInStageFor })
		if visits || s.hysteresis() {
			return nil
		}
	}
	for _, s := range p.stages {
		if s.hysteresis() {
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
	_, plain = from.namedSides()
	f := &Foreteller{to: p, from: from, sides: sides, shares: plain && !advances(from) && from.settles(), v: view{plan: p}}
	for _, s := range p.path {
		t := foretold{when: s.when, same: -1}
		if f.shares && s.when != nil && scoresKept(s.when, from) {
			t.same = from.pathOf(s.when.spelled(), p.zone == from.zone)
		}
		f.path = append(f.path, t)
	}
	return f
}

// namedSides gives the side stages that stage conditions name, as in
// stage == "Dormant"; plain is false where they look at anything else of where
// the person is or was.
func (p *Plan) namedSides() (sides []*stage, plain bool) {
	plain = true
	for _, s := range p.stages {
		s.each(func(l *leaf) {
			if !l.readsStage() {
				return
			}
			names := l.list
			if l.kind == leafCompare && l.left.kind == operandStage && l.right.kind == operandLiteral {
				names = []any{l.right.value}
			}
			plain = plain && len(names) > 0
			for _, v := range names {
				name, _ := v.(string)
				side := p.stage(Stage(name))
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
	for _, s := range p.stages {
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
func (p *Plan) pathOf(spelled string, sameZone bool) int {
	for i, s := range p.path {
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
	next.PlanVersion, next.Stage = f.to.version, ""
	f.v.prof, f.v.now = &next, now
	f.v.locate()
	// As long as nobody was ever shown in a side stage, conditions that name it
	// see that; and where its own condition was never true then, that stays so.
	for _, s := range f.sides {
		if s.when == nil || f.ever(s.when) != no {
			return nil, false
		}
	}
	path := -1
	for i := len(f.path) - 1; i >= 0 && path < 0; i-- {
		switch f.reached(&f.path[i]) {
		case unknown:
			return nil, false
		case yes:
			path = i
		}
	}
	stage := Stage("")
	if path >= 0 {
		stage = f.to.path[path].name
	}
	for _, s := range f.to.sides {
		if s.from != anywhere && (path < 0 || s.from&(1<<path) == 0) {
			continue
		}
		truth, known := f.holds(&s.gate)
		if !known {
			return nil, false
		}
		if truth {
			stage = s.name
			break
		}
	}
	next.Stage, next.Segments = stage, nil
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
