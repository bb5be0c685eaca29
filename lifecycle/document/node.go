package document

import (
	"strconv"
	"strings"
)

// Kind says what a node is.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Bool
	Int
	Float
	Text
	List
	Map
	// Broken stands where a mistake was already reported; readers pass over it
	// in silence, so that one mistake makes one message.
	Broken
)

var kindNames = [...]string{"nothing", "a yes/no value", "a number", "a number", "a text", "a list", "a map", "broken"}

// String names the kind as an error message does.
func (k Kind) String() string { return kindNames[k] }

// Style says how a scalar was written.
type Style int

// The styles.
const (
	Plain  Style = iota // without quotes
	Quoted              // in single or double quotes
	Block               // below a | or >
)

// Node is one value of a document.
type Node struct {
	Kind  Kind
	Style Style
	// Text is the text of a Text, and the literal as it was written of a Null,
	// Bool, Int or Float.
	Text string
	// Line and Column of the first character, from 1, columns in runes. For a
	// block text that is its first line below the | or >.
	Line, Column int
	// Entries of a Map, in the order of the file.
	Entries []Entry
	// Items of a List.
	Items []*Node

	folded bool       // a block text whose lines were joined
	top    *collector // of the file; never nil
}

// Entry is one key of a map.
type Entry struct {
	Key          string
	Line, Column int
	Value        *Node
}

// Get gives the value of a key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// At converts a place in Text (line from 1, column from 0, in runes) into the
// place in the file, as errors of an expression need it. Where line folding or
// escapes make that impossible it gives the start of the node.
func (n *Node) At(line, column int) (int, int) {
	switch {
	case n.folded:
		return n.Line, n.Column
	case n.Style == Block:
		return n.Line + max(line-1, 0), n.Column + max(column, 0)
	case line > 1:
		return n.Line, n.Column
	case n.Style == Quoted:
		return n.Line, n.Column + 1 + max(column, 0)
	}
	return n.Line, n.Column + max(column, 0)
}

// Value gives the node as plain Go data: nil, bool, int64, float64, string,
// []any, map[string]any. A whole number beyond int64 becomes its text, as the
// decoder of vendor bytes does it.
func (n *Node) Value() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Bool:
		return n.Text == "true"
	case Int:
		if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return i
		}
		return n.Text
	case Float:
		f, err := strconv.ParseFloat(n.Text, 64)
		if err != nil {
			return n.Text
		}
		return f
	case Text:
		return n.Text
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Value()
		}
		return list
	case Map:
		m := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			m[e.Key] = e.Value.Value()
		}
		return m
	}
	return nil
}

// scalarKind decides what a plain scalar is, by the core rules of YAML 1.2
// without their rarer spellings: 0x10, 1_000, +5, .inf and the like are texts,
// so that no literal changes its meaning between YAML and an expression.
func scalarKind(s string) Kind {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "false":
		return Bool
	}
	digits := strings.TrimPrefix(s, "-")
	whole, rest := span(digits)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return Text
	}
	if rest == "" {
		return Int
	}
	if after, ok := strings.CutPrefix(rest, "."); ok {
		fraction, tail := span(after)
		if fraction == "" {
			return Text
		}
		rest = tail
	}
	if rest == "" {
		return Float
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return Text
	}
	exponent, tail := span(strings.TrimLeft(rest[1:], "+-"))
	if exponent == "" || tail != "" || len(rest)-len(exponent) > 2 {
		return Text
	}
	return Float
}

// span splits off the leading digits.
func span(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}
