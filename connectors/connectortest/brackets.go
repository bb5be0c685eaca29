package connectortest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// decodeBrackets reads a form whose names nest by brackets, a[b]=1, a[0][b]=1,
// a[]=1, into what the schema describes. The decoder that it stands in for
// reads flat forms only, and lets a name pass that the schema does not know.
func decodeBrackets(body io.Reader, _ http.Header, schema *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	fields, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, fmt.Errorf("the form cannot be read: %w", err)
	}
	root := &field{}
	for name, values := range fields {
		at := root
		for _, part := range splitBrackets(name) {
			at = at.member(part)
		}
		at.values = values
	}
	return root.value(schema), nil
}

// splitBrackets turns a[b][] into a, b and "".
func splitBrackets(name string) []string {
	head, rest, nested := strings.Cut(name, "[")
	parts := []string{head}
	for nested {
		var part string
		part, rest, _ = strings.Cut(rest, "]")
		parts = append(parts, part)
		_, rest, nested = strings.Cut(rest, "[")
	}
	return parts
}

type field struct {
	members map[string]*field
	values  []string
}

func (f *field) member(name string) *field {
	if f.members == nil {
		f.members = map[string]*field{}
	}
	if f.members[name] == nil {
		f.members[name] = &field{}
	}
	return f.members[name]
}

// value converts by schema: numbers, booleans and lists are texts in a form.
func (f *field) value(ref *openapi3.SchemaRef) any {
	s := pick(ref, f)
	if len(f.members) == 0 {
		return f.scalar(s)
	}
	if one := f.members[""]; one != nil && len(f.members) == 1 {
		return one.list(s)
	}
	if s != nil && s.Type.Is("array") {
		var list []any
		for _, name := range f.names() {
			list = append(list, f.members[name].value(s.Items))
		}
		return list
	}
	object := map[string]any{}
	for name, m := range f.members {
		var member *openapi3.SchemaRef
		if s != nil {
			if member = s.Properties[name]; member == nil {
				member = s.AdditionalProperties.Schema
			}
		}
		object[name] = m.value(member)
	}
	return object
}

func (f *field) list(s *openapi3.Schema) any {
	var list []any
	for _, v := range f.values {
		one := &field{values: []string{v}}
		if s != nil {
			list = append(list, one.value(s.Items))
		} else {
			list = append(list, v)
		}
	}
	return list
}

// names are in the order of their numbers where they are numbers.
func (f *field) names() []string {
	var names []string
	for name := range f.members {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return names
}

func (f *field) scalar(s *openapi3.Schema) any {
	text := ""
	if len(f.values) > 0 {
		text = f.values[0]
	}
	if s == nil {
		return text
	}
	switch {
	case s.Type.Is("integer"), s.Type.Is("number"):
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case s.Type.Is("boolean"):
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

// pick chooses among the alternatives of a schema the one whose kind the field
// has: an object or a list for what nests, a scalar for what does not.
func pick(ref *openapi3.SchemaRef, f *field) *openapi3.Schema {
	if ref == nil || ref.Value == nil {
		return nil
	}
	for _, one := range slices.Concat(ref.Value.AnyOf, ref.Value.OneOf) {
		if s := one.Value; s != nil && (len(f.members) > 0) == (s.Type.Is("object") || s.Type.Is("array")) {
			return s
		}
	}
	return ref.Value
}
