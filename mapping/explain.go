package mapping

import (
	"reflect"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxReadValues bounds what an explanation shows of one rule.
const maxReadValues = 50

// Explanation tells what the rules made of one raw event, and why.
type Explanation struct {
	Output
	// Rules are those for the event's type, in the order of the file. Without
	// one, no rule names this type.
	Rules []RuleExplanation
}

// RuleExplanation tells what one rule did.
type RuleExplanation struct {
	Rule, Type string
	Line       int
	// When is the condition's text, empty when there is none, and Result what
	// it gave.
	When   string
	Result any
	// Matched tells whether the rule applied.
	Matched bool
	// Read lists the members that were looked at and what was found, in the
	// order of the reading.
	Read []ReadValue
	// Items is the length of the list of each, or -1.
	Items int
	// Events are what it emitted, also where a later rule failed the row.
	Events []lifecycle.Event
	// Err is why it failed; nil otherwise.
	Err error
}

// ReadValue is a member path and the value found there; nil when there was none.
type ReadValue struct {
	Path  string
	Value any
}

// Explain maps one raw event and tells about every rule for its type. Unlike
// Apply it goes on after a rule that fails.
func (rs *Ruleset) Explain(in *Input) Explanation {
	var x Explanation
	if x.Err = in.decode(); x.Err != nil {
		return x
	}
	r := runs.Get().(*run)
	r.start(rs, in)
	defer r.end()
	for _, rule := range rs.candidates(in.Type) {
		e := RuleExplanation{Rule: rule.name, Type: rule.pattern(), Line: rule.node.Line, Items: -1}
		if rule.when != nil {
			e.When = rule.when.Source()
		}
		r.explain = &e
		r.machine.Trace(e.note)
		e.Matched, e.Err = r.rule(rule)
		if e.Err != nil && x.Err == nil {
			x.Err = e.Err
		}
		if e.Matched || e.Err != nil {
			x.Matched = append(x.Matched, rule.name)
		}
		x.Rules = append(x.Rules, e)
	}
	if x.Err == nil {
		x.Events = r.events
	}
	return x
}

// note keeps a value that was read, once.
func (e *RuleExplanation) note(path string, v any) {
	switch v.(type) {
	case []any, map[string]any:
		// Known by its path; showing it whole would repeat the event.
		v = describe(v)
	}
	if len(e.Read) == maxReadValues {
		return
	}
	for _, r := range e.Read {
		if r.Path == path && reflect.DeepEqual(r.Value, v) {
			return
		}
	}
	e.Read = append(e.Read, ReadValue{path, v})
}
