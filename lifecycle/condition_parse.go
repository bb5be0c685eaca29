package lifecycle

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// conditionError is one mistake in a condition; line from 1, column from 0, in
// runes.
type conditionError struct {
	line, column int
	message      string
}

// conditionParser reads conditions of the closed language: yes/no functions,
// comparisons, &&, ||, ! and parentheses. Everything else is refused.
type conditionParser struct {
	stages []string // names that stage functions may use
	// track is the further lifecycle whose conditions are read, nil for the main
	// one; tracks are the names of the stages of all by id.
	track  *track
	tracks map[string][]string
	scores []*score // that conditions may read
	// unscored are names of scores while they are read themselves.
	unscored []string
	text     string
	wrong    []conditionError
	leaves   int // over all conditions
}

// parse gives the tree, or nil and the mistakes, all of them where the text
// can be parsed at all.
func (c *conditionParser) parse(text string) (x *expr, wrong []conditionError) {
	c.text, c.wrong = text, nil
	if len(text) > MaxConditionBytes {
		return nil, []conditionError{{1, 0, fmt.Sprintf("is %d bytes long; the limit is %d", len(text), MaxConditionBytes)}}
	}
	tree, err := parseText(text, nil)
	if err != nil {
		return nil, []conditionError{*err}
	}
	x = c.condition(tree.Node)
	if len(c.wrong) > 0 {
		return nil, c.wrong
	}
	return x, nil
}

// parseText calls the parser. words, when not nil, changes what names mean. A
// text that its authors did not think of must not take the process down, so a
// panic becomes a mistake in the text.
func parseText(text string, words *conf.Config) (tree *parser.Tree, wrong *conditionError) {
	defer func() {
		if recover() != nil {
			tree, wrong = nil, &conditionError{1, 0, "cannot be read as an expression"}
		}
	}()
	tree, err := parser.ParseWithConfig(text, words)
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			return nil, &conditionError{at.Line, at.Column, at.Message}
		}
		return nil, &conditionError{1, 0, err.Error()}
	}
	return tree, nil
}

// maxConditionMistakes bounds what is said about one condition.
const maxConditionMistakes = 20

func (c *conditionParser) fail(n ast.Node, format string, args ...any) {
	if len(c.wrong) >= maxConditionMistakes {
		return
	}
	line, column, seen := 1, 0, 0
	for _, r := range c.text {
		if seen == n.Location().From {
			break
		}
		seen++
		column++
		if r == '\n' {
			line, column = line+1, 0
		}
	}
	e := conditionError{line, column, fmt.Sprintf(format, args...)}
	if !slices.Contains(c.wrong, e) {
		c.wrong = append(c.wrong, e)
	}
}

// condition reads a yes/no node. Its answer is worth nothing once fail was
// called; it is never nil.
func (c *conditionParser) condition(n ast.Node) *expr {
	if len(c.wrong) >= maxConditionMistakes {
		return c.newLeaf(leaf{})
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return c.newLeaf(leaf{kind: leafLiteral, value: n.Value})
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return &expr{op: opNot, kids: []*expr{c.condition(n.Node)}}
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			return c.junction(opAnd, n)
		case "||", "or":
			return c.junction(opOr, n)
		case "==", "!=", "<", "<=", ">", ">=":
			return c.comparison(n)
		case "in":
			return c.membership(n)
		}
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.function(n, name.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return c.function(n, n.Name, n.Arguments)
	case *ast.MemberNode:
		if o, ok := c.trait(n); ok {
			c.noScore(n, o.trait)
			return c.newLeaf(leaf{kind: leafTruthy, left: o})
		}
	case *ast.IdentifierNode:
		c.fail(n, "%s is not a yes/no function; %s", n.Value, c.identifierHint(n.Value))
		return c.newLeaf(leaf{})
	}
	c.fail(n, "%s is not part of a condition; a condition is made of %s, comparisons, &&, ||, ! and parentheses", c.describe(n), functionNames())
	return c.newLeaf(leaf{})
}

func (c *conditionParser) identifierHint(name string) string {
	switch name {
	case "stage", "source":
		return fmt.Sprintf("compare it, as in %s == %q", name, "name")
	case "traits":
		return "name a trait, as in traits.country"
	}
	if near := document.Nearest(name, functionList()); near != "" {
		return "did you mean " + near + "(…)?"
	}
	return "a trait is written traits." + name
}

// junction flattens a && b && c into one branch.
func (c *conditionParser) junction(op exprOp, n *ast.BinaryNode) *expr {
	x := &expr{op: op}
	for _, side := range []ast.Node{n.Left, n.Right} {
		k := c.condition(side)
		if k.op == op {
			x.kids = append(x.kids, k.kids...)
		} else {
			x.kids = append(x.kids, k)
		}
	}
	return x
}

func (c *conditionParser) newLeaf(l leaf) *expr {
	c.leaves++
	if c.track != nil {
		switch l.kind {
		case leafWas, leafLeft, leafInStageFor:
			l.of = c.track.id
		case leafNever, leafInactive:
			if c.track.reading != nil {
				l.of = c.track.id
			}
		}
	}
	return &expr{op: opLeaf, leaf: &l}
}

func (c *conditionParser) comparison(n *ast.BinaryNode) *expr {
	l := leaf{kind: leafCompare, op: n.Operator, left: c.operand(n.Left), right: c.operand(n.Right)}
	if l.left.kind == operandLiteral && l.right.kind != operandLiteral {
		// The person comes first, so that the rest sees one shape.
		l.left, l.right, l.op = l.right, l.left, mirrored(l.op)
	}
	if l.left.kind == operandLiteral && len(c.wrong) == 0 {
		c.fail(n, "compares two constants")
	}
	c.checkDays(n, &l)
	c.checkScore(n, &l)
	if l.left.kind == operandStage && l.right.kind == operandLiteral {
		c.stageLiteral(n, l.left.of, l.right.value)
		if l.op != "==" && l.op != "!=" {
			c.fail(n, "stage can be compared with == and != only")
		}
	}
	return c.newLeaf(l)
}

func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

func (c *conditionParser) membership(n *ast.BinaryNode) *expr {
	l := leaf{kind: leafIn, left: c.operand(n.Left)}
	list, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		c.fail(n.Right, "in wants a list of constants, as in [\"a\", \"b\"]")
		return c.newLeaf(l)
	}
	for _, item := range list.Nodes {
		v, ok := literal(item)
		if !ok {
			c.fail(item, "%s is not a constant", c.describe(item))
		}
		if l.left.kind == operandStage {
			c.stageLiteral(item, l.left.of, v)
		}
		l.list = append(l.list, v)
	}
	c.checkDays(n, &l)
	c.checkScore(n, &l)
	if l.left.kind == operandLiteral && len(c.wrong) == 0 {
		c.fail(n, "asks for a constant in a list of constants")
	}
	return c.newLeaf(l)
}

func (c *conditionParser) stageLiteral(n ast.Node, of string, v any) {
	name, ok := v.(string)
	if !ok {
		c.fail(n, "stage is a name; compare it with a text")
		return
	}
	stages, known := c.tracks[of]
	if !known { // said already, or there is but one lifecycle
		stages = c.stages
	}
	c.stageAmong(n, name, stages)
}

func (c *conditionParser) knownStage(n ast.Node, name string) { c.stageAmong(n, name, c.stages) }

func (c *conditionParser) stageAmong(n ast.Node, name string, stages []string) {
	if slices.Contains(stages, name) {
		return
	}
	c.fail(n, "there is no stage %q in this plan%s", cutText(name, 80), didYouMean(name, stages))
}

// stageOf reads stage_of("id"), the stage in any of the plan's lifecycles.
func (c *conditionParser) stageOf(n ast.Node, args []ast.Node) operand {
	o := operand{kind: operandStage, named: true}
	const form = `stage_of("academy")`
	if len(args) != 1 {
		c.fail(n, "stage_of takes one argument, as in %s; here are %d", form, len(args))
		return o
	}
	id := arguments{c, args, form}.text(0, "the id of a lifecycle")
	if id == "" || id == MainLifecycle {
		return o
	}
	if _, known := c.tracks[id]; !known {
		ids := append(slices.Sorted(maps.Keys(c.tracks))[1:], MainLifecycle)
		c.fail(n, "there is no lifecycle %q in this plan%s", cutText(id, 80), didYouMean(id, ids))
		return o
	}
	o.of = id
	return o
}
