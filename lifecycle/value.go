package lifecycle

import (
	"encoding/json"
	"math"
	"unicode/utf8"
)

// cleanValue brings a trait value into the closed set of types that conditions
// and the codec know, and within its bounds. The common types pass unchanged
// and without allocating. A value that can't be kept becomes nil, which says
// that the trait is not known any more, rather than leaving an older value to
// pass for the present one.
func cleanValue(v any) any {
	switch x := v.(type) {
	case nil, bool, int64:
		return v
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return v
	case string:
		if len(x) <= MaxTraitBytes {
			return v
		}
		return cutText(x, MaxTraitBytes)
	}
	room := MaxTraitBytes
	clean, ok := cleanDeep(v, maxTraitDepth, &room)
	if !ok {
		return nil
	}
	return clean
}

// cleanDeep copies lists and maps; room is what is left of the bytes.
func cleanDeep(v any, depth int, room *int) (any, bool) {
	*room -= 2
	if *room < 0 || depth < 0 {
		return nil, false
	}
	switch x := v.(type) {
	case nil, bool:
		return v, true
	case string:
		*room -= len(x)
		return v, *room >= 0
	case json.Number:
		*room -= len(x)
		return string(x), *room >= 0
	case int:
		return cleanDeep(int64(x), depth, room)
	case int32:
		return cleanDeep(int64(x), depth, room)
	case int64:
		*room -= 8
		return v, *room >= 0
	case float32:
		return cleanDeep(float64(x), depth, room)
	case float64:
		*room -= 8
		return v, *room >= 0 && !math.IsNaN(x) && !math.IsInf(x, 0)
	case []any:
		list := make([]any, 0, min(len(x), MaxTraitBytes))
		for _, item := range x {
			clean, ok := cleanDeep(item, depth-1, room)
			if !ok {
				return nil, false
			}
			list = append(list, clean)
		}
		return list, true
	case map[string]any:
		m := make(map[string]any, min(len(x), MaxTraitBytes))
		for k, item := range x {
			*room -= len(k)
			clean, ok := cleanDeep(item, depth-1, room)
			if !ok {
				return nil, false
			}
			m[k] = clean
		}
		return m, true
	}
	return nil, false
}

// cutText cuts at a rune so that at most limit bytes are left.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
