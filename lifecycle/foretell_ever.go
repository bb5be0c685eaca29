package lifecycle

import "slices"

// certainty is an answer that may be missing.
type certainty uint8

const (
	unknown certainty = iota
	no
	yes
)

// reached tells whether a path stage's condition was ever true.
func (f *Foreteller) reached(c *foretelling, t *foretold) certainty {
	if t.when == nil {
		return yes
	}
	if c := f.ever(t.when); c != unknown || t.same < 0 {
		return c
	}
	if f.was.NextCheck != 0 && f.was.NextCheck <= f.v.now {
		return unknown // time has moved on since that was noted
	}
	if f.rested() {
		return unknown
	}
	at := f.was.StandingIn(c.id)
	switch reached := c.from.PathIndex(at.Path); {
	case reached == t.same:
		return yes
	case reached < t.same:
		return no
	}
	return unknown
}

// rested tells whether timers may have rested under the other plan.
func (f *Foreteller) rested() bool {
	for _, t := range f.resting {
		at := f.was.standing(t.id)
		if at != nil && slices.ContainsFunc(t.sides, func(s *stage) bool { return at.visit(s.name) != nil }) {
			return true
		}
	}
	return false
}

// ever tells whether a condition was true at any instant up to now.
func (f *Foreteller) ever(x *expr) certainty {
	switch x.op {
	case opLeaf:
		return f.everLeaf(x)
	case opOr:
		all := no
		for _, k := range x.kids {
			switch f.ever(k) {
			case yes:
				return yes
			case unknown:
				all = unknown
			}
		}
		return all
	case opAnd:
		for _, k := range x.kids {
			if f.ever(k) == no {
				return no
			}
		}
	}
	return f.now(x)
}

// now answers yes where a condition holds, and else nothing.
func (f *Foreteller) now(x *expr) certainty {
	known := true
	x.each(func(l *leaf) { known = known && f.readable(l) })
	if known {
		if truth, _ := x.eval(&f.v); truth {
			return yes
		}
	}
	return unknown
}

func (f *Foreteller) everLeaf(x *expr) certainty {
	l := x.leaf
	if f.now(x) == yes {
		return yes
	}
	var fact *Fact
	if l.event != "" {
		fact = f.v.fact(l.slot)
	}
	switch l.kind {
	case leafLiteral, leafSeen:
		return no // what is false now never was true
	case leafWithin: // true at the event itself
		return isEver(fact != nil)
	case leafAtLeast:
		if fact == nil || fact.Count < int64(l.n) {
			return no
		}
	case leafIdle:
		if fact == nil || fact.Last-fact.First < l.window {
			return no
		}
	case leafInactive:
		if first, active := f.v.seen(l.of); active == 0 || f.v.prof.LastSeen-first < l.window {
			return no
		}
	case leafNever:
		switch first, _ := f.v.seen(l.of); {
		case fact == nil || fact.First-first < l.window:
			return no
		case fact.First-first > l.window:
			return yes
		}
	case leafHasBeen:
		if _, there := f.v.prof.findTrait(l.trait); !there {
			return no
		}
	case leafIn, leafTruthy:
		switch l.left.kind {
		case operandTrait:
			return f.everTrait(&l.left)
		case operandStage:
			return no // see Decide
		}
	case leafCompare:
		return f.everCompare(l)
	}
	return unknown
}

// everTrait tells of what does not hold now for a trait: it never did where the
// trait has been missing throughout.
func (f *Foreteller) everTrait(o *operand) certainty {
	if _, there := f.v.prof.findTrait(o.trait); !there {
		return no
	}
	return unknown
}

// everCompare is everLeaf for a comparison that does not hold now.
func (f *Foreteller) everCompare(l *leaf) certainty {
	if l.right.kind != operandLiteral {
		return unknown
	}
	switch l.left.kind {
	case operandStage:
		return no // see Decide
	case operandCount:
		if l.op == ">=" || l.op == ">" {
			return no // a count only grows
		}
	case operandSum:
		if f.v.factOf(&l.left) == nil && (l.op == ">=" || l.op == ">") {
			return no // it has been nothing throughout
		}
	case operandTrait:
		return f.everTrait(&l.left)
	case operandScore:
		if l.left.score.grows() && (l.op == ">=" || l.op == ">") {
			return no
		}
	}
	return unknown
}

func isEver(truth bool) certainty {
	if truth {
		return yes
	}
	return no
}
