package lifecycle

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// A condition reads a score of the plan as it reads a trait, traits.lead_score,
// and sees it as it is at that very instant, rounded to a whole number.

// scored turns a trait that is a score of the plan into one.
func (c *conditionParser) scored(n ast.Node, o operand) operand {
	if o.kind == operandTrait && slices.Contains(c.unscored, o.trait) {
		c.fail(n, "traits.%s is a score, and a score cannot look at a score", o.trait)
	}
	s := c.score(o.trait)
	if s == nil || o.kind != operandTrait {
		return o
	}
	if len(o.path) > 0 {
		c.fail(n, "traits.%s is a score, which is a number", s.name)
	}
	return operand{kind: operandScore, trait: s.name, score: s}
}

func (c *conditionParser) score(name string) *score {
	for _, s := range c.scores {
		if s.name == name {
			return s
		}
	}
	return nil
}

// noScore reports a score where a plain trait is wanted.
func (c *conditionParser) noScore(n ast.Node, name string) {
	if slices.Contains(c.unscored, name) {
		c.fail(n, "traits.%s is a score, and a score cannot look at a score", name)
	}
	if c.score(name) != nil {
		c.fail(n, "traits.%s is a score of this plan; compare it with a whole number, as in traits.%s >= 50", name, name)
	}
}

// checkScore holds a comparison with a score to what can be computed ahead.
func (c *conditionParser) checkScore(n ast.Node, l *leaf) {
	if l.right.kind == operandScore && l.left.kind != operandScore {
		l.left, l.right, l.op = l.right, l.left, mirrored(l.op)
	}
	if l.left.kind != operandScore {
		return
	}
	want := l.list
	if l.kind == leafCompare {
		want = []any{l.right.value}
		if l.right.kind != operandLiteral {
			c.fail(n, "a score can be compared with a whole number only")
			return
		}
	}
	for _, v := range want {
		if x, ok := v.(int64); !ok || x < -mostWhole || x > mostWhole {
			c.fail(n, "a score can be compared with whole numbers only, between -%d and %d", mostWhole, mostWhole)
			return
		}
	}
}

// scoreValue gives the score now.
func (o *operand) scoreValue(v *view) any {
	sh := o.score.sheet(v)
	return o.score.whole(&sh, v.now)
}

// linkScore compiles a comparison of a score with numbers. Between two events
// and two flips of conditions it only goes one way, so the truth can change only
// where it gets to one of a few numbers: turns, sorted.
func (l *leaf) linkScore() condition {
	s, numbers, op := l.left.score, l.list, "in"
	if l.kind == leafCompare {
		numbers, op = []any{l.right.value}, l.op
	}
	var turns []int64
	for _, v := range numbers {
		n := v.(int64)
		turns = append(turns, n-1, n, n+1)
	}
	slices.Sort(turns)
	turns = slices.Compact(turns)
	holds := ordering(op)
	truth := func(n int64) bool {
		for _, v := range numbers {
			if holds(sign(n, v.(int64))) {
				return true
			}
		}
		return false
	}
	return func(v *view) (bool, Instant) {
		sh := s.sheet(v)
		n := s.whole(&sh, v.now)
		is := truth(n)
		if sh.fading == 0 {
			return is, sh.flips
		}
		for i := range turns {
			turn := turns[i]
			if sh.falls() {
				turn = turns[len(turns)-1-i]
			}
			if past := sh.falls() && turn < n || !sh.falls() && turn > n; past && truth(turn) != is {
				return is, min(sh.flips, max(s.reaches(&sh, turn), v.now+1))
			}
		}
		return is, sh.flips
	}
}

// readsScore gives the score that a leaf looks at; nil for none.
func (l *leaf) readsScore() *score {
	if l.left.kind == operandScore {
		return l.left.score
	}
	return nil
}

// each calls f for every leaf of the conditions of a score.
func (s *score) each(f func(*leaf)) {
	for i := range s.conditions {
		if x := s.conditions[i].when; x != nil {
			x.each(f)
		}
	}
}

// scorePrints gives what the scores mean that a condition looks at, so that two
// conditions of one text are told apart when a score has changed; empty where it
// looks at none.
func (x *expr) scorePrints() (text string) {
	if x == nil {
		return ""
	}
	x.each(func(l *leaf) {
		if s := l.readsScore(); s != nil {
			text += "\x00" + s.print
		}
	})
	return text
}

// link compiles the conditions, and finds the places of the events.
func (s *score) link(slots map[EventName]int) {
	for i := range s.events {
		s.events[i].slot = slots[s.events[i].name]
	}
	for i := range s.conditions {
		s.conditions[i].eval = s.conditions[i].when.link(slots)
	}
}
