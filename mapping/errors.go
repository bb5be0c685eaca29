package mapping

import (
	"errors"
	"fmt"
)

// ErrNoIdentity marks a *RuleError of an event that names nobody: every value
// under identity was empty or unusable.
var ErrNoIdentity = errors.New("mapping: names nobody")

// RuleError is why one raw event could not be mapped. It concerns that event
// only.
type RuleError struct {
	// Rule is the rule's name, Field the path in the file, for example
	// rules[2].emit.at.
	Rule, Field string
	// Line and Column in the file of the rules, from 1.
	Line, Column int
	Message      string

	cause error
}

// Error names rule, field, place and message.
func (e *RuleError) Error() string {
	return fmt.Sprintf("rule %q, %s (line %d, column %d): %s", e.Rule, e.Field, e.Line, e.Column, e.Message)
}

// Unwrap gives ErrNoIdentity, or expression.ErrBudget where a rule did too
// much work, else nil.
func (e *RuleError) Unwrap() error { return e.cause }

// The reasons of a DecodeError.
const (
	ReasonMalformed     = "malformed"      // not the format at all, or cut off, or followed by more
	ReasonDuplicateName = "duplicate_name" // one name twice in an object
	ReasonInvalidUTF8   = "invalid_utf8"   // bytes or escapes that are no Unicode text
	ReasonNUL           = "nul"            // a text with a NUL, which no store of ours can hold
	ReasonTooDeep       = "too_deep"       // nested over the limit
	ReasonTooMany       = "too_many"       // more form fields than the limit
	ReasonFormat        = "format"         // a format that nobody reads
)

// DecodeError is why bytes could not be read.
type DecodeError struct {
	Reason  string
	Message string
	// Offset in bytes from the start; 0 when not known.
	Offset int64
}

// Error gives the message; it holds nothing of the bytes.
func (e *DecodeError) Error() string {
	if e.Offset > 0 {
		return fmt.Sprintf("mapping: decode: %s at byte %d", e.Message, e.Offset)
	}
	return "mapping: decode: " + e.Message
}
