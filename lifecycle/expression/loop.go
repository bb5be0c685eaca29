package expression

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// round runs a predicate for one item of a list. It gives true to stop.
type round func(m *Machine, i int, item, v any) (stop bool, err error)

// builtin compiles a call that the grammar knows as built in: a predicate
// function, or a plain one.
func (c *compiler) builtin(n *ast.BuiltinNode) (eval, error) {
	if !slices.Contains(loops, n.Name) {
		return c.function(n, n.Name, n.Arguments)
	}
	if len(n.Arguments) == 0 {
		return nil, c.fail(n, "%s wants a list", n.Name)
	}
	list, err := c.compile(n.Arguments[0])
	if err != nil {
		return nil, err
	}
	var body eval
	price := 1
	if len(n.Arguments) > 1 {
		if body, price, err = c.predicate(n); err != nil {
			return nil, err
		}
	}
	var third eval
	if len(n.Arguments) > 2 {
		if third, err = c.compile(n.Arguments[2]); err != nil {
			return nil, err
		}
	}
	l := looper{name: n.Name, list: list, body: body, third: third, level: c.loop, price: price, from: n.Location().From}
	run := l.compile()
	if run == nil {
		return nil, c.fail(n, "there is no function %s here", n.Name)
	}
	return run, nil
}

// predicate compiles the body of a loop and gives the price of a round.
func (c *compiler) predicate(n *ast.BuiltinNode) (eval, int, error) {
	p, ok := n.Arguments[1].(*ast.PredicateNode)
	if !ok {
		return nil, 0, c.fail(n, "%s wants a predicate, as in %s(list, # > 1)", n.Name, n.Name)
	}
	if c.loop == maxLoops {
		return nil, 0, c.fail(n, "predicates are nested more than %d deep", maxLoops)
	}
	path := ""
	if ch, ok := c.chainOf(n.Arguments[0]); ok && ch.path != "" {
		path = ch.path + "[]"
	}
	c.items[c.loop] = path
	c.loop++
	before := c.nodes
	body, err := c.compile(p.Node)
	c.loop--
	return body, c.nodes - before + 1, err
}

// loops are the functions that take a predicate. groupBy is not among them: the
// order of what it gives is not fixed.
var loops = []string{"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum", "sortBy", "reduce"}

// looper is one call of a predicate function.
type looper struct {
	name              string
	list, body, third eval
	level, price      int
	from              int
}

// run walks a list, backward if wished, calls the body on each item and hands
// its value to f. A missing list is an empty one here; what makes a new value
// of a list (map, filter, sum, sortBy) gives nothing for it, see made.
func (l *looper) run(m *Machine, backward bool, f round) error {
	list, err := l.items(m)
	if err != nil {
		return err
	}
	return l.walk(m, list, backward, f)
}

// made computes a value from a list that is there, and nil from a missing one:
// what a sender left out must not become an empty list or a sum of zero.
func (l *looper) made(f func(m *Machine, list []any) (any, error)) eval {
	return func(m *Machine) (any, error) {
		list, err := l.items(m)
		if list == nil || err != nil {
			return nil, err
		}
		return f(m, list)
	}
}

func (l *looper) items(m *Machine) ([]any, error) {
	v, err := l.list(m)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, at(l.from, fmt.Errorf("%s wants a list, not %s", l.name, describe(v)))
	}
	return list, nil
}

func (l *looper) walk(m *Machine, list []any, backward bool, f round) error {
	state := &m.loops[l.level]
	outer := *state
	defer func() { *state = outer }()
	for n := range list {
		i := n
		if backward {
			i = len(list) - 1 - n
		}
		if err := m.step(l.price); err != nil {
			return at(l.from, err)
		}
		state.item, state.index = list[i], i
		v := list[i]
		if l.body != nil {
			var err error
			if v, err = l.body(m); err != nil {
				return err
			}
		}
		stop, err := f(m, i, list[i], v)
		if err != nil {
			return at(l.from, err)
		}
		if stop {
			return nil
		}
	}
	return nil
}

func (l *looper) compile() eval {
	switch l.name {
	case "all":
		return l.until(false, false)
	case "none":
		return l.until(true, false)
	case "any":
		return l.until(true, true)
	case "find", "findLast", "findIndex", "findLastIndex":
		return l.find()
	case "count", "one":
		return l.count
	case "filter":
		return l.made(l.filter)
	case "map":
		return l.made(l.mapped)
	case "sum":
		return l.made(l.sum)
	case "sortBy":
		return l.made(l.sortBy)
	case "reduce":
		return l.reduce
	}
	return nil
}

// until gives found at the first item whose truth is wanted, else the opposite.
func (l *looper) until(wanted, found bool) eval {
	return func(m *Machine) (any, error) {
		out := !found
		err := l.run(m, false, func(_ *Machine, _ int, _, v any) (bool, error) {
			b, err := truth(v)
			if err != nil || b != wanted {
				return false, err
			}
			out = found
			return true, nil
		})
		return out, err
	}
}

func (l *looper) find() eval {
	backward := l.name == "findLast" || l.name == "findLastIndex"
	index := l.name == "findIndex" || l.name == "findLastIndex"
	return func(m *Machine) (any, error) {
		var out any
		if index {
			out = int64(-1)
		}
		err := l.run(m, backward, func(_ *Machine, i int, item, v any) (bool, error) {
			b, err := truth(v)
			if !b || err != nil {
				return false, err
			}
			out = item
			if index {
				out = int64(i)
			}
			return true, nil
		})
		return out, err
	}
}

func (l *looper) count(m *Machine) (any, error) {
	n := int64(0)
	err := l.run(m, false, func(_ *Machine, _ int, _, v any) (bool, error) {
		b, err := truth(v)
		if b {
			n++
		}
		return l.name == "one" && n > 1, err
	})
	if l.name == "one" {
		return n == 1, err
	}
	return n, err
}

func (l *looper) filter(m *Machine, list []any) (any, error) {
	out := []any{}
	err := l.walk(m, list, false, func(m *Machine, _ int, item, v any) (bool, error) {
		b, err := truth(v)
		if !b || err != nil {
			return false, err
		}
		out = append(out, item)
		return false, m.Grow(bytesPerItem)
	})
	return out, err
}

func (l *looper) mapped(m *Machine, list []any) (any, error) {
	out := []any{}
	err := l.walk(m, list, false, func(m *Machine, _ int, _, v any) (bool, error) {
		out = append(out, v)
		return false, m.Grow(bytesPerItem)
	})
	return out, err
}

func (l *looper) sum(m *Machine, list []any) (any, error) {
	var total any = int64(0)
	err := l.walk(m, list, false, func(m *Machine, _ int, _, v any) (bool, error) {
		if _, ok := toNumber(v); !ok {
			return false, fmt.Errorf("sum wants numbers, not %s", describe(v))
		}
		if s, ok := v.(string); ok {
			n, _ := textNumber(s)
			v = n.value()
		}
		var err error
		total, err = m.arithmetic("+", total, v)
		return false, err
	})
	return total, err
}

func (l *looper) sortBy(m *Machine, list []any) (any, error) {
	order := any("asc")
	if l.third != nil {
		var err error
		if order, err = l.third(m); err != nil {
			return nil, err
		}
	}
	if order != "asc" && order != "desc" {
		return nil, at(l.from, fmt.Errorf(`sortBy wants "asc" or "desc" as its order, not %s`, describe(order)))
	}
	var keyed []sortItem
	err := l.walk(m, list, false, func(m *Machine, _ int, item, v any) (bool, error) {
		keyed = append(keyed, sortItem{v, item})
		return false, m.Grow(3 * bytesPerItem)
	})
	if err != nil {
		return nil, err
	}
	out, err := m.sort(keyed, order == "desc")
	if err != nil {
		return nil, at(l.from, err)
	}
	return out, nil
}

func (l *looper) reduce(m *Machine) (any, error) {
	list, err := l.items(m)
	if err != nil {
		return nil, err
	}
	var acc any
	if l.third != nil {
		if acc, err = l.third(m); err != nil {
			return nil, err
		}
	} else if len(list) > 0 {
		acc, list = list[0], list[1:]
	}
	// walk saves and restores the loop's state; the accumulator is set inside.
	body := l.body
	inner := *l
	inner.body = func(m *Machine) (any, error) {
		m.loops[l.level].acc = acc
		return body(m)
	}
	err = inner.walk(m, list, false, func(_ *Machine, _ int, _, v any) (bool, error) {
		acc = v
		return false, nil
	})
	return acc, err
}
