package mapping

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// MaxEvents is how many events one raw event may become.
const MaxEvents = 1000

// Input is one raw event.
type Input struct {
	// Type is the vendor's name for it.
	Type string
	// Body is the decoded event. When it is nil and Raw is not, Raw is decoded
	// by Format (see Decode) and kept here.
	Body   any
	Raw    []byte
	Format string
	// Headers that carry meaning, lower-case names; may be nil.
	Headers map[string]string
	// Record is the object that the event is about; nil where it is gone or
	// was not asked for. When it is nil and RecordJSON is not empty, that is
	// decoded and kept here.
	Record     any
	RecordJSON []byte
	// RecordAt is the record's modification time, or when it was fetched.
	RecordAt lifecycle.Instant
	// At is the event's time as the source decoded it; zero when it gave none.
	At lifecycle.Instant
	// Received is when it arrived; it stands in where no time is known.
	Received lifecycle.Instant
	// Dedupe is the raw event's dedupe key; the ids of its events come from it.
	Dedupe []byte
}

// Output is what became of one raw event.
type Output struct {
	// Events in the order of the rules. Connection and Identity are set; Inbox
	// is the caller's. nil when Err is set: a row is all or nothing.
	Events []lifecycle.Event
	// Matched names the rules whose type and condition fit. Empty without an
	// error: the event is ignored. A rule that matches may still emit nothing,
	// when its list is empty.
	Matched []string
	// Err is a *RuleError or a *DecodeError.
	Err error
	// Starts holds, for each rule of Matched but the first, where its events
	// begin in Events.
	Starts []int
}

// Rule names the rule that emitted the event at a place in Events.
func (o *Output) Rule(event int) string {
	at := 0
	for at < len(o.Starts) && o.Starts[at] <= event {
		at++
	}
	if at >= len(o.Matched) {
		return ""
	}
	return o.Matched[at]
}

// Apply maps one raw event. It is safe for concurrent use, each call with an
// Input of its own.
func (rs *Ruleset) Apply(in *Input) Output {
	var out Output
	rules := rs.candidates(in.Type)
	if len(rules) == 0 {
		return out
	}
	if out.Err = in.decode(); out.Err != nil {
		return out
	}
	run := runs.Get().(*run)
	run.start(rs, in)
	defer run.end()
	for _, r := range rules {
		before := len(run.events)
		matched, err := run.rule(r)
		if err != nil {
			return Output{Err: err, Matched: append(out.Matched, r.name)}
		}
		if matched {
			if len(out.Matched) > 0 {
				out.Starts = append(out.Starts, before)
			}
			out.Matched = append(out.Matched, r.name)
		}
	}
	out.Events = run.events
	return out
}

// decode fills Body and Record.
func (in *Input) decode() (err error) {
	if in.Body == nil && in.Raw != nil {
		if in.Body, err = Decode(in.Format, in.Raw); err != nil {
			return err
		}
	}
	if in.Record == nil && len(in.RecordJSON) > 0 {
		in.Record, err = Decode(FormatJSON, in.RecordJSON)
	}
	return err
}

// run is the state of mapping one raw event.
type run struct {
	rs      *Ruleset
	in      *Input
	machine *expression.Machine
	env     [varCount]any
	events  []lifecycle.Event
	failed  *rule // the rule whose error is being made
	explain *RuleExplanation
}

// runs is a pool, so that the hot path makes no machine per event.
var runs = sync.Pool{New: func() any { return &run{machine: expression.NewMachine()} }}

func (r *run) start(rs *Ruleset, in *Input) {
	r.rs, r.in = rs, in
	r.env = [varCount]any{varBody: in.Body, varRecord: in.Record, varType: in.Type}
	if rs.headers {
		headers := make(map[string]any, len(in.Headers))
		for k, v := range in.Headers {
			headers[k] = v
		}
		r.env[varHeaders] = headers
	}
}

func (r *run) end() {
	machine := r.machine
	machine.Reset()
	*r = run{machine: machine}
	runs.Put(r)
}

// rule applies one rule and tells whether it matched.
func (r *run) rule(of *rule) (bool, error) {
	r.failed = of
	if of.when != nil {
		v, err := r.eval(of.when)
		if err != nil {
			return false, err
		}
		yes, ok := v.(bool)
		if !ok && v != nil {
			return false, r.fail(of.when.source, "gives "+describe(v)+", want yes or no")
		}
		if r.explain != nil {
			r.explain.Result = v
		}
		if !yes {
			return false, nil
		}
	}
	if of.each == nil {
		return true, r.emit(of)
	}
	return true, r.each(of)
}

// each emits once per item of a list. A missing list is an empty one.
func (r *run) each(of *rule) error {
	v, err := r.eval(of.each)
	if err != nil {
		return err
	}
	items, ok := v.([]any)
	if !ok && v != nil {
		return r.fail(of.each.source, "gives "+describe(v)+", want a list")
	}
	if r.explain != nil {
		r.explain.Items = len(items)
	}
	for _, item := range items {
		r.env[varItem] = item
		if err := r.emit(of); err != nil {
			return err
		}
	}
	r.env[varItem] = nil
	return nil
}

func (r *run) emit(of *rule) error {
	for _, e := range of.emits {
		if len(r.events) == MaxEvents {
			return r.failAt(e.node, e.path, fmt.Sprintf("gives more than %d events", MaxEvents))
		}
		event, err := r.event(e)
		if err != nil {
			return err
		}
		r.events = append(r.events, event)
		if r.explain != nil {
			r.explain.Events = append(r.explain.Events, event)
		}
	}
	return nil
}

// eval runs an expression and gives its error the place in the file.
func (r *run) eval(x *expr) (any, error) {
	v, err := x.Run(r.machine, r.env[:])
	if err == nil {
		return v, nil
	}
	var e *expression.Error
	if !errors.As(err, &e) {
		return nil, r.fail(x.source, err.Error())
	}
	line, column := x.source.At(e.Line, e.Column)
	return nil, &RuleError{Rule: r.failed.name, Field: x.source.Field, Line: line, Column: column, Message: e.Message, cause: e.Unwrap()}
}

func (r *run) fail(s document.Source, message string) *RuleError {
	return &RuleError{Rule: r.failed.name, Field: s.Field, Line: s.Line, Column: s.Column, Message: message}
}

func (r *run) failAt(n *document.Node, field, message string) *RuleError {
	return &RuleError{Rule: r.failed.name, Field: field, Line: n.Line, Column: n.Column, Message: message}
}
