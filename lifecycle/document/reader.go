package document

import (
	"fmt"
	"math"
	"strconv"
)

// Reader walks a tree and collects what is wrong with it. A reader stands on
// one node; the fields that its methods name are keys of that node, and the
// field "" is the node itself. A method that finds a mistake reports it and
// gives the zero value, so a caller reads on and asks Err once at the end.
// All readers of one file share their mistakes. Not safe for concurrent use.
type Reader struct {
	node *Node
	path string
	read map[string]bool
}

// Open reads one file. Mistakes in the YAML are in Err, together with those
// that reading finds; what they spoil is passed over in silence.
func Open(file string, src []byte) *Reader {
	return NewReader(parse(file, src))
}

// NewReader stands at a node that Parse gave.
func NewReader(n *Node) *Reader { return &Reader{node: n, read: map[string]bool{}} }

// Err gives every mistake found so far in the whole file, as Errors, or nil.
func (r *Reader) Err() error { return r.node.top.err() }

// Node gives the node the reader stands on.
func (r *Reader) Node() *Node { return r.node }

// Path gives the way from the top, for example rules[2].emit; "" at the top.
func (r *Reader) Path() string { return r.path }

// Has tells whether a field is there, even when it holds null. It marks the
// field as read.
func (r *Reader) Has(field string) bool { return r.field(field) != nil }

// Kind gives the kind of a field; Null when it is missing.
func (r *Reader) Kind(field string) Kind {
	if n := r.field(field); n != nil {
		return n.Kind
	}
	return Null
}

// Text gives a field that must be there and not empty. A number counts as a
// text, as it was written.
func (r *Reader) Text(field string) string {
	if n := r.need(field); n != nil {
		return r.text(n, field)
	}
	return ""
}

// OptText gives a text, or "" when the field is missing.
func (r *Reader) OptText(field string) string {
	if n := r.field(field); n != nil {
		return r.text(n, field)
	}
	return ""
}

func (r *Reader) text(n *Node, field string) string {
	switch n.Kind {
	case Text, Int, Float:
		if n.Text == "" {
			r.Fail(field, "is empty")
		}
		return n.Text
	case Bool:
		r.Fail(field, "is the yes/no value %s; write %q in quotes if the text is meant", n.Text, n.Text)
	default:
		r.want(n, field, Text)
	}
	return ""
}

// Bool gives a yes/no value; false when the field is missing.
func (r *Reader) Bool(field string) bool {
	n := r.field(field)
	if n == nil {
		return false
	}
	if n.Kind != Bool {
		r.FailAt(n, field, "is %s, want true or false", n.Kind)
	}
	return n.Kind == Bool && n.Text == "true"
}

// Int gives a whole number, or the fallback when the field is missing.
func (r *Reader) Int(field string, fallback int64) int64 {
	n := r.field(field)
	if n == nil {
		return fallback
	}
	i, err := strconv.ParseInt(n.Text, 10, 64)
	if n.Kind != Int || err != nil {
		r.FailAt(n, field, "is %s, want a whole number", n.Kind)
		return fallback
	}
	return i
}

// Float gives a number, or the fallback when the field is missing.
func (r *Reader) Float(field string, fallback float64) float64 {
	n := r.field(field)
	if n == nil {
		return fallback
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	if n.Kind != Int && n.Kind != Float || err != nil || math.IsInf(f, 0) {
		r.FailAt(n, field, "is %s, want a number", n.Kind)
		return fallback
	}
	return f
}

// Texts gives a list of texts; one text alone counts as a list of it. nil when
// the field is missing.
func (r *Reader) Texts(field string) []string {
	n := r.field(field)
	if n == nil {
		return nil
	}
	if n.Kind != List {
		if s := r.text(n, field); s != "" {
			return []string{s}
		}
		return nil
	}
	texts := make([]string, 0, len(n.Items))
	r.List(field, func(item *Reader) {
		if s := item.Text(""); s != "" {
			texts = append(texts, s)
		}
	})
	return texts
}

// Any gives a field as plain Go data, see Node.Value.
func (r *Reader) Any(field string) any { return r.field(field).Value() }

// List calls f for each item of a list, in order. Nothing when missing.
func (r *Reader) List(field string, f func(item *Reader)) {
	n := r.field(field)
	if n == nil {
		return
	}
	if n.Kind != List {
		r.want(n, field, List)
		return
	}
	for i, item := range n.Items {
		f(r.at(item, fmt.Sprintf("%s[%d]", r.fieldPath(field), i)))
	}
}

// Map calls f with a reader that stands on a map. Nothing when missing.
func (r *Reader) Map(field string, f func(m *Reader)) {
	n := r.field(field)
	if n == nil {
		return
	}
	if n.Kind != Map {
		r.want(n, field, Map)
		return
	}
	f(r.at(n, r.fieldPath(field)))
}

// Entries calls f for each key of a map whose keys are free, in the order of
// the file, with a reader that stands on the value. Nothing when missing.
func (r *Reader) Entries(field string, f func(key string, value *Reader)) {
	r.Map(field, func(m *Reader) {
		for _, e := range m.node.Entries {
			f(e.Key, m.at(e.Value, join(m.path, e.Key)))
		}
	})
}

// Unknown reports the keys of the node that no method has asked for, each with
// the name that was probably meant.
func (r *Reader) Unknown() {
	if r.node.Kind == Broken {
		return
	}
	if r.node.Kind != Map {
		r.want(r.node, "", Map)
		return
	}
	for _, e := range r.node.Entries {
		if r.read[e.Key] {
			continue
		}
		message := "is not a field here"
		if near := nearest(e.Key, r.read); near != "" {
			message += "; did you mean " + near + "?"
		}
		r.node.top.add(e.Line, e.Column, join(r.path, e.Key), message)
	}
}

// Fail reports a mistake at a field, or at the node where the field is missing.
func (r *Reader) Fail(field, format string, args ...any) {
	n := r.node
	if v := r.field(field); v != nil {
		n = v
	}
	r.FailAt(n, field, format, args...)
}

// FailAt reports a mistake of a field at the place of a node. A node that is
// broken already stays silent.
func (r *Reader) FailAt(n *Node, field, format string, args ...any) {
	if n.Kind != Broken && r.node.Kind != Broken {
		r.node.top.add(n.Line, n.Column, r.fieldPath(field), fmt.Sprintf(format, args...))
	}
}

// want reports a field of the wrong kind.
func (r *Reader) want(n *Node, field string, kind Kind) {
	if n.Kind == Null {
		r.FailAt(n, field, "is empty, want %s", kind)
		return
	}
	r.FailAt(n, field, "is %s, want %s", n.Kind, kind)
}

// need gives a field and reports it when it is missing.
func (r *Reader) need(field string) *Node {
	n := r.field(field)
	if n == nil {
		r.FailAt(r.node, field, "is missing")
	}
	return n
}

func (r *Reader) field(field string) *Node {
	if field == "" {
		return r.node
	}
	r.read[field] = true
	return r.node.Get(field)
}

func (r *Reader) fieldPath(field string) string {
	if field == "" {
		return r.path
	}
	return join(r.path, field)
}

func (r *Reader) at(n *Node, path string) *Reader {
	return &Reader{node: n, path: path, read: map[string]bool{}}
}
