package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/web/access"
	"github.com/stagebridge/stagebridge/web/openapi"
)

// apiAbout opens the description.
const apiAbout = "Requests carry a token: Authorization: Bearer. Each operation names the least role that the token must have; a token may also be held to some areas of the API, the first part of a path. " +
	"Times are RFC 3339 in UTC, and an empty text where there is none. Money is a decimal text by ISO currency. Numbers of people, raw events and long work are texts. " +
	"A list answers with items and next: ask for the next page with ?next=, until it is empty. " +
	"A refusal is a problem document (RFC 9457) that says what happened and what was kept; errors lists every mistake with its place, request_id finds the request in the log. " +
	"An unknown member of a request is a mistake. Answers may get further members."

// problemTexts say what a status of a refusal means.
func problemTexts() map[int]string {
	return map[int]string{
		http.StatusBadRequest:            "A parameter or the body cannot be understood.",
		http.StatusUnauthorized:          "There is no token, or a wrong or ended one.",
		http.StatusForbidden:             "The token has too small a role, or is for other areas.",
		http.StatusNotFound:              "There is nothing under this name or id.",
		http.StatusConflict:              "It is in the way of something that is there, or was done already.",
		http.StatusPreconditionFailed:    "Somebody changed it since it was read.",
		http.StatusRequestEntityTooLarge: "The body is larger than 2 MiB.",
		http.StatusUnsupportedMediaType:  "The body is not application/json.",
		http.StatusUnprocessableEntity:   "The input is not valid, or this is not possible; errors says why.",
		http.StatusTooManyRequests:       "Too many wrong tokens came from this address.",
		http.StatusNotImplemented:        "This process does not offer it.",
		http.StatusBadGateway:            "The vendor did not take it.",
		http.StatusServiceUnavailable:    "The database is away, or the answer took too long; try again after Retry-After seconds.",
		http.StatusGatewayTimeout:        "It took too long for one request.",
	}
}

// headerTexts say what a header of an answer holds.
func headerTexts() map[string]string {
	return map[string]string{
		"ETag":                "the version, for If-Match and If-None-Match",
		"Location":            "where the new thing, or the long work, is",
		"Content-Disposition": "the name of a file",
		"Retry-After":         "seconds to wait",
		"WWW-Authenticate":    "how to show who one is",
	}
}

// Description gives the whole API as an OpenAPI document, indented.
func Description() ([]byte, error) {
	d, _, err := describe((*Web)(nil).operationGroups())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err = e.Encode(d)
	return b.Bytes(), err
}

// describe makes the document of operations, and gives the types it is about.
func describe(groups []operationGroup) (*openapi.Document, *openapi.Types, error) {
	d := &openapi.Document{
		OpenAPI: openapi.Version,
		Info:    openapi.Info{Title: "Stagebridge", Version: "1", Summary: "One truth about where each customer stands, in every tool.", Description: apiAbout},
		Servers: []openapi.Server{{URL: apiRoot}},
		Components: openapi.Components{SecuritySchemes: map[string]openapi.SecurityScheme{
			"token": {Type: "http", Scheme: "bearer", Description: "The token of the settings, or one made under /tokens. The roles are viewer, editor and admin; each may do what those before it may."},
		}},
	}
	x := describer{types: apiTypes(), document: d}
	for _, g := range groups {
		d.Tags = append(d.Tags, openapi.Tag{Name: g.title, Description: g.about})
		for _, o := range g.operations {
			x.add(g.title, o)
		}
	}
	x.types.Of(reflect.TypeFor[problemBody](), openapi.Answer)
	var errs []error
	if d.Components.Schemas, errs = x.types.Components(); len(errs) > 0 {
		return nil, x.types, fmt.Errorf("web: description: %w", errors.Join(errs...))
	}
	return d, x.types, nil
}

// describer adds operations to a document.
type describer struct {
	types    *openapi.Types
	document *openapi.Document
}

func (x *describer) add(tag string, o *operation) {
	role := access.Least(o.method, apiRoot+o.path)
	op := &openapi.Operation{ID: o.name, Tags: []string{tag}, Summary: o.summary, Description: o.detail,
		Parameters: append(pathParameters(o.path), o.params...), Body: x.body(o.body), Security: []map[string][]string{{"token": {string(role)}}}}
	for _, a := range o.answers {
		x.answer(op, a)
	}
	for _, status := range o.problems() {
		op.Responses.Set(strconv.Itoa(status), x.problem(status))
	}
	path := templated(o.path)
	at, _ := x.document.Paths.Get(path)
	if at == nil {
		at = &openapi.Path{}
		x.document.Paths.Set(path, at)
	}
	at.Set(strings.ToLower(o.method), op)
}

// templated spells a path of Echo as OpenAPI does.
func templated(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

func (x *describer) body(b *operationBody) *openapi.Body {
	if b == nil {
		return nil
	}
	body := &openapi.Body{Description: b.about, Required: b.value == nil || len(b.required) > 0}
	if b.value == nil {
		body.Content.Set("application/yaml", openapi.Content{Schema: &openapi.Schema{}, Example: b.example})
		return body
	}
	schema := x.types.Of(b.value, openapi.Request)
	schema.Required = b.required
	body.Content.Set("application/json", openapi.Content{Schema: schema, Example: json.RawMessage(b.example)})
	return body
}

func (x *describer) answer(op *openapi.Operation, a operationAnswer) {
	status := strconv.Itoa(a.status)
	r, there := op.Responses.Get(status)
	if !there {
		r = &openapi.Response{Description: cmp.Or(a.about, statusText(a.status))}
		op.Responses.Set(status, r)
	}
	texts := headerTexts()
	for _, name := range a.headers {
		r.Headers.Set(name, openapi.Header{Description: texts[name], Schema: openapi.Text()})
	}
	if a.kind == "" {
		return
	}
	var schema *openapi.Schema
	if a.value != nil {
		schema = x.types.Of(a.value, openapi.Answer)
	}
	if before, again := r.Content.Get(a.kind); again {
		either := before.Schema
		if len(either.AnyOf) == 0 {
			either = &openapi.Schema{AnyOf: []*openapi.Schema{either}}
		}
		either.AnyOf = append(either.AnyOf, schema)
		schema = either
	}
	r.Content.Set(a.kind, openapi.Content{Schema: schema})
}

// statusText says in words what a success means.
func statusText(status int) string {
	switch status {
	case http.StatusCreated:
		return "It was made."
	case http.StatusAccepted:
		return "It was begun."
	case http.StatusNoContent:
		return "It was done."
	case http.StatusNotModified:
		return "The client has it already."
	}
	return "What was asked for."
}

// problem refers to the description of a refusal, which is made once.
func (x *describer) problem(status int) *openapi.Response {
	name := "Problem" + strconv.Itoa(status)
	if _, there := x.document.Components.Responses.Get(name); !there {
		r := &openapi.Response{Description: problemTexts()[status]}
		texts := headerTexts()
		switch status {
		case http.StatusUnauthorized:
			r.Headers.Set("WWW-Authenticate", openapi.Header{Description: texts["WWW-Authenticate"], Schema: openapi.Text()})
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			r.Headers.Set("Retry-After", openapi.Header{Description: texts["Retry-After"], Schema: openapi.Text()})
		}
		r.Content.Set("application/problem+json", openapi.Content{Schema: x.types.Of(reflect.TypeFor[problemBody](), openapi.Answer)})
		x.document.Components.Responses.Set(name, r)
	}
	return &openapi.Response{Ref: "#/components/responses/" + name}
}

// description is the document of what a process offers, made once.
type description struct {
	document *openapi.Document
	text     []byte
	etag     string
}

// describeThis makes it; every process would make the same of the same program.
func (w *Web) describeThis() (description, error) {
	d, _, err := describe(w.operationGroups())
	if err != nil {
		return description{}, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return description{}, fmt.Errorf("web: description: %w", err)
	}
	sum := sha256.Sum256(text)
	return description{d, text, `"` + hex.EncodeToString(sum[:8]) + `"`}, nil
}

func (w *Web) apiDescription(c echo.Context) error {
	d, err := w.described()
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", d.etag)
	if c.Request().Header.Get("If-None-Match") == d.etag {
		return c.NoContent(http.StatusNotModified)
	}
	return c.JSONBlob(http.StatusOK, d.text)
}

// apiDescriptionFile is the same for somebody logged in, to be kept as a file.
func (w *Web) apiDescriptionFile(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="openapi.json"`)
	return w.apiDescription(c)
}
