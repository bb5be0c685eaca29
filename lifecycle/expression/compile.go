package expression

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of one source.
const (
	// MaxSource is the most bytes of one expression.
	MaxSource = 4096
	// maxLoops is how deeply predicates may be nested.
	maxLoops = 2
	// maxNodes bounds the syntax tree, maxNesting its height. The parser itself
	// recurses at most once per byte of MaxSource.
	maxNodes   = 2000
	maxNesting = 400
)

// Shape says what an expression may use.
type Shape struct {
	// Vars are the names that may be read. Run takes their values in this order.
	Vars []string
	// Funcs are functions beside the built-in ones. One with the name of a
	// built-in function takes its place.
	Funcs map[string]Func
}

// Func is a function that an expression may call with Min to Max arguments.
type Func struct {
	Min, Max int
	// Call must be total in its arguments, deterministic, and count what it
	// makes with Machine.Grow. It must not keep args. Its error names no
	// position; the position of the call is added.
	Call func(m *Machine, args []any) (any, error)
}

// Program is a checked expression. Safe for concurrent use, each goroutine
// with a Machine of its own.
type Program struct {
	source string
	eval   eval
	slots  int
	reads  []string
	// member is set when the whole expression is a chain of members.
	member *chain
}

// eval computes one node.
type eval func(*Machine) (any, error)

// Error is a mistake in an expression, found when it is compiled or run.
type Error struct {
	// Line counts from 1, Column from 0 in runes.
	Line, Column int
	Message      string

	cause error
}

// Error gives the message with its place.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (line %d, column %d)", e.Message, e.Line, e.Column+1)
}

// Unwrap gives ErrBudget where the budget ended the run.
func (e *Error) Unwrap() error { return e.cause }

// Compile checks a source. The error is an *Error.
func Compile(source string, shape Shape) (*Program, error) {
	if len(source) > MaxSource {
		return nil, &Error{Line: 1, Message: fmt.Sprintf("is %d bytes long; the limit is %d", len(source), MaxSource)}
	}
	c := &compiler{source: source, shape: shape}
	root, err := c.parse()
	if err != nil {
		return nil, err
	}
	eval, err := c.compile(root)
	if err != nil {
		return nil, c.place(err)
	}
	p := &Program{source: source, eval: eval, slots: c.slots, reads: c.sortedReads()}
	if ch, ok := c.chainOf(root); ok && len(ch.keys) > 0 && ch.slot < 0 && ch.loop < 0 {
		p.member = ch
	}
	return p, nil
}

// Run computes the value. The environment holds a value per name of
// Shape.Vars, in that order. The error is an *Error.
func (p *Program) Run(m *Machine, env []any) (any, error) {
	m.env = env
	for len(m.slots) < p.slots {
		m.slots = append(m.slots, nil)
	}
	v, err := p.eval(m)
	if err != nil {
		m.args = m.args[:0]
		c := compiler{source: p.source}
		return nil, c.place(err)
	}
	return v, nil
}

// Reads gives the member paths that the program may read, sorted, for example
// body.propertyName or record.contacts[].email.
func (p *Program) Reads() []string { return p.reads }

// Path gives the path of a program that is nothing but a chain of members, as
// Reads spells it, else "".
func (p *Program) Path() string {
	if p.member == nil {
		return ""
	}
	return p.member.path
}

// Source gives the text that was compiled.
func (p *Program) Source() string { return p.source }

// Missing tells whether the program is a chain of members whose last one is not
// there at all, as opposed to being there and null.
func (p *Program) Missing(env []any) bool {
	if p.member == nil {
		return false
	}
	v := env[p.member.env]
	for _, k := range p.member.keys {
		m, ok := v.(map[string]any)
		if !ok {
			next, found := item(v, k)
			if !found {
				return true
			}
			v = next
			continue
		}
		next, ok := m[k.name]
		if !ok || k.isIndex {
			return true
		}
		v = next
	}
	return false
}

// parse gives the syntax tree of expr's grammar.
func (c *compiler) parse() (ast.Node, error) {
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	for name := range c.shape.Funcs {
		config.Functions[name] = &builtin.Function{Name: name}
	}
	tree, err := parser.ParseWithConfig(c.source, config)
	if err == nil {
		return tree.Node, nil
	}
	var at *file.Error
	if !errors.As(err, &at) {
		return nil, &Error{Line: 1, Message: err.Error()}
	}
	return nil, &Error{Line: max(at.Line, 1), Column: at.Column, Message: strings.TrimPrefix(at.Message, "compilation failed: ")}
}

// nodeError is an error at a rune of the source.
type nodeError struct {
	at  int
	err error
}

func (e *nodeError) Error() string { return e.err.Error() }

func (c *compiler) fail(n ast.Node, format string, args ...any) error {
	return &nodeError{n.Location().From, fmt.Errorf(format, args...)}
}

// at gives an error the place of a node unless it has one.
func at(from int, err error) error {
	var placed *nodeError
	if errors.As(err, &placed) {
		return err
	}
	return &nodeError{from, err}
}

// place turns a rune's number into line and column.
func (c *compiler) place(err error) error {
	out := &Error{Line: 1, Message: err.Error()}
	var n *nodeError
	if !errors.As(err, &n) {
		return out
	}
	if errors.Is(n.err, ErrBudget) {
		out.cause = ErrBudget
	}
	runes := 0
	for _, r := range c.source {
		if runes == n.at {
			break
		}
		runes++
		out.Column++
		if r == '\n' {
			out.Line, out.Column = out.Line+1, 0
		}
	}
	return out
}

func (c *compiler) sortedReads() []string {
	slices.Sort(c.reads)
	return slices.Compact(c.reads)
}

// nearest gives the name that differs least from a wrong one, as ", did you
// mean x?", or "".
func nearest(wrong string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := difference(strings.ToLower(wrong), strings.ToLower(name)); d < least || d == least && cmp.Less(name, best) {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// difference counts the letters that two names do not share at their ends.
func difference(a, b string) int {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return max(len(a), len(b))
}
