package lifecycle

import "slices"

// sameScores tells whether what profiles under another plan hold is enough to
// know the scores of p: one that fades has to be the same in both, and one that p
// has not may hide what somebody told under its name.
func sameScores(p, from *Plan) bool {
	for _, s := range p.scores {
		if have := from.score(s.name); s.half != 0 && (have == nil || have.print != s.print) {
			return false
		}
	}
	return !slices.ContainsFunc(from.scores, func(s *score) bool { return p.score(s.name) == nil })
}

// scoresKept tells whether the scores that a condition reads mean the same under
// another plan.
func scoresKept(x *expr, other *Plan) bool {
	kept := true
	x.each(func(l *leaf) {
		if s := l.readsScore(); s != nil {
			have := other.score(s.name)
			kept = kept && have != nil && have.print == s.print
		}
	})
	return kept
}

// turns gives how often time alone can change a comparison with a score: each
// time its points jump they may pass each number, and they may once by fading.
func (l *leaf) turns() int {
	numbers, jumps := 2*max(1, len(l.list)), 1
	l.readsScore().each(func(of *leaf) {
		switch {
		case of.left.isDays():
			jumps += 2 * max(1, len(of.list))
		case of.timed():
			jumps++
		}
	})
	return numbers * jumps
}

// grows tells whether a score can never become less.
func (s *score) grows() bool {
	return s.half == 0 && len(s.conditions) == 0 && !slices.ContainsFunc(s.events, func(e scoreEvent) bool { return e.points < 0 })
}

// scoreReadable tells whether the profile holds what a score is made of.
func (f *Foreteller) scoreReadable(s *score) bool {
	readable := true
	s.each(func(l *leaf) { readable = readable && f.readable(l) })
	return readable
}

// scores sets the traits of the scores; false where they are not known. Those
// that fade stay as they are, as long as no timer is due.
func (f *Foreteller) scores(prof *Profile) bool {
	if len(f.to.scores) == 0 {
		return true
	}
	prof.traits = slices.Clone(prof.traits)
	for _, s := range f.to.scores {
		if s.half != 0 {
			if prof.NextCheck != 0 && prof.NextCheck <= f.v.now {
				return false
			}
			continue
		}
		if !f.scoreReadable(s) {
			return false
		}
		sh := s.sheet(&f.v)
		value := s.whole(&sh, f.v.now)
		if i, ok := prof.findTrait(s.name); ok {
			prof.traits[i].Value = value
		} else {
			prof.traits = slices.Insert(prof.traits, i, TraitState{Name: s.name, Value: value, At: f.v.now, Since: f.v.now})
		}
	}
	return true
}
