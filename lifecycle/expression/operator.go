package expression

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) unary(n *ast.UnaryNode) (eval, error) {
	node, err := c.compile(n.Node)
	if err != nil {
		return nil, err
	}
	from, op := n.Location().From, n.Operator
	return func(m *Machine) (any, error) {
		v, err := node(m)
		if err != nil {
			return nil, err
		}
		if op == "!" || op == "not" {
			b, err := truth(v)
			if err != nil {
				return nil, at(from, err)
			}
			return !b, nil
		}
		x, ok := toNumber(v)
		switch {
		case !ok || x.big != "":
			return nil, at(from, fmt.Errorf("%s wants a number, not %s", op, describe(v)))
		case op == "+":
			return x.value(), nil
		case !x.whole:
			return -x.f, nil
		case x.i == math.MinInt64:
			return nil, at(from, errOverflow)
		}
		return -x.i, nil
	}, nil
}

func (c *compiler) binary(n *ast.BinaryNode) (eval, error) {
	if n.Operator == "matches" {
		return c.matches(n)
	}
	left, err := c.compile(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := c.compile(n.Right)
	if err != nil {
		return nil, err
	}
	from := n.Location().From
	switch n.Operator {
	case "&&", "and":
		return c.logic(left, right, n, false), nil
	case "||", "or":
		return c.logic(left, right, n, true), nil
	case "??":
		return func(m *Machine) (any, error) {
			v, err := left(m)
			if err != nil || v != nil {
				return v, err
			}
			return right(m)
		}, nil
	}
	f := operators(n.Operator)
	if f == nil {
		return nil, c.fail(n, "the operator %s is not available here", n.Operator)
	}
	return func(m *Machine) (any, error) {
		a, err := left(m)
		if err != nil {
			return nil, err
		}
		b, err := right(m)
		if err != nil {
			return nil, err
		}
		v, err := f(m, a, b)
		if err != nil {
			return nil, at(from, err)
		}
		return v, nil
	}, nil
}

// logic compiles and, or: the right side is computed only when it decides.
func (c *compiler) logic(left, right eval, n *ast.BinaryNode, decides bool) eval {
	l, r := n.Left.Location().From, n.Right.Location().From
	return func(m *Machine) (any, error) {
		v, err := left(m)
		if err != nil {
			return nil, err
		}
		b, err := truth(v)
		if err != nil {
			return nil, at(l, err)
		}
		if b == decides {
			return b, nil
		}
		if v, err = right(m); err != nil {
			return nil, err
		}
		if b, err = truth(v); err != nil {
			return nil, at(r, err)
		}
		return b, nil
	}
}

// operators gives the meaning of an operator that computes both sides.
func operators(op string) func(m *Machine, a, b any) (any, error) {
	order := func(ok func(int) bool) func(*Machine, any, any) (any, error) {
		return func(m *Machine, a, b any) (any, error) {
			c, comparable := Compare(a, b)
			return comparable && ok(c), nil
		}
	}
	text := func(f func(a, b string) bool) func(*Machine, any, any) (any, error) {
		return func(m *Machine, a, b any) (any, error) {
			x, ok := a.(string)
			y, ok2 := b.(string)
			if !ok || !ok2 {
				return false, nil
			}
			return f(x, y), m.work(len(x))
		}
	}
	switch op {
	case "==":
		return func(m *Machine, a, b any) (any, error) {
			same, err := m.equal(a, b, 0)
			return same, err
		}
	case "!=":
		return func(m *Machine, a, b any) (any, error) {
			same, err := m.equal(a, b, 0)
			return !same, err
		}
	case "<":
		return order(func(c int) bool { return c < 0 })
	case "<=":
		return order(func(c int) bool { return c <= 0 })
	case ">":
		return order(func(c int) bool { return c > 0 })
	case ">=":
		return order(func(c int) bool { return c >= 0 })
	case "in":
		return func(m *Machine, a, b any) (any, error) { return m.in(a, b) }
	case "contains":
		within := text(strings.Contains)
		return func(m *Machine, a, b any) (any, error) {
			if _, ok := a.([]any); ok {
				return m.in(b, a)
			}
			return within(m, a, b)
		}
	case "startsWith":
		return text(strings.HasPrefix)
	case "endsWith":
		return text(strings.HasSuffix)
	case "+", "-", "*", "/", "%", "**", "^":
		return func(m *Machine, a, b any) (any, error) { return m.arithmetic(op, a, b) }
	}
	return nil
}

// in tells whether a list holds a value or a map a key.
func (m *Machine) in(v, container any) (any, error) {
	switch x := container.(type) {
	case []any:
		for _, item := range x {
			if err := m.step(1); err != nil {
				return nil, err
			}
			if same, err := m.equal(item, v, 0); same || err != nil {
				return same, err
			}
		}
	case map[string]any:
		k, ok := v.(string)
		if ok {
			_, ok = x[k]
		}
		return ok, nil
	}
	return false, nil
}

// truth reads a yes/no value; nil is no.
func truth(v any) (bool, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case nil:
		return false, nil
	}
	return false, fmt.Errorf("is %s where yes or no is wanted", describe(v))
}

// describe names a value in an error message without giving much of it away.
func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "missing"
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
	case Time:
		return "the time " + x.String()
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a value"
}
