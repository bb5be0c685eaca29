// Package document reads the YAML that people write for Stagebridge: mapping
// rules, tracking plans, connections. It is stricter than YAML, because a file
// full of expressions must never silently mean something else: tags, anchors,
// aliases, merge keys, doubled keys and second documents are mistakes, and so
// is a plain text that a comment sign cuts short.
//
// Every mistake is collected with file, line, column and field, so that a
// person who made three sees three. Use Open for a file, or Parse and
// NewReader where the tree is wanted as well.
package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxErrors bounds how many mistakes of one file are kept; a file of noise
// would otherwise be answered with a message per token.
const maxErrors = 100

// Error is one mistake. Line and Column count from 1, columns in runes; zero
// when the place is not known.
type Error struct {
	File         string
	Line, Column int
	// Field is the path from the top, for example rules[2].emit.event; empty
	// for the file as a whole.
	Field   string
	Message string
}

// Error gives file:line:column: field: message.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Errors is every mistake of one file, in the order of the text.
type Errors []Error

// Error gives one mistake per line.
func (l Errors) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single mistakes.
func (l Errors) Unwrap() []error {
	all := make([]error, len(l))
	for i, e := range l {
		all[i] = e
	}
	return all
}

// collector gathers the mistakes of one file.
type collector struct {
	file string
	list Errors
}

func (c *collector) add(line, column int, field, message string) {
	e := Error{c.file, line, column, field, message}
	if len(c.list) < maxErrors && !slices.Contains(c.list, e) {
		c.list = append(c.list, e)
	}
}

func (c *collector) full() bool { return len(c.list) >= maxErrors }

// err gives nil or the mistakes in the order of the text.
func (c *collector) err() error {
	if len(c.list) == 0 {
		return nil
	}
	sorted := slices.Clone(c.list)
	slices.SortStableFunc(sorted, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return sorted
}
