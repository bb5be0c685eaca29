package document

import "strings"

// Source is an expression as it stands in a file.
type Source struct {
	Text string
	// Field is its path, for errors at run time.
	Field string
	// Line and Column of its first character.
	Line, Column int

	node *Node
}

// At converts a place in Text (line from 1, column from 0, in runes) into the
// place in the file.
func (s Source) At(line, column int) (int, int) {
	if s.node == nil {
		return s.Line, s.Column
	}
	return s.node.At(line, column)
}

// Expression gives a field that holds an expression and must be there. A plain
// number, true, false or null is the expression of that literal. It reports
// and gives false when there is none.
func (r *Reader) Expression(field string) (Source, bool) {
	n := r.need(field)
	if n == nil {
		return Source{}, false
	}
	switch n.Kind {
	case Int, Float, Bool:
		return r.source(n, field, n.Text), true
	case Null:
		if n.Text == "null" {
			return r.source(n, field, "nil"), true
		}
		r.FailAt(n, field, "is empty, want an expression")
		return Source{}, false
	}
	return r.textExpression(n, field)
}

// OptExpression is Expression for a field that may be missing.
func (r *Reader) OptExpression(field string) (Source, bool) {
	if r.field(field) == nil {
		return Source{}, false
	}
	return r.Expression(field)
}

// Condition gives a field that holds a yes/no expression and must be there and
// be a text: a bare true or an empty `when` is more often a slip than a wish.
func (r *Reader) Condition(field string) (Source, bool) {
	n := r.need(field)
	if n == nil {
		return Source{}, false
	}
	return r.textExpression(n, field)
}

// OptCondition is Condition for a field that may be missing. An empty one is
// still a mistake.
func (r *Reader) OptCondition(field string) (Source, bool) {
	if r.field(field) == nil {
		return Source{}, false
	}
	return r.Condition(field)
}

func (r *Reader) textExpression(n *Node, field string) (Source, bool) {
	switch {
	case n.Kind == Broken:
		return Source{}, false
	case n.Kind == Null, n.Kind == Text && strings.TrimSpace(n.Text) == "":
		r.FailAt(n, field, "is empty, want an expression")
		return Source{}, false
	case n.Kind != Text:
		r.FailAt(n, field, "is %s, want an expression as a text; %s", n.Kind, inQuotes)
		return Source{}, false
	}
	return r.source(n, field, n.Text), true
}

func (r *Reader) source(n *Node, field, text string) Source {
	return Source{Text: text, Field: r.fieldPath(field), Line: n.Line, Column: n.Column, node: n}
}

// FailIn reports a mistake at a place inside an expression (line from 1,
// column from 0, in runes).
func (r *Reader) FailIn(s Source, line, column int, message string) {
	l, c := s.At(line, column)
	r.node.top.add(l, c, s.Field, message)
}
