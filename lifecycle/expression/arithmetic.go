package expression

import (
	"fmt"
	"math"
	"math/bits"
)

const errOverflow = plainError("the whole number is beyond 64 bits")

// plainError is an error with a fixed text.
type plainError string

func (e plainError) Error() string { return string(e) }

// arithmetic computes a op b. Only + takes texts and lists, and only two of a
// kind; the others take a text that is a number for that number.
func (m *Machine) arithmetic(op string, a, b any) (any, error) {
	if op == "+" {
		switch x := a.(type) {
		case string:
			if y, ok := b.(string); ok {
				if err := m.Grow(len(x) + len(y)); err != nil {
					return nil, err
				}
				return x + y, nil
			}
			return nil, fmt.Errorf("+ cannot join %s and %s; use string(…) or float(…)", describe(a), describe(b))
		case []any:
			if y, ok := b.([]any); ok {
				return m.concat([]any{x, y})
			}
		}
		if _, ok := b.(string); ok {
			return nil, fmt.Errorf("+ cannot join %s and %s; use string(…) or float(…)", describe(a), describe(b))
		}
	}
	x, ok := toNumber(a)
	if !ok || x.big != "" {
		return nil, fmt.Errorf("the left side of %s is %s, want a number", op, describe(a))
	}
	y, ok := toNumber(b)
	if !ok || y.big != "" {
		return nil, fmt.Errorf("the right side of %s is %s, want a number", op, describe(b))
	}
	if x.whole && y.whole && op != "/" && op != "**" && op != "^" {
		return wholeArithmetic(op, x.i, y.i)
	}
	f, err := fraction(op, x.float(), y.float())
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = plainError("the result of " + op + " is not a number")
	}
	return f, err
}

func wholeArithmetic(op string, x, y int64) (any, error) {
	switch op {
	case "+":
		if s := x + y; (s > x) == (y > 0) {
			return s, nil
		}
		return nil, errOverflow
	case "-":
		if d := x - y; (d < x) == (y > 0) {
			return d, nil
		}
		return nil, errOverflow
	case "*":
		hi, lo := bits.Mul64(magnitude(x), magnitude(y))
		p := x * y
		if hi != 0 || lo > 1<<63 || lo == 1<<63 && (x < 0) == (y < 0) {
			return nil, errOverflow
		}
		return p, nil
	}
	if y == 0 {
		return nil, plainError("division by zero")
	}
	if y == -1 {
		return int64(0), nil
	}
	return x % y, nil
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func fraction(op string, x, y float64) (float64, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		if y == 0 {
			return 0, plainError("division by zero")
		}
		return x / y, nil
	case "%":
		if y == 0 {
			return 0, plainError("division by zero")
		}
		return math.Mod(x, y), nil
	}
	return math.Pow(x, y), nil
}

// value gives the number as a value of the language.
func (n number) value() any {
	if n.whole {
		return n.i
	}
	return n.f
}

func (n number) float() float64 {
	if n.whole {
		return float64(n.i)
	}
	return n.f
}
