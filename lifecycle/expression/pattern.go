package expression

import (
	"regexp"
	"regexp/syntax"

	"github.com/expr-lang/expr/ast"
)

const (
	maxPattern        = 300  // bytes of a pattern of matches
	maxPatternProgram = 2000 // instructions it may become
)

// matches compiles a regular expression. Its pattern is written in the rule:
// one that a sender chose could cost any amount of work.
func (c *compiler) matches(n *ast.BinaryNode) (eval, error) {
	pattern, ok := n.Right.(*ast.StringNode)
	if !ok {
		return nil, c.fail(n.Right, "matches wants its pattern as a text in quotes")
	}
	if len(pattern.Value) > maxPattern {
		return nil, c.fail(n.Right, "the pattern is %d bytes long; the limit is %d", len(pattern.Value), maxPattern)
	}
	tree, err := syntax.Parse(pattern.Value, syntax.Perl)
	if err != nil {
		return nil, c.fail(n.Right, "the pattern is wrong: %v", err)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxPatternProgram {
		return nil, c.fail(n.Right, "the pattern is too costly")
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return nil, c.fail(n.Right, "the pattern is wrong: %v", err)
	}
	left, err := c.compile(n.Left)
	if err != nil {
		return nil, err
	}
	from, price := n.Location().From, len(program.Inst)/8+1
	return func(m *Machine) (any, error) {
		v, err := left(m)
		if err != nil {
			return nil, err
		}
		s, ok := v.(string)
		if !ok {
			return false, nil
		}
		if err := m.step(1 + len(s)*price); err != nil {
			return nil, at(from, err)
		}
		return re.MatchString(s), nil
	}, nil
}
