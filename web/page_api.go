package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/web/access"
	"github.com/stagebridge/stagebridge/web/openapi"
)

// apiPage answers: what can a program ask for, and how? It shows the contents,
// or one chapter.
type apiPage struct {
	About    string
	Chapters []apiChapter
	// Chapter is the one that is shown; nil: the contents.
	Chapter *apiChapter
	Shapes  []apiShape
}

// apiChapter is some operations that belong together.
type apiChapter struct {
	Name, Title, About string
	Operations         []apiOperation
}

// apiOperation is one of them, as the document has it.
type apiOperation struct {
	*openapi.Operation
	Method, Path string
	Role         access.Role
	Params       []apiMember
	Takes        *apiContent
	Answers      []apiAnswer
	Refusals     []apiAnswer
}

// apiAnswer is one that may come.
type apiAnswer struct {
	Status, About string
	Headers       []string
	Bodies        []apiContent
}

// apiContent is a body of one media type.
type apiContent struct {
	Kind     string
	Type     []apiWord
	Required []string
	Example  string
}

// apiShape is an object that an operation takes or gives.
type apiShape struct {
	Name, About string
	Members     []apiMember
}

// apiMember is a member of such an object, or a parameter.
type apiMember struct {
	Name, In, About string
	Required        bool
	Type            []apiWord
	Example         string
}

// apiWord is a piece of a type's description; one with Shape leads to it.
type apiWord struct {
	Text  string
	Shape bool
}

// apiDocs shows the contents, or the chapter that the path names.
func (w *Web) apiDocs(c echo.Context) error {
	d, err := w.described()
	if err != nil {
		return err
	}
	body := apiPage{About: apiAbout}
	title := "API"
	for _, g := range w.operationGroups() {
		chapter := apiChapter{Name: g.name, Title: g.title, About: g.about}
		for _, o := range g.operations {
			chapter.Operations = append(chapter.Operations, apiOperationOf(d.document, o))
		}
		body.Chapters = append(body.Chapters, chapter)
		if g.name == c.Param("chapter") {
			body.Chapter, title = &chapter, "API: "+g.title
			body.Shapes = apiShapes(d.document, chapter.Operations)
		}
	}
	if body.Chapter == nil && c.Param("chapter") != "" {
		return echo.ErrNotFound
	}
	return w.render(c, http.StatusOK, "api", title, body)
}

// apiOperationOf looks an operation up in the document, so that the page and the
// document cannot differ.
func apiOperationOf(d *openapi.Document, o *operation) apiOperation {
	at, _ := d.Paths.Get(templated(o.path))
	op, _ := at.Get(strings.ToLower(o.method))
	x := apiOperation{Operation: op, Method: o.method, Path: apiRoot + templated(o.path), Role: access.Least(o.method, apiRoot+o.path)}
	for _, p := range op.Parameters {
		x.Params = append(x.Params, apiMember{Name: p.Name, In: p.In, About: p.Description, Required: p.Required, Type: typeWords(p.Schema), Example: exampleText(p.Example)})
	}
	if op.Body != nil {
		for _, kind := range op.Body.Content.Names() {
			content, _ := op.Body.Content.Get(kind)
			x.Takes = &apiContent{kind, typeWords(content.Schema), content.Schema.Required, exampleText(content.Example)}
		}
	}
	for _, status := range op.Responses.Names() {
		r, _ := op.Responses.Get(status)
		if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
			r, _ = d.Components.Responses.Get(name)
		}
		a := apiAnswer{Status: status, About: r.Description, Headers: r.Headers.Names()}
		for _, kind := range r.Content.Names() {
			content, _ := r.Content.Get(kind)
			a.Bodies = append(a.Bodies, apiContent{Kind: kind, Type: typeWords(content.Schema)})
		}
		if status >= "400" {
			x.Refusals = append(x.Refusals, a)
			continue
		}
		x.Answers = append(x.Answers, a)
	}
	return x
}

func exampleText(example any) string {
	switch example := example.(type) {
	case nil:
		return ""
	case string:
		return example
	case json.RawMessage:
		return string(example)
	}
	return fmt.Sprint(example)
}

// typeWords says in words what a schema lets through.
func typeWords(s *openapi.Schema) []apiWord {
	plain := func(text string) []apiWord { return []apiWord{{Text: text}} }
	switch {
	case s == nil:
		return nil
	case s.Ref != "":
		return []apiWord{{Text: shapeName(s.Ref), Shape: true}}
	case len(s.AnyOf) > 0:
		var all []apiWord
		for i, one := range s.AnyOf {
			if i > 0 {
				all = append(all, apiWord{Text: " or "})
			}
			all = append(all, typeWords(one)...)
		}
		return all
	case len(s.Enum) > 0:
		return plain(strings.Join(s.Enum, ", "))
	case s.Type == "array":
		return append(plain("list of "), typeWords(s.Items)...)
	case s.Pattern == momentPattern, s.Format == "date-time":
		return plain("time")
	case s.Minimum != nil && s.Maximum != nil && *s.Maximum < 1<<53:
		return plain(fmt.Sprintf("%s, %v to %v", typeName(s.Type), *s.Minimum, *s.Maximum))
	}
	if of, ok := s.Additional.(*openapi.Schema); ok {
		return append(plain("by name: "), typeWords(of)...)
	}
	return plain(typeName(s.Type))
}

func typeName(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "integer":
		return "whole number"
	case "boolean":
		return "true or false"
	case "":
		return "anything"
	}
	return kind
}

func shapeName(ref string) string { return strings.TrimPrefix(ref, "#/components/schemas/") }

// apiShapes gives what the operations take and give, and what that holds in
// turn, by name.
func apiShapes(d *openapi.Document, operations []apiOperation) []apiShape {
	found := map[string]bool{}
	var note func(words []apiWord)
	note = func(words []apiWord) {
		for _, word := range words {
			if !word.Shape || found[word.Text] {
				continue
			}
			found[word.Text] = true
			s, _ := d.Components.Schemas.Get(word.Text)
			for _, name := range s.Properties.Names() {
				member, _ := s.Properties.Get(name)
				note(typeWords(member))
			}
		}
	}
	for _, o := range operations {
		if o.Takes != nil {
			note(o.Takes.Type)
		}
		for _, a := range append(o.Answers[:len(o.Answers):len(o.Answers)], o.Refusals...) {
			for _, b := range a.Bodies {
				note(b.Type)
			}
		}
	}
	var all []apiShape
	for _, name := range slices.Sorted(slices.Values(d.Components.Schemas.Names())) {
		if !found[name] {
			continue
		}
		s, _ := d.Components.Schemas.Get(name)
		shape := apiShape{Name: name, About: s.Description}
		for _, member := range s.Properties.Names() {
			m, _ := s.Properties.Get(member)
			shape.Members = append(shape.Members, apiMember{Name: member, About: m.Description, Required: slices.Contains(s.Required, member), Type: typeWords(m)})
		}
		all = append(all, shape)
	}
	return all
}
