package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

const (
	maxShapeDepth = 3   // levels of names that tell one kind of event from another
	maxShapeNames = 60  // names per object; more are a table with ids as names
	maxShapeBytes = 200 // a longer shape ends in its hash
)

// Shape tells the kind of a decoded body by its names, so that events which
// one rule would fit fall into one group: {data{email,id},type}. The values
// play no part, and a name that looks like an id is a *. It is at most 200
// bytes long.
func Shape(body any) string {
	var b strings.Builder
	shape(&b, body, 0)
	s := b.String()
	if len(s) <= maxShapeBytes {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	end := hex.EncodeToString(sum[:6])
	return strings.ToValidUTF8(s[:maxShapeBytes-len(end)-len("…")], "") + "…" + end
}

func shape(b *strings.Builder, v any, depth int) {
	switch x := v.(type) {
	case map[string]any:
		if depth == maxShapeDepth {
			return
		}
		b.WriteByte('{')
		last := ""
		for i, name := range slices.Sorted(maps.Keys(x)) {
			if i == maxShapeNames {
				b.WriteString(",…")
				break
			}
			shown := name
			if looksLikeID(name) {
				shown = "*"
			}
			if shown == last && shown == "*" {
				continue
			}
			if last != "" {
				b.WriteByte(',')
			}
			last = shown
			b.WriteString(shown)
			shape(b, x[name], depth+1)
		}
		b.WriteByte('}')
	case []any:
		b.WriteString("[]")
		if len(x) > 0 {
			shape(b, x[0], depth+1)
		}
	}
}

// looksLikeID tells a name that is data from one that is a field: all digits,
// an address, or a long one with digits in it.
func looksLikeID(name string) bool {
	digits := 0
	for i := range len(name) {
		if name[i] >= '0' && name[i] <= '9' {
			digits++
		}
	}
	return name == "" || digits == len(name) || strings.Contains(name, "@") || len(name) > 40 || len(name) >= 16 && digits >= 4
}
