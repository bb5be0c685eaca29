package lifecycle

import (
	"math"
	"slices"
)

// microsPerUnit converts between amounts as people write them and Money.
const microsPerUnit = 1e6

// linkCompare compiles comparisons, `in`, and a trait that stands alone. They
// are total: a missing trait or mixed types make an ordering false.
func (l *leaf) linkCompare() func(*view) bool {
	if l.kind == leafTruthy {
		value := l.left.link()
		return func(v *view) bool { return equalValues(value(v), true) }
	}
	if l.kind == leafIn {
		return l.linkIn()
	}
	if fast := l.linkCount(); fast != nil {
		return fast
	}
	if l.left.kind == operandStage && l.right.kind == operandLiteral {
		if want, ok := l.right.value.(string); ok && (l.op == "==" || l.op == "!=") {
			equal, of := l.op == "==", l.left.of
			return func(v *view) bool { return (string(v.standing(of).Stage) == want) == equal }
		}
	}
	left, right, holds := l.left.link(), l.right.link(), ordering(l.op)
	switch l.op {
	case "==":
		return func(v *view) bool { return equalValues(left(v), right(v)) }
	case "!=":
		return func(v *view) bool { return !equalValues(left(v), right(v)) }
	}
	return func(v *view) bool {
		c, ok := compareValues(left(v), right(v))
		return ok && holds(c)
	}
}

// linkCount compiles count(E) and sum(E, C) against a number without making
// a value of either: the commonest comparisons, and exact for large sums.
func (l *leaf) linkCount() func(*view) bool {
	if l.left.kind != operandCount && l.left.kind != operandSum || l.right.kind != operandLiteral {
		return nil
	}
	scale := int64(1)
	if l.left.kind == operandSum {
		scale = microsPerUnit
	}
	want, ok := scaled(l.right.value, scale)
	if !ok {
		return nil
	}
	slot, currency, holds := l.left.slot, l.left.currency, ordering(l.op)
	if l.left.kind == operandCount {
		return func(v *view) bool {
			have := int64(0)
			if f := v.fact(slot); f != nil {
				have = f.Count
			}
			return holds(sign(have, want))
		}
	}
	return func(v *view) bool {
		have := int64(0)
		if f := v.fact(slot); f != nil {
			have = f.sum(currency)
		}
		return holds(sign(have, want))
	}
}

// scaled gives a number times scale when that is a whole number.
func scaled(v any, scale int64) (int64, bool) {
	switch x := v.(type) {
	case int64:
		if x > math.MaxInt64/scale || x < math.MinInt64/scale {
			return 0, false
		}
		return x * scale, true
	case float64:
		f := x * float64(scale)
		whole := math.Round(f)
		if math.Abs(f) >= 1<<53 || math.Abs(f-whole) > 1e-3 || scale == 1 && f != whole {
			return 0, false
		}
		return int64(whole), true
	}
	return 0, false
}

func sign(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ordering gives what an operator asks of the sign of a comparison.
func ordering(op string) func(int) bool {
	switch op {
	case "<":
		return func(c int) bool { return c < 0 }
	case "<=":
		return func(c int) bool { return c <= 0 }
	case ">":
		return func(c int) bool { return c > 0 }
	case ">=":
		return func(c int) bool { return c >= 0 }
	case "!=":
		return func(c int) bool { return c != 0 }
	}
	return func(c int) bool { return c == 0 }
}

func (l *leaf) linkIn() func(*view) bool {
	list := l.list
	if l.left.kind == operandStage || l.left.kind == operandSource {
		var texts []string
		for _, v := range list {
			if s, ok := v.(string); ok {
				texts = append(texts, s)
			}
		}
		if of := l.left.of; l.left.kind == operandStage {
			return func(v *view) bool { return slices.Contains(texts, string(v.standing(of).Stage)) }
		}
		return func(v *view) bool { return slices.Contains(texts, v.prof.Source) }
	}
	value := l.left.link()
	return func(v *view) bool {
		have := value(v)
		return slices.ContainsFunc(list, func(want any) bool { return equalValues(have, want) })
	}
}

// link compiles an operand into its value.
func (o *operand) link() func(*view) any {
	slot, currency := o.slot, o.currency
	switch o.kind {
	case operandTrait, operandDaysUntil, operandDaysSince:
		return o.traitValue
	case operandScore:
		return o.scoreValue
	case operandCount:
		return func(v *view) any {
			if f := v.fact(slot); f != nil {
				return f.Count
			}
			return int64(0)
		}
	case operandSum:
		return func(v *view) any {
			if f := v.fact(slot); f != nil {
				return float64(f.sum(currency)) / microsPerUnit
			}
			return float64(0)
		}
	case operandStage:
		of := o.of
		return func(v *view) any { return string(v.standing(of).Stage) }
	case operandSource:
		return func(v *view) any { return v.prof.Source }
	}
	value := o.value
	return func(*view) any { return value }
}
