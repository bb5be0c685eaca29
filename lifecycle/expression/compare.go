package expression

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Compare orders two values: -1, 0 or 1, and true when they can be ordered.
// Numbers compare by value, a whole number with a fraction exactly and without
// losing digits above 2^53; a text that is a decimal number counts as one, on
// either side or both. Other texts compare byte by byte, times by instant.
// nil, yes/no values, lists, maps and mixed kinds are not ordered.
func Compare(a, b any) (int, bool) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return compareTexts(x, y), true
		}
	case Time:
		y, ok := b.(Time)
		return cmp.Compare(x, y), ok
	}
	x, ok := toNumber(a)
	if !ok {
		return 0, false
	}
	y, ok := toNumber(b)
	if !ok {
		return 0, false
	}
	return x.compare(y)
}

// Equal tells whether two values are the same. Numbers are equal by value, and
// a number equals the text that spells it: 7 == "7". Two texts are equal only
// when they are the same text, so that the ids "7" and "07" stay apart. Lists
// and maps are equal when their parts are; a comparison of more than a million
// parts gives up and says no.
func Equal(a, b any) bool {
	m := Machine{steps: MaxSteps}
	same, _ := m.equal(a, b, 0)
	return same
}

// equal is Equal within the machine's budget.
func (m *Machine) equal(a, b any, depth int) (bool, error) {
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y, nil
	case Time:
		y, ok := b.(Time)
		return ok && x == y, nil
	case string:
		if y, ok := b.(string); ok {
			return x == y, m.work(min(len(x), len(y)))
		}
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return m.equalLists(x, y, depth)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return m.equalMaps(x, y, depth)
	}
	x, ok := toNumber(a)
	if !ok {
		return false, nil
	}
	y, ok := toNumber(b)
	if !ok {
		return false, nil
	}
	order, ok := x.compare(y)
	return ok && order == 0, nil
}

func (m *Machine) equalLists(x, y []any, depth int) (bool, error) {
	if depth > maxValueDepth {
		return false, errDepth
	}
	for i := range x {
		if err := m.step(1); err != nil {
			return false, err
		}
		if same, err := m.equal(x[i], y[i], depth+1); !same {
			return false, err
		}
	}
	return true, nil
}

func (m *Machine) equalMaps(x, y map[string]any, depth int) (bool, error) {
	if depth > maxValueDepth {
		return false, errDepth
	}
	for k, v := range x {
		if err := m.step(2); err != nil {
			return false, err
		}
		other, ok := y[k]
		if !ok {
			return false, nil
		}
		if same, err := m.equal(v, other, depth+1); !same {
			return false, err
		}
	}
	return true, nil
}

// number is a whole number or a fraction. big holds the digits of a whole
// number beyond int64, with f as its nearest value.
type number struct {
	whole bool
	i     int64
	f     float64
	big   string
}

func (n number) compare(o number) (int, bool) {
	switch {
	case n.big != "" && o.big != "":
		return compareDigits(n.big, o.big), true
	case n.whole && o.whole:
		return cmp.Compare(n.i, o.i), true
	case n.whole:
		return compareWhole(n.i, o.f)
	case o.whole:
		order, ok := compareWhole(o.i, n.f)
		return -order, ok
	case math.IsNaN(n.f) || math.IsNaN(o.f):
		return 0, false
	}
	return cmp.Compare(n.f, o.f), true
}

// compareWhole compares without rounding the whole number to a fraction.
func compareWhole(i int64, f float64) (int, bool) {
	switch {
	case math.IsNaN(f):
		return 0, false
	case f >= 1<<63:
		return -1, true
	case f < -1<<63:
		return 1, true
	}
	trunc := math.Trunc(f)
	if c := cmp.Compare(i, int64(trunc)); c != 0 {
		return c, true
	}
	return cmp.Compare(trunc, f), true
}

func compareTexts(x, y string) int {
	if n, ok := textNumber(x); ok {
		if o, ok := textNumber(y); ok {
			if order, ok := n.compare(o); ok {
				return order
			}
		}
	}
	return strings.Compare(x, y)
}

// compareDigits compares two whole numbers by their digits.
func compareDigits(x, y string) int {
	minus, other := x[0] == '-', y[0] == '-'
	switch {
	case minus && other:
		return -compareDigits(x[1:], y[1:])
	case minus:
		return -1
	case other:
		return 1
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}

// toNumber reads a number, or a text that is one.
func toNumber(v any) (number, bool) {
	switch x := v.(type) {
	case int64:
		return number{whole: true, i: x}, true
	case float64:
		return number{f: x}, true
	case int:
		return number{whole: true, i: int64(x)}, true
	case string:
		return textNumber(x)
	}
	return number{}, false
}

// textNumber reads a decimal number as JSON spells it: 7, -1200.50, 1e5; not
// +5, 007, 0x10 or " 7", which are texts.
func textNumber(s string) (number, bool) {
	whole, ok := decimal(s)
	if !ok {
		return number{}, false
	}
	if whole {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return number{whole: true, i: i}, true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return number{}, false // beyond what a fraction can hold
	}
	if whole {
		return number{f: f, big: s}, true
	}
	return number{f: f}, true
}

// decimal tells whether a text is a JSON number and whether it is a whole one
// without an exponent.
func decimal(s string) (whole, ok bool) {
	rest := strings.TrimPrefix(s, "-")
	n := digits(rest)
	if n == 0 || n > 1 && rest[0] == '0' || len(s) > maxNumberBytes {
		return false, false
	}
	rest = rest[n:]
	if rest == "" {
		return true, true
	}
	if rest[0] == '.' {
		n := digits(rest[1:])
		if n == 0 {
			return false, false
		}
		rest = rest[1+n:]
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n := digits(rest)
		if n == 0 {
			return false, false
		}
		rest = rest[n:]
	}
	return false, rest == ""
}

// digits counts the leading digits.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
