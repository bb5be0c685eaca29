package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Severity says how sure it is that a finding is a mistake.
type Severity string

// The severities.
const (
	// Error is against a rule that can be decided.
	Error Severity = "error"
	// Warning is probably a mistake, or will cost somebody time.
	Warning Severity = "warning"
)

// Finding is one piece of advice.
type Finding struct {
	// Code says what kind of finding it is, for example "category".
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// File, Line and Column are where it stands, from 1; zero where the finding
	// is about no place in a file. Field is the path, for example
	// events.Order:Completed.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Field  string `json:"field,omitempty"`
	// Event is the name concerned, Connection and Rule who sends it; empty
	// where there is none.
	Event      lifecycle.EventName `json:"event,omitempty"`
	Connection string              `json:"connection,omitempty"`
	Rule       string              `json:"rule,omitempty"`
	// Reason says what is wrong, Proposal what to do about it.
	Reason   string `json:"reason"`
	Proposal string `json:"proposal,omitempty"`
}

// String gives file:line:column: severity: code: reason; proposal.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s: %s: ", f.Severity, f.Code)
	if f.Connection != "" {
		b.WriteString(f.Connection + ": ")
	}
	if f.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", f.Rule)
	}
	b.WriteString(f.Reason)
	if f.Proposal != "" {
		b.WriteString("; " + f.Proposal)
	}
	return b.String()
}

// Errors counts the findings that are errors.
func Errors(all []Finding) int {
	n := 0
	for _, f := range all {
		if f.Severity == Error {
			n++
		}
	}
	return n
}

// maxFindings bounds the answer to a plan of noise.
const maxFindings = 2000

// sorted brings findings into the order of the files: the plan, then by
// connection; each once.
func sorted(all []Finding) []Finding {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Reason, b.Reason))
	})
	all = slices.Compact(all)
	return all[:min(len(all), maxFindings)]
}
