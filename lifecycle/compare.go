package lifecycle

import "github.com/stagebridge/stagebridge/lifecycle/expression"

// equalValues and compareValues are the comparisons of the expression
// language, with a shorter way for the commonest pairs.

func equalValues(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
	}
	return expression.Equal(a, b)
}

func compareValues(a, b any) (int, bool) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return sign(x, y), true
		}
	}
	if a == nil || b == nil {
		return 0, false
	}
	return expression.Compare(a, b)
}
