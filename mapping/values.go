package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// maxValueDepth is how deeply the value of a trait or property may be nested.
const maxValueDepth = 8

// functions are what rules have beside the built-in functions.
func functions() map[string]expression.Func {
	return map[string]expression.Func{
		// fromJSON reads JSON that a vendor put into a text.
		"fromJSON": {Min: 1, Max: 1, Call: func(m *expression.Machine, args []any) (any, error) {
			s, ok := args[0].(string)
			if !ok {
				if args[0] == nil {
					return nil, nil
				}
				return nil, fmt.Errorf("fromJSON wants a text, not %s", describe(args[0]))
			}
			// A value takes up to some fifty times the bytes of [[],[],…].
			if err := m.Grow(16 * len(s)); err != nil {
				return nil, err
			}
			v, err := decodeJSON([]byte(s))
			if err != nil {
				return nil, fmt.Errorf("fromJSON: the text is not JSON")
			}
			return v, nil
		}},
	}
}

// plain runs an expression whose value is kept: it becomes what a trait may
// hold, as a copy that shares no list or map with the raw event.
func (r *run) plain(x *expr) (any, error) {
	v, err := r.eval(x)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case nil, bool, int64, float64:
		return v, nil
	case string:
		return cutText(x), nil
	case expression.Time:
		return x.String(), nil
	}
	room := lifecycle.MaxTraitBytes
	out, ok := copyValue(v, maxValueDepth, &room)
	if !ok {
		return nil, r.fail(x.source, fmt.Sprintf("gives a list or map over %d bytes or %d levels", lifecycle.MaxTraitBytes, maxValueDepth))
	}
	return out, nil
}

// copyValue copies a value; room is what is left of its bytes.
func copyValue(v any, depth int, room *int) (any, bool) {
	*room -= 4
	if *room < 0 || depth < 0 {
		return nil, false
	}
	switch x := v.(type) {
	case string:
		*room -= len(x)
		return x, *room >= 0
	case expression.Time:
		return x.String(), true
	case []any:
		if len(x) > *room {
			return nil, false
		}
		list := make([]any, len(x))
		for i := range x {
			var ok bool
			if list[i], ok = copyValue(x[i], depth-1, room); !ok {
				return nil, false
			}
		}
		return list, true
	case map[string]any:
		if len(x) > *room {
			return nil, false
		}
		m := make(map[string]any, len(x))
		for k, item := range x {
			*room -= len(k)
			var ok bool
			if m[k], ok = copyValue(item, depth-1, room); !ok {
				return nil, false
			}
		}
		return m, true
	}
	return v, true
}

// cutText cuts a text at a rune to what a trait may hold.
func cutText(s string) string {
	if len(s) <= lifecycle.MaxTraitBytes {
		return s
	}
	n := lifecycle.MaxTraitBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// describe names a value in an error message without giving much of it away.
func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "nothing"
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case string:
		if len(x) > 40 {
			x = strings.ToValidUTF8(x[:40], "") + "…"
		}
		return strconv.Quote(x)
	case expression.Time:
		return "the time " + x.String()
	case []any:
		return "a list"
	}
	return "a map"
}
