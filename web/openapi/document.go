// Package openapi describes an HTTP API as an OpenAPI 3.1 document. It holds the
// part of the document's form that is used here, and makes JSON Schemas
// (2020-12, the dialect of OpenAPI 3.1) from Go types as encoding/json writes
// and reads them.
package openapi

// Version is the version of the OpenAPI Specification that documents have.
const Version = "3.1.1"

// Document is a whole description.
type Document struct {
	OpenAPI    string           `json:"openapi"`
	Info       Info             `json:"info"`
	Servers    []Server         `json:"servers"`
	Tags       []Tag            `json:"tags"`
	Paths      Ordered[*Path]   `json:"paths"`
	Components Components       `json:"components"`
	Security   []map[string]any `json:"security,omitempty"`
}

// Info says what the API is.
type Info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Summary     string `json:"summary,omitempty"`
	Description string `json:"description,omitempty"`
}

// Server is where the API is; relative to the document's own address.
type Server struct {
	URL string `json:"url"`
}

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Path holds the operations of one path by method, in small letters.
type Path = Ordered[*Operation]

// Operation is one method of one path.
type Operation struct {
	ID          string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	Parameters  []Parameter           `json:"parameters,omitempty"`
	Body        *Body                 `json:"requestBody,omitempty"`
	Responses   Ordered[*Response]    `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

// Parameter is one in the path, the query or a header. As a reference it has
// Ref only.
type Parameter struct {
	Ref         string  `json:"$ref,omitempty"`
	Name        string  `json:"name,omitempty"`
	In          string  `json:"in,omitempty"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
	Example     any     `json:"example,omitempty"`
}

// Body is what a request carries.
type Body struct {
	Description string           `json:"description,omitempty"`
	Required    bool             `json:"required,omitempty"`
	Content     Ordered[Content] `json:"content"`
}

// Content is a body of one media type.
type Content struct {
	Schema  *Schema `json:"schema,omitempty"`
	Example any     `json:"example,omitempty"`
}

// Response is one answer. As a reference it has Ref only.
type Response struct {
	Ref         string           `json:"$ref,omitempty"`
	Description string           `json:"description,omitempty"`
	Headers     Ordered[Header]  `json:"headers,omitzero"`
	Content     Ordered[Content] `json:"content,omitzero"`
}

// Header is one of an answer.
type Header struct {
	Description string  `json:"description,omitempty"`
	Schema      *Schema `json:"schema"`
}

// Components are what the document's other parts refer to.
type Components struct {
	Schemas         Ordered[*Schema]          `json:"schemas"`
	Responses       Ordered[*Response]        `json:"responses,omitzero"`
	SecuritySchemes map[string]SecurityScheme `json:"securitySchemes"`
}

// SecurityScheme says how a request shows whom it comes from.
type SecurityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	Description string `json:"description,omitempty"`
}
