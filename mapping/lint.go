package mapping

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// Lint gives advice about rules that compile but may not do what was meant, in
// the order of the file. known is the vocabulary; empty means that it is not
// checked.
func (rs *Ruleset) Lint(known []lifecycle.EventName) document.Errors {
	l := linter{file: rs.file, known: known}
	for _, r := range rs.rules {
		l.rule(r)
	}
	for i, r := range rs.rules {
		if earlier := sameCondition(rs.rules[:i], r); earlier != nil {
			l.advise(r.node, r.path, fmt.Sprintf("has the same type and condition as the rule %q; one rule can emit a list", earlier.name))
		}
	}
	slices.SortStableFunc(l.advice, func(a, b document.Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.advice
}

type linter struct {
	file   string
	known  []lifecycle.EventName
	advice document.Errors
}

func (l *linter) advise(at *document.Node, field, message string) {
	l.advice = append(l.advice, document.Error{File: l.file, Line: at.Line, Column: at.Column, Field: field, Message: message})
}

func (l *linter) rule(r *rule) {
	if r.prefix && r.typ == "" && r.when == nil {
		l.advise(r.node, r.path, "matches every event of the connection")
	}
	for _, e := range r.emits {
		l.event(e)
		if r.each != nil && !slices.ContainsFunc(e.identity, func(n named) bool { return reads(n.Program, "item") }) {
			l.advise(e.node, e.path, "emits once per item of each, but names the same person every time; its identity does not read item")
		}
		if e.amount != nil && e.key == nil {
			l.advise(e.node, e.path, "has a value but no key; two tools that tell of one payment would count it twice")
		}
	}
}

func (l *linter) event(e *emit) {
	if len(l.known) == 0 || slices.Contains(l.known, e.event) {
		return
	}
	names := make([]string, len(l.known))
	for i, n := range l.known {
		names[i] = string(n)
	}
	message := fmt.Sprintf("emits %s, which is not in the vocabulary", e.event)
	if near := document.Nearest(string(e.event), names); near != "" {
		message += "; did you mean " + near + "?"
	}
	l.advise(e.node, e.path, message)
}

// sameCondition finds a rule that matches exactly when r does.
func sameCondition(rules []*rule, r *rule) *rule {
	for _, o := range rules {
		if o.typ == r.typ && o.prefix == r.prefix && condition(o) == condition(r) && o.each == nil && r.each == nil {
			return o
		}
	}
	return nil
}

func condition(r *rule) string {
	if r.when == nil {
		return ""
	}
	return r.when.Source()
}
