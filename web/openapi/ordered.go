package openapi

import (
	"bytes"
	"encoding/json"
)

// Ordered is a JSON object that keeps its members in the order in which they
// were set. The zero value is empty.
type Ordered[T any] struct {
	names  []string
	values map[string]T
}

// Set adds a member, or replaces its value at its place.
func (o *Ordered[T]) Set(name string, value T) {
	if _, there := o.values[name]; !there {
		o.names = append(o.names, name)
	}
	if o.values == nil {
		o.values = map[string]T{}
	}
	o.values[name] = value
}

// Get gives a member's value.
func (o *Ordered[T]) Get(name string) (T, bool) {
	v, ok := o.values[name]
	return v, ok
}

// Names gives the members' names in order. The caller must not change them.
func (o *Ordered[T]) Names() []string { return o.names }

// IsZero tells whether there is no member; encoding/json asks it for omitzero.
func (o Ordered[T]) IsZero() bool { return len(o.names) == 0 }

// MarshalJSON implements json.Marshaler.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
