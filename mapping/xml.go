package mapping

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of an XML body.
const (
	maxXMLDepth    = 60
	maxXMLElements = 100_000
)

// xmlNil is the namespace of xsi:nil, which marks an element without a value.
const xmlNil = "http://www.w3.org/2001/XMLSchema-instance"

// decodeXML reads a body of XML. The root element is a member of the object
// given, by its local name. An element with children is an object, one without
// is its text; an element given several times is a list in the order of the
// document. An attribute is the member "@name"; the text of an element that has
// attributes is "#text". xsi:nil is nil, and an attribute with a namespace of
// its own says nothing to a rule and is left out. A document type is refused:
// entities are how a small body becomes a large one.
func decodeXML(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, &DecodeError{ReasonInvalidUTF8, "a text is not valid UTF-8", 0}
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return nil, &DecodeError{ReasonNUL, "a text holds a NUL", 0}
	}
	r := &xmlReader{d: xml.NewDecoder(bytes.NewReader(raw))}
	// The bytes are UTF-8, whatever the declaration says of them.
	r.d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	top := &xmlElement{}
	for {
		token, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
			continue
		case top.members != nil:
			return nil, r.fail(ReasonMalformed, "there is more after the end of the XML")
		}
		if err := r.child(top, start, 1); err != nil {
			return nil, err
		}
	}
	if top.members == nil {
		return nil, r.fail(ReasonMalformed, "the XML is empty or cut off")
	}
	return top.members, nil
}

type xmlReader struct {
	d        *xml.Decoder
	elements int
}

// xmlElement is an element while it is read.
type xmlElement struct {
	members    map[string]any
	attributes bool
	null       bool
	text       strings.Builder
}

func (r *xmlReader) fail(reason, message string) error {
	return &DecodeError{reason, message, r.d.InputOffset()}
}

// next gives the next token; io.EOF at the end, else a *DecodeError.
func (r *xmlReader) next() (xml.Token, error) {
	token, err := r.d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, r.fail(ReasonMalformed, "not XML, or cut off")
	}
	if _, ok := token.(xml.Directive); ok {
		return nil, r.fail(ReasonMalformed, "the XML holds a document type, which is not read")
	}
	return token, nil
}

// child reads one element and adds it to its parent.
func (r *xmlReader) child(parent *xmlElement, start xml.StartElement, depth int) error {
	if depth > maxXMLDepth {
		return r.fail(ReasonTooDeep, fmt.Sprintf("nested more than %d deep", maxXMLDepth))
	}
	if r.elements++; r.elements > maxXMLElements {
		return r.fail(ReasonTooMany, fmt.Sprintf("more than %d elements", maxXMLElements))
	}
	e := &xmlElement{}
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == xmlNil && a.Name.Local == "nil":
			e.null = a.Value == "true" || a.Value == "1"
		case a.Name.Space == "" && a.Name.Local != "xmlns":
			e.attributes = true
			e.add("@"+a.Name.Local, a.Value)
		}
	}
	for {
		token, err := r.next()
		if errors.Is(err, io.EOF) {
			return r.fail(ReasonMalformed, "not XML, or cut off")
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := r.child(e, token, depth+1); err != nil {
				return err
			}
		case xml.CharData:
			e.text.Write(token)
		case xml.EndElement:
			parent.add(start.Name.Local, e.value())
			return nil
		}
	}
}

// add puts a member in, or makes it a list.
func (e *xmlElement) add(name string, v any) {
	if e.members == nil {
		e.members = map[string]any{}
	}
	switch old, there := e.members[name]; {
	case !there:
		e.members[name] = v
	default:
		list, ok := old.(*xmlList)
		if !ok {
			list = &xmlList{old}
		}
		*list = append(*list, v)
		e.members[name] = list
	}
}

// xmlList is a list while its parent is read; a pointer, so that adding to a
// long one does not copy it, and a type of its own, so that it is told apart
// from a value.
type xmlList []any

// value is what a rule sees of the element.
func (e *xmlElement) value() any {
	e.close()
	switch {
	case e.null && !e.attributes:
		return nil
	case e.members == nil:
		return strings.TrimSpace(e.text.String())
	}
	if text := strings.TrimSpace(e.text.String()); text != "" {
		e.members["#text"] = text
	}
	return e.members
}

func (e *xmlElement) close() {
	for name, v := range e.members {
		if list, ok := v.(*xmlList); ok {
			e.members[name] = []any(*list)
		}
	}
}
