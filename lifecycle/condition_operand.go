package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// operand reads one side of a comparison.
func (c *conditionParser) operand(n ast.Node) operand {
	if v, ok := literal(n); ok {
		return operand{value: v}
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		switch n.Value {
		case "stage":
			o := operand{kind: operandStage}
			if c.track != nil {
				o.of = c.track.id
			}
			return o
		case "source":
			return operand{kind: operandSource}
		}
		c.fail(n, "%s is not known here; %s", n.Value, c.identifierHint(n.Value))
		return operand{}
	case *ast.MemberNode:
		if o, ok := c.trait(n); ok {
			return c.scored(n, o)
		}
	case *ast.BuiltinNode:
		switch n.Name {
		case "count":
			return operand{kind: operandCount, event: c.eventArgument(n, n.Name, n.Arguments, 1)}
		case "sum":
			o := operand{kind: operandSum, event: c.eventArgument(n, n.Name, n.Arguments, 2)}
			if len(n.Arguments) == 2 {
				o.currency = c.currency(n.Arguments[1])
			}
			return o
		}
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && name.Value == "stage_of" {
			return c.stageOf(n, n.Arguments)
		}
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && isDays(name.Value) {
			return c.days(n, name.Value, n.Arguments)
		}
		if name, ok := n.Callee.(*ast.IdentifierNode); ok && slices.Contains(functionList(), name.Value) {
			c.fail(n, "%s(…) is a yes/no function and can't be compared; write it alone, or with ! before it", name.Value)
			return operand{}
		}
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			c.fail(n, "%s binds tighter than the comparison; put the comparison in parentheses", n.Operator)
			return operand{}
		}
	}
	c.fail(n, "%s can't be compared; compare traits.x, count(…), sum(…), days_until(…), days_since(…), stage or source with a constant", c.describe(n))
	return operand{}
}

// trait reads traits.x, traits["x"] and traits.x.y.
func (c *conditionParser) trait(n *ast.MemberNode) (operand, bool) {
	var path []string
	var at ast.Node = n
	for {
		m, ok := at.(*ast.MemberNode)
		if !ok {
			break
		}
		name, ok := m.Property.(*ast.StringNode)
		if !ok || m.Optional || m.Method {
			return operand{}, false
		}
		path = append(path, name.Value)
		at = m.Node
	}
	root, ok := at.(*ast.IdentifierNode)
	if !ok || root.Value != "traits" {
		return operand{}, false
	}
	slices.Reverse(path)
	return operand{kind: operandTrait, trait: path[0], path: path[1:]}, true
}

// literal reads a constant: a text, a number, true, false or nil.
func literal(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return int64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.NilNode:
		return nil, true
	case *ast.UnaryNode:
		v, ok := literal(n.Node)
		if !ok || n.Operator != "-" && n.Operator != "+" {
			return nil, false
		}
		switch x := v.(type) {
		case int64:
			if n.Operator == "-" {
				x = -x
			}
			return x, true
		case float64:
			if n.Operator == "-" {
				x = -x
			}
			return x, true
		}
	}
	return nil, false
}

// describe names a node in an error.
func (c *conditionParser) describe(n ast.Node) string {
	switch n := n.(type) {
	case nil:
		return "nothing"
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.NilNode:
		return "a constant"
	case *ast.BinaryNode:
		return "the operator " + n.Operator
	case *ast.UnaryNode:
		return "the operator " + n.Operator
	case *ast.MemberNode:
		return "the member access"
	case *ast.ChainNode:
		return "?. (write . instead: a missing trait is no error)"
	case *ast.CallNode, *ast.BuiltinNode:
		return "this function"
	case *ast.ConditionalNode:
		return "if and ?:"
	case *ast.VariableDeclaratorNode:
		return "let"
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."), "Node"))
}
