package mapping

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFormFields bounds how many fields of a form are read.
const maxFormFields = 10_000

func decodeForm(raw []byte) (any, error) {
	if len(raw) == 0 {
		return map[string]any{}, nil
	}
	if bytes.Count(raw, []byte{'&'}) >= maxFormFields {
		return nil, &DecodeError{Reason: ReasonTooMany, Message: fmt.Sprintf("the form has more than %d fields", maxFormFields)}
	}
	root := &formNode{}
	offset := int64(0)
	for pair := range strings.SplitSeq(string(raw), "&") {
		if pair != "" {
			if err := root.field(pair); err != nil {
				err.Offset = offset
				return nil, err
			}
		}
		offset += int64(len(pair)) + 1
	}
	if len(root.names) == 0 {
		return nil, &DecodeError{Reason: ReasonMalformed, Message: "not a form"}
	}
	return root.object(), nil
}

// formNode is a name of a form: its own values, and what is nested below it,
// in the order of arrival.
type formNode struct {
	values []any
	many   bool // given as a[]=v
	names  []string
	nested map[string]*formNode
}

// field adds name=value.
func (n *formNode) field(pair string) *DecodeError {
	name, value, _ := strings.Cut(pair, "=")
	name, err := formText(name)
	if err != nil {
		return err
	}
	if value, err = formText(value); err != nil {
		return err
	}
	path := formPath(name)
	if len(path) > maxFormDepth {
		return &DecodeError{Reason: ReasonTooDeep, Message: fmt.Sprintf("a name is nested more than %d deep", maxFormDepth)}
	}
	for i, part := range path {
		if part == "" && i > 0 && i == len(path)-1 {
			n.many = true // a[]=v: one more value of a
			break
		}
		n = n.child(part)
	}
	n.values = append(n.values, value)
	return nil
}

func (n *formNode) child(name string) *formNode {
	c := n.nested[name]
	if c == nil {
		c = &formNode{}
		if n.nested == nil {
			n.nested = map[string]*formNode{}
		}
		n.nested[name] = c
		n.names = append(n.names, name)
	}
	return c
}

// formText undoes the percent encoding.
func formText(s string) (string, *DecodeError) {
	out, err := url.QueryUnescape(s)
	switch {
	case err != nil:
		return "", &DecodeError{Reason: ReasonMalformed, Message: "a % is not followed by two hex digits"}
	case !utf8.ValidString(out):
		return "", &DecodeError{Reason: ReasonInvalidUTF8, Message: "a form field is not valid UTF-8"}
	case strings.IndexByte(out, 0) >= 0:
		return "", &DecodeError{Reason: ReasonNUL, Message: "a form field holds a NUL"}
	}
	return out, nil
}

// formPath splits a[b][c]. A name whose brackets do not pair is taken as it is.
func formPath(name string) []string {
	i := strings.IndexByte(name, '[')
	if i <= 0 || !strings.HasSuffix(name, "]") {
		return []string{name}
	}
	path := []string{name[:i]}
	for rest := name[i:]; rest != ""; {
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 0 || strings.IndexByte(rest[1:end], '[') >= 0 {
			return []string{name}
		}
		path = append(path, rest[1:end])
		rest = rest[end+1:]
	}
	return path
}

func (n *formNode) value() any {
	switch {
	case len(n.names) == 0 && len(n.values) == 1 && !n.many:
		return n.values[0]
	case len(n.names) == 0:
		return n.values
	}
	if len(n.values) == 0 {
		if list, ok := n.list(); ok {
			return list
		}
	}
	m := n.object()
	if len(n.values) == 1 {
		m[""] = n.values[0]
	} else if len(n.values) > 1 {
		m[""] = n.values
	}
	return m
}

func (n *formNode) object() map[string]any {
	m := make(map[string]any, len(n.names))
	for _, name := range n.names {
		m[name] = n.nested[name].value()
	}
	return m
}

// list gives the nested values when their names are 0, 1, 2 and so on.
func (n *formNode) list() ([]any, bool) {
	list := make([]any, len(n.names))
	for i := range n.names {
		c, ok := n.nested[strconv.Itoa(i)]
		if !ok {
			return nil, false
		}
		list[i] = c.value()
	}
	return list, true
}
