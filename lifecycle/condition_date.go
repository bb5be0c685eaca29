package lifecycle

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Conditions on traits that hold a date.
//
//	days_until(traits.x) <= 3   days of the calendar until then; 0 today, -1 yesterday
//	days_since(traits.x) >= 30  the same the other way round
//	before(traits.x)            it is earlier than that instant
//	before(traits.x, "3d")      it is earlier than three days before that instant
//	after(traits.x)             that instant has come
//	after(traits.x, "3d")       that instant came three days ago or earlier
//
// All are false, and so is each comparison, where the trait is missing or
// cannot be read as a date.

// isDays tells whether a name is a number of days.
func isDays(name string) bool { return name == "days_until" || name == "days_since" }

// days reads days_until or days_since.
func (c *conditionParser) days(n ast.Node, name string, args []ast.Node) operand {
	o := operand{kind: operandDaysUntil}
	if name == "days_since" {
		o.kind = operandDaysSince
	}
	form := name + "(traits.trial_ends_at)"
	if len(args) != 1 {
		c.fail(n, "%s takes one argument, as in %s; here are %d", name, form, len(args))
		return o
	}
	o.trait, o.path = c.dateTrait(args[0], form)
	return o
}

// instant reads before or after.
func (c *conditionParser) instant(name string, a arguments) *expr {
	l := leaf{kind: leafBefore}
	if name == "after" {
		l.kind = leafAfter
	}
	l.left.kind = operandTrait
	l.left.trait, l.left.path = c.dateTrait(a.args[0], a.form)
	if len(a.args) > 1 {
		l.window = a.window(1)
	}
	return c.newLeaf(l)
}

// dateTrait reads the trait: traits.x, or its name as a text.
func (c *conditionParser) dateTrait(n ast.Node, form string) (string, []string) {
	switch n := n.(type) {
	case *ast.MemberNode:
		if o, ok := c.trait(n); ok {
			c.noScore(n, o.trait)
			return o.trait, o.path
		}
	case *ast.StringNode:
		if name := strings.TrimPrefix(n.Value, "traits."); name != "" && len(name) <= MaxNameBytes {
			c.noScore(n, name)
			return name, nil
		}
	}
	c.fail(n, "wants a trait here, as in %s", form)
	return "", nil
}

// checkDays holds a comparison with days to what can be computed ahead.
func (c *conditionParser) checkDays(n ast.Node, l *leaf) {
	if l.right.isDays() && !l.left.isDays() {
		l.left, l.right, l.op = l.right, l.left, mirrored(l.op)
	}
	if !l.left.isDays() {
		return
	}
	want := l.list
	if l.kind == leafCompare {
		want = []any{l.right.value}
		if l.right.kind != operandLiteral {
			c.fail(n, "days can be compared with a whole number only")
			return
		}
	}
	for _, v := range want {
		if x, ok := v.(int64); !ok || x < -maxDays || x > maxDays {
			c.fail(n, "days can be compared with whole numbers only, at most %d", maxDays)
			return
		}
	}
}

// maxDays bounds numbers of days: a hundred years.
const maxDays = 36500

func (o *operand) isDays() bool { return o.kind == operandDaysUntil || o.kind == operandDaysSince }

// traitValue gives the trait's value as it is.
func (o *operand) traitValue(v *view) any {
	value := v.prof.Trait(o.trait)
	for _, key := range o.path {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}

// linkInstant compiles before and after.
func (l *leaf) linkInstant() condition {
	o, span := l.left, l.window
	if l.kind == leafAfter {
		return func(v *view) (bool, Instant) {
			d, ok := readDate(o.traitValue(v), v.plan.zone)
			if !ok {
				return false, never
			}
			return since(d.at, span, v.now)
		}
	}
	return func(v *view) (bool, Instant) {
		d, ok := readDate(o.traitValue(v), v.plan.zone)
		if !ok || v.now >= d.at-span {
			return false, never
		}
		return true, d.at - span
	}
}

// linkDays compiles a comparison of days with numbers. The days until a date
// only ever become fewer, one at each midnight, so the truth can change only
// where they go down to one of a few numbers: turns, sorted.
func (l *leaf) linkDays() condition {
	by := int64(1)
	if l.left.kind == operandDaysSince {
		by = -1
	}
	numbers, op := l.list, "in"
	if l.kind == leafCompare {
		numbers, op = []any{l.right.value}, l.op
	}
	var turns []int64
	for _, v := range numbers {
		n := by * v.(int64)
		turns = append(turns, n, n-1)
	}
	slices.Sort(turns)
	holds := ordering(op)
	truth := func(days int64) bool {
		for _, v := range numbers {
			if holds(sign(by*days, v.(int64))) {
				return true
			}
		}
		return false
	}
	o := l.left
	return func(v *view) (bool, Instant) {
		d, ok := readDate(o.traitValue(v), v.plan.zone)
		if !ok {
			return false, never
		}
		days := int64(d.day - today(v.now, v.plan.zone))
		is := truth(days)
		for _, n := range slices.Backward(turns) {
			if n < days && truth(n) != is {
				return is, dayStart(d.day-calendarDay(n), v.plan.zone)
			}
		}
		return is, never
	}
}
