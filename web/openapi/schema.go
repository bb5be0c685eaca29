package openapi

import "slices"

// Schema is a JSON Schema. The zero value lets everything through.
type Schema struct {
	Ref         string           `json:"$ref,omitempty"`
	Type        string           `json:"type,omitempty"`
	Description string           `json:"description,omitempty"`
	Format      string           `json:"format,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Minimum     *float64         `json:"minimum,omitempty"`
	Maximum     *float64         `json:"maximum,omitempty"`
	Default     any              `json:"default,omitempty"`
	Items       *Schema          `json:"items,omitempty"`
	Properties  Ordered[*Schema] `json:"properties,omitzero"`
	Required    []string         `json:"required,omitempty"`
	// Additional is *Schema for the members of a map, and false where an unknown
	// member is a mistake.
	Additional any       `json:"additionalProperties,omitempty"`
	AnyOf      []*Schema `json:"anyOf,omitempty"`
}

// Text is a schema of texts, of one of the values where there are any.
func Text(values ...string) *Schema { return &Schema{Type: "string", Enum: slices.Clone(values)} }

// Whole is a schema of whole numbers from least to most, both included.
func Whole(least, most int64) *Schema {
	a, b := float64(least), float64(most)
	return &Schema{Type: "integer", Minimum: &a, Maximum: &b}
}

// Number is a schema of numbers from least to most, both included.
func Number(least, most float64) *Schema {
	return &Schema{Type: "number", Minimum: &least, Maximum: &most}
}

// Flag is a schema of true and false.
func Flag() *Schema { return &Schema{Type: "boolean"} }

// Null is a schema of null.
func Null() *Schema { return &Schema{Type: "null"} }

// OrNull also lets null through.
func OrNull(s *Schema) *Schema {
	if s.Ref == "" && s.Type == "" && len(s.AnyOf) == 0 {
		return s // lets everything through
	}
	description := s.Description
	s.Description = ""
	return &Schema{Description: description, AnyOf: []*Schema{s, Null()}}
}
