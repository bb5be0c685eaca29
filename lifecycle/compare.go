package lifecycle

import (
	"cmp"
	"reflect"
	"strconv"
	"strings"
)

// equalValues tells whether two values are the same; a number equals the text
// that spells it.
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
	case []any, map[string]any:
		return reflect.DeepEqual(a, b)
	}
	c, ok := compareValues(a, b)
	return ok && c == 0
}

// compareValues orders numbers, texts that spell numbers, and texts.
func compareValues(a, b any) (int, bool) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return sign(x, y), true
		}
	}
	x, okx := asNumber(a)
	y, oky := asNumber(b)
	if okx && oky {
		return cmp.Compare(x, y), true
	}
	s, oks := a.(string)
	t, okt := b.(string)
	return strings.Compare(s, t), oks && okt
}

func asNumber(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	case string:
		f, err := strconv.ParseFloat(x, 64)
		return f, err == nil
	}
	return 0, false
}
