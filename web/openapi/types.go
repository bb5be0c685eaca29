package openapi

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Types makes schemas from Go types. Structs with a name become components, of
// which one for requests and one for answers may be made from the same type:
// an answer holds every member that is not omitted when empty, while a request
// may leave any out and may hold no unknown one. The zero value works; it is
// not safe for concurrent use.
type Types struct {
	// Comments describe types, by package path, a dot and the name, and their
	// fields, by a further dot and the field's name.
	Comments map[string]string
	// Special are the schemas of types that encoding/json does not treat as their
	// kind, and of those whose values are few.
	Special map[reflect.Type]*Schema
	// Refine may change the schema of a field, for what the type does not tell.
	Refine func(member string, s *Schema)

	components Ordered[*Schema]
	made       map[string]reflect.Type // by the component's name
	structs    []reflect.Type
	errs       []error
}

// Role says which way a value goes.
type Role bool

// The two ways.
const (
	Answer  Role = false
	Request Role = true
)

var (
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
	marshalType   = reflect.TypeFor[json.Marshaler]()
	unmarshalType = reflect.TypeFor[json.Unmarshaler]()
)

// Components gives what was made so far, and what could not be: two types that
// would have one name, and types that have no schema.
func (x *Types) Components() (Ordered[*Schema], []error) { return x.components, x.errs }

// Structs gives every struct that something was made from, those that others
// embed included.
func (x *Types) Structs() []reflect.Type { return x.structs }

// Of gives the schema of a type: of a struct with a name a reference.
func (x *Types) Of(t reflect.Type, role Role) *Schema {
	if s, ok := x.Special[t]; ok {
		copied := *s
		return &copied
	}
	switch {
	case t == timeType:
		return &Schema{Type: "string", Format: "date-time"}
	case t == rawType, t.Kind() == reflect.Interface:
		return &Schema{}
	case t.Kind() == reflect.Pointer:
		return x.Of(t.Elem(), role)
	case t.Implements(textType) || reflect.PointerTo(t).Implements(textType):
		return Text()
	case t.Implements(marshalType) || reflect.PointerTo(t).Implements(unmarshalType):
		x.errs = append(x.errs, fmt.Errorf("openapi: %s encodes itself; say how in Special", t))
		return &Schema{}
	}
	return x.ofKind(t, role)
}

func (x *Types) ofKind(t reflect.Type, role Role) *Schema {
	switch t.Kind() {
	case reflect.String:
		return Text()
	case reflect.Bool:
		return Flag()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer"}
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return &Schema{Type: "string", Format: "byte"}
		}
		return &Schema{Type: "array", Items: x.Of(t.Elem(), role)}
	case reflect.Map:
		member := x.Of(t.Elem(), role)
		if role == Request && t.Elem().Kind() == reflect.Pointer {
			member = OrNull(member)
		}
		return &Schema{Type: "object", Additional: member}
	case reflect.Struct:
		if t.Name() == "" {
			return x.object(t, role)
		}
		return x.component(t, role)
	}
	x.errs = append(x.errs, fmt.Errorf("openapi: %s has no schema", t))
	return &Schema{}
}

// component makes the struct a component once, and refers to it.
func (x *Types) component(t reflect.Type, role Role) *Schema {
	name := NameOf(t, role)
	ref := &Schema{Ref: "#/components/schemas/" + name}
	switch before, there := x.made[name]; {
	case there && before == t:
		return ref
	case there:
		x.errs = append(x.errs, fmt.Errorf("openapi: %s and %s are both %s", before, t, name))
		return ref
	}
	if x.made == nil {
		x.made = map[string]reflect.Type{}
	}
	x.made[name] = t
	x.components.Set(name, nil) // its place, and so that it may hold itself
	s := x.object(t, role)
	base := goName(t)
	if s.Description = x.Comments[t.PkgPath()+"."+base]; s.Description != "" {
		if rest, ok := strings.CutPrefix(s.Description, base+" "); ok {
			s.Description = name + " " + rest
		}
	}
	x.components.Set(name, s)
	return ref
}

func (x *Types) object(t reflect.Type, role Role) *Schema {
	s := &Schema{Type: "object"}
	x.fields(s, t, role)
	if role == Request {
		s.Required = nil
		s.Additional = false
	}
	return s
}

// fields adds those of a struct, and of the structs that it embeds. An outer
// field hides an inner one of the same name.
func (x *Types) fields(s *Schema, t reflect.Type, role Role) {
	if !slices.Contains(x.structs, t) {
		x.structs = append(x.structs, t)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if f.Anonymous && name == "" && inner.Kind() == reflect.Struct {
			hidden := *s
			x.fields(s, inner, role)
			for _, outer := range hidden.Properties.names {
				kept, _ := hidden.Properties.Get(outer)
				s.Properties.Set(outer, kept)
			}
			continue
		}
		if !f.IsExported() || name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		x.field(s, t, &f, name, strings.Split(options, ","), role)
	}
}

func (x *Types) field(s *Schema, t reflect.Type, f *reflect.StructField, name string, options []string, role Role) {
	member := x.Of(f.Type, role)
	if slices.Contains(options, "string") {
		member = Text()
	}
	if x.Refine != nil && member.Ref == "" {
		x.Refine(name, member)
	}
	omitted := slices.Contains(options, "omitempty") || slices.Contains(options, "omitzero")
	if f.Type.Kind() == reflect.Pointer && (role == Request || !omitted) {
		member = OrNull(member)
	}
	if member.Description == "" {
		member.Description = x.Comments[t.PkgPath()+"."+goName(t)+"."+f.Name]
	}
	s.Properties.Set(name, member)
	s.Required = slices.DeleteFunc(s.Required, func(r string) bool { return r == name })
	if !omitted {
		s.Required = append(s.Required, name)
	}
}

// goName is a type's name without what it is instantiated with.
func goName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// NameOf is the component's name: the type's without Body and Input at its end,
// with Input for requests; a list of profileBody is ProfileList.
func NameOf(t reflect.Type, role Role) string {
	name, of, generic := strings.Cut(t.Name(), "[")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "Body"), "Input")
	first, size := utf8.DecodeRuneInString(name)
	name = string(unicode.ToUpper(first)) + name[size:]
	if generic {
		of = strings.TrimSuffix(of, "]")
		of = of[strings.LastIndexAny(of, "./")+1:]
		first, size := utf8.DecodeRuneInString(of)
		name = strings.TrimSuffix(string(unicode.ToUpper(first))+of[size:], "Body") + name
	}
	if role == Request {
		name += "Input"
	}
	return name
}
