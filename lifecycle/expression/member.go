package expression

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// chain is a run of members with fixed names, as in body.items[0].email, from
// a variable of the environment, a let variable, or the item of a loop. The
// two indices that do not apply are -1.
type chain struct {
	env, slot, loop int
	pointer         string // "", index or acc
	keys            []key
	path            string // for Reads and Trace; "" when not known
}

// key is one member: a name, or an index into a list.
type key struct {
	name    string
	index   int
	isIndex bool
}

// chainOf reads a chain off the syntax tree; false when the node is none.
func (c *compiler) chainOf(n ast.Node) (*chain, bool) {
	switch n := n.(type) {
	case *ast.ChainNode:
		return c.chainOf(n.Node)
	case *ast.IdentifierNode:
		for _, l := range slices.Backward(c.lets) {
			if l.name == n.Value {
				return &chain{env: -1, slot: l.slot, loop: -1, path: l.path}, true
			}
		}
		if i := slices.Index(c.shape.Vars, n.Value); i >= 0 {
			return &chain{env: i, slot: -1, loop: -1, path: n.Value}, true
		}
	case *ast.PointerNode:
		if c.loop == 0 {
			return nil, false
		}
		ch := &chain{env: -1, slot: -1, loop: c.loop - 1, pointer: n.Name}
		if n.Name == "" {
			ch.path = c.items[c.loop-1]
		}
		return ch, true
	case *ast.MemberNode:
		k, ok := fixedKey(n)
		if !ok {
			return nil, false
		}
		ch, ok := c.chainOf(n.Node)
		if !ok {
			return nil, false
		}
		ch.keys = append(ch.keys, k)
		if ch.path != "" {
			ch.path += k.suffix()
		}
		return ch, true
	}
	return nil, false
}

func fixedKey(n *ast.MemberNode) (key, bool) {
	if n.Method {
		return key{}, false
	}
	switch p := n.Property.(type) {
	case *ast.StringNode:
		return key{name: p.Value}, true
	case *ast.IntegerNode:
		return key{index: p.Value, isIndex: true}, true
	}
	return key{}, false
}

// suffix spells a member in a path. Every index is [], since paths tell the
// shape of what is read and not the place.
func (k key) suffix() string {
	switch {
	case k.isIndex:
		return "[]"
	case plainName(k.name):
		return "." + k.name
	}
	return "[" + strconv.Quote(k.name) + "]"
}

func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// member compiles a read of a variable or member.
func (c *compiler) member(n ast.Node) (eval, error) {
	if p, ok := n.(*ast.PointerNode); ok && p.Name != "" && p.Name != "index" && p.Name != "acc" {
		return nil, c.fail(n, "there is no #%s; there are #, #index and #acc", p.Name)
	}
	if ch, ok := c.chainOf(n); ok {
		return c.chain(ch), nil
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return nil, c.fail(n, "there is no %s here%s", n.Value, nearest(n.Value, c.names()))
	case *ast.MemberNode:
		if n.Method {
			return nil, c.fail(n, "values have no methods; call a function")
		}
		return c.computed(n)
	}
	return nil, c.fail(n, "# stands only inside a predicate")
}

func (c *compiler) names() []string {
	names := slices.Clone(c.shape.Vars)
	for _, l := range c.lets {
		names = append(names, l.name)
	}
	return names
}

func (c *compiler) chain(ch *chain) eval {
	if ch.path != "" {
		c.reads = append(c.reads, ch.path)
	}
	keys, path := ch.keys, ch.path
	root := ch.root()
	if len(keys) == 0 && ch.env < 0 {
		return root
	}
	return func(m *Machine) (any, error) {
		v, _ := root(m)
		for i := range keys {
			v, _ = item(v, keys[i])
			if v == nil {
				break
			}
		}
		if m.trace != nil && path != "" {
			m.trace(path, v)
		}
		return v, nil
	}
}

// root reads the variable at the start of a chain.
func (ch *chain) root() eval {
	switch {
	case ch.env >= 0:
		i := ch.env
		return func(m *Machine) (any, error) {
			if i < len(m.env) {
				return m.env[i], nil
			}
			return nil, nil
		}
	case ch.slot >= 0:
		i := ch.slot
		return func(m *Machine) (any, error) { return m.slots[i], nil }
	}
	i := ch.loop
	switch ch.pointer {
	case "index":
		return func(m *Machine) (any, error) { return int64(m.loops[i].index), nil }
	case "acc":
		return func(m *Machine) (any, error) { return m.loops[i].acc, nil }
	}
	return func(m *Machine) (any, error) { return m.loops[i].item, nil }
}

// item reads one member; nil and false when it is not there.
func item(v any, k key) (any, bool) {
	if !k.isIndex {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		out, ok := m[k.name]
		return out, ok
	}
	switch x := v.(type) {
	case []any:
		i := k.index
		if i < 0 {
			i += len(x)
		}
		if i < 0 || i >= len(x) {
			return nil, false
		}
		return x[i], true
	case map[string]any:
		out, ok := x[strconv.Itoa(k.index)]
		return out, ok
	}
	return nil, false
}

// computed compiles a member whose name is itself an expression.
func (c *compiler) computed(n *ast.MemberNode) (eval, error) {
	node, err := c.compile(n.Node)
	if err != nil {
		return nil, err
	}
	property, err := c.compile(n.Property)
	if err != nil {
		return nil, err
	}
	return func(m *Machine) (any, error) {
		v, err := node(m)
		if err != nil {
			return nil, err
		}
		p, err := property(m)
		if err != nil {
			return nil, err
		}
		out, _ := item(v, dynamicKey(p))
		return out, nil
	}, nil
}

// dynamicKey makes a key of a value; one that cannot be a key finds nothing.
func dynamicKey(v any) key {
	switch x := v.(type) {
	case string:
		return key{name: x}
	case int64:
		if int64(int(x)) == x {
			return key{index: int(x), isIndex: true}
		}
	case float64:
		if i := int(x); float64(i) == x {
			return key{index: i, isIndex: true}
		}
	}
	return key{name: "\x00"} // no decoded text holds it
}

// slice compiles x[a:b] of a list or text, by items or runes.
func (c *compiler) slice(n *ast.SliceNode) (eval, error) {
	node, err := c.compile(n.Node)
	if err != nil {
		return nil, err
	}
	ends := [2]eval{constant(nil), constant(nil)}
	for i, end := range []ast.Node{n.From, n.To} {
		if end == nil {
			continue
		}
		if ends[i], err = c.compile(end); err != nil {
			return nil, err
		}
	}
	start := n.Location().From
	return func(m *Machine) (any, error) {
		v, err := node(m)
		if err != nil {
			return nil, err
		}
		from, err := ends[0](m)
		if err != nil {
			return nil, err
		}
		to, err := ends[1](m)
		if err != nil {
			return nil, err
		}
		out, err := m.cut(v, from, to)
		if err != nil {
			return nil, at(start, err)
		}
		return out, nil
	}, nil
}

// cut gives a part of a list or text; what lies outside is left out.
func (m *Machine) cut(v, from, to any) (any, error) {
	switch x := v.(type) {
	case []any:
		a, b := bounds(from, to, len(x))
		return x[a:b:b], nil
	case string:
		if err := m.work(len(x)); err != nil {
			return nil, err
		}
		if strings.IndexFunc(x, func(r rune) bool { return r >= 0x80 }) < 0 {
			a, b := bounds(from, to, len(x))
			return x[a:b], nil
		}
		if err := m.Grow(4 * len(x)); err != nil {
			return nil, err
		}
		runes := []rune(x)
		a, b := bounds(from, to, len(runes))
		return string(runes[a:b]), nil
	}
	return nil, nil
}

// bounds brings two ends into 0..n with the first not above the second. A
// negative end counts from the end.
func bounds(from, to any, n int) (int, int) {
	end := func(v any, otherwise int) int {
		k := dynamicKey(v)
		if !k.isIndex {
			return otherwise
		}
		if k.index < 0 {
			return max(k.index+n, 0)
		}
		return min(k.index, n)
	}
	a, b := end(from, 0), end(to, n)
	return min(a, b), b
}
