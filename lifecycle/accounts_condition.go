package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// accountExpr is a condition about an account as a tree.
type accountExpr struct {
	op   exprOp
	kids []*accountExpr
	leaf *accountLeaf
}

type accountLeafKind uint8

const (
	accountLiteral accountLeafKind = iota
	accountAny
	accountAll
	accountNumber // a measure, or the people, compared with a constant
	accountIsStage
)

// accountLeaf is one yes/no part of a condition about an account.
type accountLeaf struct {
	kind    accountLeafKind
	text    string
	truth   bool     // of a literal
	measure *measure // nil: the people
	holds   func(sign int) bool
	want    int64 // in the measure's unit
	stage   string
	negated bool // stage != …
}

// accountParser reads conditions about accounts: any(…), all(…), count(…) and
// sum(…) over people, people, and in segments the stage. What stands inside
// any, all and count is a condition about a person, which the parser of those
// reads.
type accountParser struct {
	people    *conditionParser
	plan      *accountPlan
	stages    []string
	ofSegment bool
}

const accountParts = `any(…), all(…), count(…), sum(…), people, comparisons, &&, ||, ! and parentheses`

// accountWords lets any and all be read as functions of one argument, which
// they are not in the language that the parser is made for.
func accountWords() *conf.Config {
	c := conf.CreateNew()
	c.Functions["any"], c.Functions["all"] = &builtin.Function{Name: "any"}, &builtin.Function{Name: "all"}
	return c
}

// parse is conditionParser.parse for a condition about an account.
func (a *accountParser) parse(text string) (*accountExpr, []conditionError) {
	c := a.people
	c.text, c.wrong = text, nil
	if len(text) > MaxConditionBytes {
		return nil, []conditionError{{1, 0, fmt.Sprintf("is %d bytes long; the limit is %d", len(text), MaxConditionBytes)}}
	}
	tree, err := parseText(text, accountWords())
	if err != nil {
		return nil, []conditionError{*err}
	}
	x := a.condition(tree.Node)
	if len(c.wrong) > 0 {
		return nil, c.wrong
	}
	return x, nil
}

func (a *accountParser) condition(n ast.Node) *accountExpr {
	c := a.people
	if len(c.wrong) >= maxConditionMistakes {
		return accountTruth(false)
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		c.leaves++
		return accountTruth(n.Value)
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return &accountExpr{op: opNot, kids: []*accountExpr{a.condition(n.Node)}}
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and":
			return &accountExpr{op: opAnd, kids: []*accountExpr{a.condition(n.Left), a.condition(n.Right)}}
		case "||", "or":
			return &accountExpr{op: opOr, kids: []*accountExpr{a.condition(n.Left), a.condition(n.Right)}}
		case "==", "!=", "<", "<=", ">", ">=":
			return a.comparison(n)
		}
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return a.quantifier(n, name.Value)
		}
	case *ast.BuiltinNode:
		c.fail(n, "%s(…) is a number; compare it, as in %s", n.Name, `count(seen("Order:Completed")) >= 3`)
		return accountTruth(false)
	case *ast.IdentifierNode:
		if n.Value == "people" {
			c.fail(n, "people is a number; compare it, as in people >= 5")
			return accountTruth(false)
		}
	}
	c.fail(n, "%s is not part of a condition about an account, which is made of %s", c.describe(n), accountParts)
	return accountTruth(false)
}

func accountTruth(truth bool) *accountExpr {
	return &accountExpr{leaf: &accountLeaf{kind: accountLiteral, truth: truth, text: strconv.FormatBool(truth)}}
}

// quantifier reads any(…) and all(…).
func (a *accountParser) quantifier(n *ast.CallNode, name string) *accountExpr {
	c := a.people
	switch {
	case name != "any" && name != "all":
		if slices.Contains(functionList(), name) {
			c.fail(n, "%s(…) is about a person; say of how many, as in any(%s(…))", name, name)
			return accountTruth(false)
		}
		hint := ""
		if near := document.Nearest(name, []string{"any", "all", "count", "sum"}); near != "" {
			hint = "; did you mean " + near + "?"
		}
		c.fail(n, "there is no function %s about accounts%s", cutText(name, 80), hint)
		return accountTruth(false)
	case len(n.Arguments) != 1:
		c.fail(n, `%s takes a condition about a person, as in %s(stage == "Customer")`, name, name)
		return accountTruth(false)
	}
	l := &accountLeaf{kind: accountAny, measure: a.fulfils(n.Arguments[0])}
	if name == "all" {
		l.kind = accountAll
	}
	l.text = name + "(" + l.measure.text + ")"
	return &accountExpr{leaf: l}
}

// fulfils gives the measure of how many people fulfil a condition.
func (a *accountParser) fulfils(n ast.Node) *measure {
	x := a.people.condition(n)
	return a.measure(n, &measure{text: x.text(), when: x})
}

// measure keeps one of each measure.
func (a *accountParser) measure(n ast.Node, m *measure) *measure {
	m.id = measureID(m.text + m.when.scorePrints())
	for _, have := range a.plan.measures {
		switch {
		case have.text == m.text:
			return have
		case have.id == m.id:
			a.people.fail(n, "cannot be told apart from another part of the plan; write it in another way")
		}
	}
	a.plan.measures = append(a.plan.measures, m)
	return m
}

// comparison reads count(…), sum(…), people and stage against a constant.
func (a *accountParser) comparison(n *ast.BinaryNode) *accountExpr {
	c := a.people
	c.leaves++
	left, op := n.Left, n.Operator
	value, ok := literal(n.Right)
	if !ok {
		if value, ok = literal(left); ok {
			left, op = n.Right, mirrored(op)
		}
	}
	if !ok {
		c.fail(n, "compares two things of the account; compare each with a constant")
		return accountTruth(false)
	}
	if name, is := left.(*ast.IdentifierNode); is && name.Value == "stage" {
		return a.stage(n, op, value)
	}
	l := &accountLeaf{kind: accountNumber, holds: ordering(op)}
	scale, what := int64(1), "people"
	switch left := left.(type) {
	case *ast.IdentifierNode:
		if left.Value != "people" {
			c.fail(left, "%s is not known of an account, of which there are %s", cutText(left.Value, 80), accountParts)
			return accountTruth(false)
		}
	case *ast.BuiltinNode:
		switch left.Name {
		case "count":
			if _, text := firstText(left); text || len(left.Arguments) != 1 {
				c.fail(left, `count(…) counts people, as in count(seen("Order:Completed")) >= 3`)
				return accountTruth(false)
			}
			l.measure = a.fulfils(left.Arguments[0])
			what = "count(" + l.measure.text + ")"
		case "sum":
			scale = microsPerUnit
			l.measure = a.sum(left)
			what = l.measure.text
		}
	}
	if what == "people" && !isPeople(left) {
		c.fail(left, "%s can't be compared here; compare count(…), sum(…) or people with a constant", c.describe(left))
		return accountTruth(false)
	}
	if l.want, ok = scaled(value, scale); !ok {
		c.fail(n, "wants a whole number here, or an amount of money with at most six digits behind the point")
	}
	l.text = what + " " + op + " " + literalText(value)
	return &accountExpr{leaf: l}
}

func isPeople(n ast.Node) bool {
	name, ok := n.(*ast.IdentifierNode)
	return ok && name.Value == "people"
}

func firstText(n *ast.BuiltinNode) (string, bool) {
	if len(n.Arguments) == 0 {
		return "", false
	}
	s, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}

// sum reads the money of an event over all people.
func (a *accountParser) sum(n *ast.BuiltinNode) *measure {
	m := &measure{event: a.people.eventArgument(n, n.Name, n.Arguments, 2)}
	if len(n.Arguments) == 2 {
		m.currency = a.people.currency(n.Arguments[1])
	}
	m.text = fmt.Sprintf("sum(%q, %q)", string(m.event), m.currency)
	return a.measure(n, m)
}

// stage reads the account's own stage, which segments may.
func (a *accountParser) stage(n ast.Node, op string, value any) *accountExpr {
	c := a.people
	name, text := value.(string)
	switch {
	case !a.ofSegment:
		c.fail(n, `the stage of an account is what is decided here; ask for its people, as in any(stage == "Customer")`)
	case !text || op != "==" && op != "!=":
		c.fail(n, "stage is a name; compare it with a text by == or !=")
	case !slices.Contains(a.stages, name):
		c.fail(n, "accounts have no stage %q%s", cutText(name, 80), didYouMean(name, a.stages))
	}
	return &accountExpr{leaf: &accountLeaf{kind: accountIsStage, stage: name, negated: op == "!=", text: "stage " + op + " " + strconv.Quote(name)}}
}

// text spells a condition about a person in one way, however the plan wrote it.
func (x *expr) text() string {
	switch x.op {
	case opLeaf:
		return x.leaf.text()
	case opNot:
		return "!(" + x.kids[0].text() + ")"
	}
	parts := make([]string, len(x.kids))
	for i, k := range x.kids {
		parts[i] = k.text()
		if k.op == opAnd || k.op == opOr {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	if x.op == opAnd {
		return strings.Join(parts, " && ")
	}
	return strings.Join(parts, " || ")
}
