package expression

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// compiler turns a syntax tree into nested functions.
type compiler struct {
	source string
	shape  Shape
	slots  int
	lets   []let // in scope, innermost last
	loop   int   // depth of predicates
	items  [maxLoops]string
	nest   int
	nodes  int // counted so far, for the price of a predicate's round
	reads  []string
}

// let is a variable of the source. path is what it stands for, "" when that is
// not a chain of members.
type let struct {
	name, path string
	slot       int
}

func (c *compiler) compile(n ast.Node) (eval, error) {
	c.nest++
	defer func() { c.nest-- }()
	c.nodes++
	if c.nest > maxNesting {
		return nil, c.fail(n, "is nested too deeply")
	}
	if c.nodes > maxNodes {
		return nil, c.fail(n, "is too long")
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(nil), nil
	case *ast.BoolNode:
		return constant(n.Value), nil
	case *ast.IntegerNode:
		return constant(int64(n.Value)), nil
	case *ast.FloatNode:
		return constant(n.Value), nil
	case *ast.StringNode:
		return constant(n.Value), nil
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode:
		return c.member(n)
	case *ast.ChainNode:
		return c.compile(n.Node)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.mapping(n)
	case *ast.VariableDeclaratorNode:
		return c.declare(n)
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.SequenceNode:
		return nil, c.fail(n, "has several expressions; only let may come before a ;")
	}
	return nil, c.fail(n, "is not supported here")
}

func constant(v any) eval { return func(*Machine) (any, error) { return v, nil } }

func (c *compiler) conditional(n *ast.ConditionalNode) (eval, error) {
	cond, err := c.compile(n.Cond)
	if err != nil {
		return nil, err
	}
	yes, err := c.compile(n.Exp1)
	if err != nil {
		return nil, err
	}
	no, err := c.compile(n.Exp2)
	if err != nil {
		return nil, err
	}
	from := n.Cond.Location().From
	return func(m *Machine) (any, error) {
		v, err := cond(m)
		if err != nil {
			return nil, err
		}
		b, err := truth(v)
		if err != nil {
			return nil, at(from, err)
		}
		if b {
			return yes(m)
		}
		return no(m)
	}, nil
}

func (c *compiler) array(n *ast.ArrayNode) (eval, error) {
	items, err := c.compileAll(n.Nodes)
	if err != nil {
		return nil, err
	}
	from := n.Location().From
	return func(m *Machine) (any, error) {
		if err := m.Grow(bytesPerItem * len(items)); err != nil {
			return nil, at(from, err)
		}
		list := make([]any, len(items))
		for i, item := range items {
			v, err := item(m)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}, nil
}

func (c *compiler) mapping(n *ast.MapNode) (eval, error) {
	keys, values := make([]string, len(n.Pairs)), make([]eval, len(n.Pairs))
	for i, p := range n.Pairs {
		pair := p.(*ast.PairNode)
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return nil, c.fail(pair.Key, "has a computed key; a key is a name or a text")
		}
		value, err := c.compile(pair.Value)
		if err != nil {
			return nil, err
		}
		keys[i], values[i] = key.Value, value
	}
	from := n.Location().From
	return func(m *Machine) (any, error) {
		if err := m.Grow(bytesPerEntry * len(keys)); err != nil {
			return nil, at(from, err)
		}
		out := make(map[string]any, len(keys))
		for i, value := range values {
			v, err := value(m)
			if err != nil {
				return nil, err
			}
			out[keys[i]] = v
		}
		return out, nil
	}, nil
}

func (c *compiler) declare(n *ast.VariableDeclaratorNode) (eval, error) {
	if slices.Contains(c.shape.Vars, n.Name) || slices.ContainsFunc(c.lets, func(l let) bool { return l.name == n.Name }) {
		return nil, c.fail(n, "there is a %s already", n.Name)
	}
	value, err := c.compile(n.Value)
	if err != nil {
		return nil, err
	}
	l := let{name: n.Name, slot: c.slots}
	if ch, ok := c.chainOf(n.Value); ok {
		l.path = ch.path
	}
	c.slots++
	c.lets = append(c.lets, l)
	body, err := c.compile(n.Expr)
	c.lets = c.lets[:len(c.lets)-1]
	if err != nil {
		return nil, err
	}
	return func(m *Machine) (any, error) {
		v, err := value(m)
		if err != nil {
			return nil, err
		}
		m.slots[l.slot] = v
		return body(m)
	}, nil
}

func (c *compiler) call(n *ast.CallNode) (eval, error) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil, c.fail(n, "values have no methods; call a function")
	}
	return c.function(n, callee.Value, n.Arguments)
}

// function compiles a call of a plain function, ours or of the shape.
func (c *compiler) function(n ast.Node, name string, args []ast.Node) (eval, error) {
	f, ok := c.shape.Funcs[name]
	if !ok {
		f, ok = plain(name)
	}
	if !ok {
		return nil, c.fail(n, "there is no function %s here%s", name, nearest(name, c.functionNames()))
	}
	if len(args) < f.Min || len(args) > f.Max {
		return nil, c.fail(n, "%s takes %s, not %d", name, countOf(f.Min, f.Max), len(args))
	}
	evals, err := c.compileAll(args)
	if err != nil {
		return nil, err
	}
	from := n.Location().From
	return func(m *Machine) (any, error) {
		base := len(m.args)
		for _, e := range evals {
			v, err := e(m)
			if err != nil {
				return nil, err
			}
			m.args = append(m.args, v)
		}
		v, err := f.Call(m, m.args[base:])
		m.args = m.args[:base]
		if err != nil {
			return nil, at(from, err)
		}
		return v, nil
	}, nil
}

func (c *compiler) compileAll(nodes []ast.Node) ([]eval, error) {
	evals := make([]eval, len(nodes))
	for i, n := range nodes {
		e, err := c.compile(n)
		if err != nil {
			return nil, err
		}
		evals[i] = e
	}
	return evals, nil
}

func (c *compiler) functionNames() []string {
	return append(slices.Sorted(maps.Keys(c.shape.Funcs)), builtinNames()...)
}
