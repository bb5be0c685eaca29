package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// maxRules bounds the rules of one connection.
const maxRules = 1000

// Compile reads a text of rules. The file's name only stands in the errors. The
// error is a document.Errors with every mistake; the rule set is then nil.
func Compile(file string, src []byte, o Options) (*Ruleset, error) {
	c := &compiler{names: map[string]bool{}, tests: map[string]bool{}}
	rs := &Ruleset{file: file, options: o, exact: map[string][]*rule{}, stages: inverse(o.Stages)}
	r := document.Open(file, src)
	r.List("rules", func(r *document.Reader) {
		if len(rs.rules) == maxRules {
			r.Fail("", "is one rule too many; the limit is %d", maxRules)
		}
		if len(rs.rules) <= maxRules {
			rs.rules = append(rs.rules, c.rule(r))
		}
	})
	r.List("tests", func(r *document.Reader) { rs.tests = append(rs.tests, c.test(r)) })
	r.Unknown()
	if err := r.Err(); err != nil {
		return nil, err
	}
	rs.index()
	rs.headers = c.headers
	return rs, nil
}

// compiler holds what the rules of one file share.
type compiler struct {
	names   map[string]bool // of rules
	tests   map[string]bool // names of tests
	headers bool
}

func (c *compiler) rule(r *document.Reader) *rule {
	out := &rule{name: r.Text("name"), path: r.Path(), node: r.Node()}
	if out.name != "" && c.names[out.name] {
		r.Fail("name", "there is a rule %q already", out.name)
	}
	c.names[out.name] = true
	out.typ, out.prefix = strings.CutSuffix(r.Text("type"), "*")
	if strings.Contains(out.typ, "*") {
		r.Fail("type", "has a * that is not at its end")
	}
	if s, ok := r.OptCondition("when"); ok {
		out.when = c.compile(r, s, false)
	}
	if s, ok := r.OptExpression("each"); ok {
		out.each = c.compile(r, s, false)
	}
	item := r.Has("each")
	switch r.Kind("emit") {
	case document.List:
		r.List("emit", func(e *document.Reader) { out.emits = append(out.emits, c.emit(e, out, item)) })
		if len(out.emits) == 0 {
			r.Fail("emit", "is empty; a rule emits at least one event")
		}
	case document.Null:
		r.Fail("emit", "is missing; a rule says which event it emits")
	default:
		r.Map("emit", func(e *document.Reader) { out.emits = append(out.emits, c.emit(e, out, item)) })
	}
	r.Unknown()
	return out
}

func (c *compiler) emit(r *document.Reader, of *rule, item bool) *emit {
	e := &emit{rule: of, path: r.Path(), node: r.Node()}
	name := r.Text("event")
	if name != "" && !validEvent(name) {
		r.Fail("event", "is %q, want a name in the form Category:Name, written out and not computed, for example Order:Completed", name)
	}
	e.event = lifecycle.EventName(name)
	e.key = c.optional(r, "key", item)
	e.at = c.optional(r, "at", item)
	e.identity = c.named(r, "identity", item)
	if !r.Has("identity") {
		r.Fail("identity", "is missing; an event names its person, for example identity: { email: body.email }")
	}
	for _, n := range e.identity {
		if !validNamespace(n.name) {
			r.Fail("identity", "has %q as a namespace; use small letters, digits, - and _", n.name)
		}
	}
	e.traits = c.named(r, "traits", item)
	e.properties = c.named(r, "properties", item)
	r.Map("value", func(v *document.Reader) {
		e.amount = c.required(v, "amount", item)
		e.currency = c.required(v, "currency", item)
		v.Unknown()
	})
	e.stage = c.optional(r, "stage", item)
	r.Unknown()
	for i := range e.traits {
		e.traits[i].fromRecord = fromRecord(e.traits[i].expr, of.each)
	}
	return e
}

// named compiles a map from names to expressions.
func (c *compiler) named(r *document.Reader, field string, item bool) []named {
	var all []named
	r.Entries(field, func(name string, v *document.Reader) {
		if name == "" || len(name) > lifecycle.MaxNameBytes {
			v.Fail("", "has a name that is empty or longer than %d bytes", lifecycle.MaxNameBytes)
		}
		if x := c.required(v, "", item); x != nil {
			all = append(all, named{name: name, expr: x})
		}
	})
	if r.Kind(field) == document.Map && len(all) == 0 && len(r.Node().Get(field).Entries) == 0 {
		r.Fail(field, "is empty")
	}
	return all
}

func (c *compiler) required(r *document.Reader, field string, item bool) *expr {
	s, ok := r.Expression(field)
	if !ok {
		return nil
	}
	return c.compile(r, s, item)
}

func (c *compiler) optional(r *document.Reader, field string, item bool) *expr {
	if !r.Has(field) {
		return nil
	}
	return c.required(r, field, item)
}

// compile compiles one expression and reports its mistake.
func (c *compiler) compile(r *document.Reader, s document.Source, item bool) *expr {
	p, err := expression.Compile(s.Text, expression.Shape{Vars: variables(item), Funcs: functions()})
	if err != nil {
		var e *expression.Error
		if !errors.As(err, &e) {
			r.FailIn(s, 1, 0, err.Error())
			return nil
		}
		r.FailIn(s, e.Line, e.Column, e.Message+hint(e.Message, s.Text))
		return nil
	}
	if reads(p, "headers") {
		c.headers = true
	}
	return &expr{p, s}
}

// hint helps with the mistake that is made most: a text without quotes.
func hint(message, source string) string {
	source = strings.TrimSpace(source)
	if !strings.HasPrefix(message, "there is no ") || strings.HasPrefix(message, "there is no function") || strings.ContainsAny(source, ".()'\"") {
		return ""
	}
	return fmt.Sprintf(`; a text is quoted twice: "'%s'"`, source)
}

// index sorts the rules by type.
func (rs *Ruleset) index() {
	for _, r := range rs.rules {
		if r.prefix {
			rs.prefixes = append(rs.prefixes, r)
		} else {
			rs.exact[r.typ] = nil
		}
	}
	for typ := range rs.exact {
		for _, r := range rs.rules {
			if r.typ == typ && !r.prefix || r.prefix && strings.HasPrefix(typ, r.typ) {
				rs.exact[typ] = append(rs.exact[typ], r)
			}
		}
	}
}

// inverse turns ours-to-theirs around; the first of ours in alphabetical order
// wins.
func inverse(stages map[string]string) map[string]lifecycle.Stage {
	out := make(map[string]lifecycle.Stage, len(stages))
	for _, ours := range slices.Sorted(maps.Keys(stages)) {
		if _, taken := out[stages[ours]]; !taken {
			out[stages[ours]] = lifecycle.Stage(ours)
		}
	}
	return out
}

// validEvent tells whether a name has the form Category:Name.
func validEvent(s string) bool {
	category, name, ok := strings.Cut(s, ":")
	return ok && len(s) <= lifecycle.MaxNameBytes && eventWord(category) && eventWord(name)
}

func eventWord(s string) bool {
	if s == "" || s[0] < 'A' || s[0] > 'Z' || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != ' ' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// validNamespace asks lifecycle, with a value that every namespace takes.
func validNamespace(s string) bool {
	if s == lifecycle.NamespaceEmail || s == lifecycle.NamespacePhone {
		return true
	}
	_, ok := lifecycle.NormaliseKey(s, "x")
	return ok
}
