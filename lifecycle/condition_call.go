package lifecycle

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// functions lists the yes/no functions with the form that an error shows.
var functions = [...]struct {
	name string
	form string
	args int
	more int // how many further arguments may follow
}{
	{"seen", `seen("Order:Completed")`, 1, 0},
	{"at_least", `at_least("Product:Used", 3, "30d")`, 3, 0},
	{"within", `within("Order:Completed", "90d")`, 2, 0},
	{"idle", `idle("Product:Used", "60d")`, 2, 0},
	{"never", `never("Order:Completed", "14d")`, 2, 0},
	{"inactive", `inactive("60d")`, 1, 0},
	{"has_been", `has_been("plan", "trial", "14d")`, 3, 0},
	{"was", `was("Customer")`, 1, 0},
	{"left", `left("Dormant", "30d")`, 2, 0},
	{"in_stage_for", `in_stage_for("30d")`, 1, 0},
	{"before", `before(traits.trial_ends_at, "3d")`, 1, 1},
	{"after", `after(traits.trial_ends_at)`, 1, 1},
}

func functionList() []string {
	names := make([]string, len(functions))
	for i := range functions {
		names[i] = functions[i].name
	}
	return names
}

func functionNames() string { return strings.Join(functionList(), ", ") }

// function reads a call of a yes/no function.
func (c *conditionParser) function(n ast.Node, name string, args []ast.Node) *expr {
	want, most, form := -1, 0, ""
	for _, f := range functions {
		if f.name == name {
			want, most, form = f.args, f.args+f.more, f.form
		}
	}
	switch {
	case name == "count" || name == "sum":
		c.fail(n, "%s(…) is a number; compare it, as in count(\"Order:Completed\") >= 2", name)
		return c.newLeaf(leaf{})
	case name == "stage_of":
		c.fail(n, "stage_of(…) is a name; compare it, as in stage_of(\"academy\") == \"Student\"")
		return c.newLeaf(leaf{})
	case isDays(name):
		c.fail(n, "%s(…) is a number; compare it, as in days_until(traits.trial_ends_at) <= 3", name)
		return c.newLeaf(leaf{})
	case want < 0:
		hint := "the functions are " + functionNames()
		if near := document.Nearest(name, functionList()); near != "" {
			hint = "did you mean " + near + "?"
		}
		c.fail(n, "there is no function %s; %s", cutText(name, 80), hint)
		return c.newLeaf(leaf{})
	case len(args) < want || len(args) > most:
		number := strconv.Itoa(want)
		if most > want {
			number += " to " + strconv.Itoa(most)
		}
		c.fail(n, "%s takes %s arguments, as in %s; here are %d", name, number, form, len(args))
		return c.newLeaf(leaf{})
	}
	a := arguments{c, args, form}
	switch name {
	case "seen":
		return c.newLeaf(leaf{kind: leafSeen, event: a.event(0)})
	case "at_least":
		return c.newLeaf(leaf{kind: leafAtLeast, event: a.event(0), n: a.number(1), window: a.window(2)})
	case "within":
		return c.newLeaf(leaf{kind: leafWithin, event: a.event(0), window: a.window(1)})
	case "idle":
		return c.newLeaf(leaf{kind: leafIdle, event: a.event(0), window: a.window(1)})
	case "never":
		return c.newLeaf(leaf{kind: leafNever, event: a.event(0), window: a.window(1)})
	case "inactive":
		return c.newLeaf(leaf{kind: leafInactive, window: a.window(0)})
	case "has_been":
		c.noScore(n, a.text(0, "a trait's name"))
		return c.newLeaf(leaf{kind: leafHasBeen, trait: a.text(0, "a trait's name"), value: a.constant(1), window: a.window(2)})
	case "was":
		return c.newLeaf(leaf{kind: leafWas, stage: a.stage(0)})
	case "left":
		return c.newLeaf(leaf{kind: leafLeft, stage: a.stage(0), window: a.window(1)})
	case "before", "after":
		return c.instant(name, a)
	}
	return c.newLeaf(leaf{kind: leafInStageFor, window: a.window(0)})
}

// arguments reads the arguments of one call and reports those that are wrong.
type arguments struct {
	c    *conditionParser
	args []ast.Node
	form string
}

func (a arguments) text(i int, what string) string {
	s, ok := a.args[i].(*ast.StringNode)
	if !ok || s.Value == "" || len(s.Value) > MaxNameBytes {
		a.c.fail(a.args[i], "wants %s as a text here, as in %s", what, a.form)
		return ""
	}
	return s.Value
}

func (a arguments) event(i int) EventName {
	name := EventName(a.text(i, "an event's name"))
	if t := a.c.track; t != nil && name != "" && !t.reads(name) {
		a.c.fail(a.args[i], "%q is not among the events of the lifecycle %s; add it to its events", cutText(string(name), 80), t.id)
	}
	return name
}

func (a arguments) stage(i int) Stage {
	name := a.text(i, "a stage's name")
	if name != "" {
		a.c.knownStage(a.args[i], name)
	}
	return Stage(name)
}

func (a arguments) number(i int) int {
	n, ok := a.args[i].(*ast.IntegerNode)
	if !ok || n.Value < 1 || n.Value > MaxKeep {
		a.c.fail(a.args[i], "wants a whole number from 1 to %d here, as in %s", MaxKeep, a.form)
		return 1
	}
	return n.Value
}

func (a arguments) window(i int) Instant {
	s := a.text(i, "a duration")
	if s == "" {
		return 0
	}
	d, err := ParseWindow(s)
	if err != nil {
		a.c.fail(a.args[i], "%s", err)
	}
	return Instant(0).Add(d)
}

func (a arguments) constant(i int) any {
	v, ok := literal(a.args[i])
	if !ok {
		a.c.fail(a.args[i], "wants a constant here, as in %s", a.form)
	}
	return v
}

// eventArgument reads the first argument of count and sum.
func (c *conditionParser) eventArgument(n ast.Node, name string, args []ast.Node, want int) EventName {
	form := `count("Order:Completed")`
	if want == 2 {
		form = `sum("Order:Completed", "EUR")`
	}
	if len(args) != want {
		c.fail(n, "%s takes %d arguments, as in %s; here are %d", name, want, form, len(args))
		return ""
	}
	return arguments{c, args, form}.event(0)
}

// currency reads the second argument of sum, which the parser takes for a
// predicate because its own sum has one there.
func (c *conditionParser) currency(n ast.Node) string {
	inner := n
	if p, ok := n.(*ast.PredicateNode); ok {
		inner = p.Node
	}
	s, ok := inner.(*ast.StringNode)
	if !ok || !isCurrency(s.Value) {
		c.fail(n, "wants a currency of three capital letters here, as in %s", fmt.Sprintf("sum(%q, %q)", "Order:Completed", "EUR"))
		return ""
	}
	return s.Value
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
