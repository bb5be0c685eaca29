package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Formats of a raw event's body.
const (
	FormatJSON = "json" // "" too
	FormatForm = "form" // application/x-www-form-urlencoded; a[b][c]=v nests
	FormatXML  = "xml"  // elements become members by local name; see decodeXML
)

// MaxDepth is how deeply JSON may be nested, and maxFormDepth a form's names.
const (
	MaxDepth     = 200
	maxFormDepth = 20
)

// Decode reads a raw body into nil, bool, int64, float64, string, []any and
// map[string]any, which share nothing with raw. The error is a *DecodeError.
//
// JSON must be one value in UTF-8 with no name twice in an object. A whole
// number beyond int64 becomes its text, so that no id loses digits; so does a
// fraction that float64 cannot give back with the same digits, so that no
// amount changes. Both still compare as numbers in an expression.
//
// A form's values are texts. a[b]=v nests; fields numbered from 0 without a
// gap, and a name given several times or as a[]=v, make a list. A flat a=v
// beside a[b]=w stays, under the empty name of a.
func Decode(format string, raw []byte) (any, error) {
	switch format {
	case "", FormatJSON:
		return decodeJSON(raw)
	case FormatForm:
		return decodeForm(raw)
	case FormatXML:
		return decodeXML(raw)
	}
	return nil, &DecodeError{Reason: ReasonFormat, Message: fmt.Sprintf("the format %q is not known", format)}
}

// decoder is a reusable JSON decoder.
type decoder struct {
	text *jsontext.Decoder
	src  bytes.Buffer
	// unquoted is scratch for texts.
	unquoted []byte
}

func decodeJSON(raw []byte) (any, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	// The buffer is read in place, never written to.
	d.src = *bytes.NewBuffer(raw)
	d.text.Reset(&d.src)
	v, err := d.value(0)
	if err == nil {
		_, err = d.text.ReadToken()
		if errors.Is(err, io.EOF) {
			return v, nil
		}
		if err == nil {
			err = &DecodeError{ReasonMalformed, "there is more after the end of the JSON", d.text.InputOffset()}
		}
	}
	return nil, decodeError(err)
}

// decoders is a pool, so that the hot path makes no decoder per event.
var decoders = sync.Pool{New: func() any {
	return &decoder{text: jsontext.NewDecoder(&bytes.Buffer{})}
}}

// release forgets the bytes and gives the decoder back, unless its scratch has
// grown large.
func (d *decoder) release() {
	d.src = bytes.Buffer{}
	d.text.Reset(&d.src)
	if cap(d.unquoted) <= 1<<16 {
		decoders.Put(d)
	}
}

func (d *decoder) value(depth int) (any, error) {
	kind := d.text.PeekKind()
	if (kind == '{' || kind == '[') && depth >= MaxDepth {
		return nil, &DecodeError{ReasonTooDeep, fmt.Sprintf("nested more than %d deep", MaxDepth), d.text.InputOffset()}
	}
	switch kind {
	case '{':
		return d.object(depth)
	case '[':
		return d.list(depth)
	}
	raw, err := d.text.ReadValue()
	if err != nil {
		return nil, err
	}
	switch kind {
	case '"':
		return d.unquote(raw)
	case '0':
		return number(raw), nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return nil, nil
}

func (d *decoder) object(depth int) (any, error) {
	if _, err := d.text.ReadToken(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	for d.text.PeekKind() != '}' {
		raw, err := d.text.ReadValue()
		if err != nil {
			return nil, err
		}
		name, err := d.unquote(raw)
		if err != nil {
			return nil, err
		}
		if m[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := d.text.ReadToken()
	return m, err
}

func (d *decoder) list(depth int) (any, error) {
	if _, err := d.text.ReadToken(); err != nil {
		return nil, err
	}
	list := []any{}
	for d.text.PeekKind() != ']' {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.text.ReadToken()
	return list, err
}

// unquote reads a JSON text that the decoder has checked.
func (d *decoder) unquote(raw []byte) (string, error) {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var err error
	if d.unquoted, err = jsontext.AppendUnquote(d.unquoted[:0], raw); err != nil {
		return "", err
	}
	if bytes.IndexByte(d.unquoted, 0) >= 0 {
		return "", &DecodeError{ReasonNUL, "a text holds a NUL", d.text.InputOffset()}
	}
	return string(d.unquoted), nil
}

// number keeps every digit: int64 where it fits, float64 where that gives the
// same decimal back, else the text.
func number(raw []byte) any {
	if i, ok := wholeNumber(raw); ok {
		return i
	}
	s := string(raw)
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return s
	}
	if significant(s) > 15 && !sameDecimal(s, strconv.FormatFloat(f, 'e', -1, 64)) {
		return s
	}
	return f
}

// wholeNumber reads up to 18 digits, which always fit, and the rest by strconv.
func wholeNumber(raw []byte) (int64, bool) {
	digits, minus := raw, false
	if len(digits) > 0 && digits[0] == '-' {
		digits, minus = digits[1:], true
	}
	if len(digits) > 18 {
		i, err := strconv.ParseInt(string(raw), 10, 64)
		return i, err == nil
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if minus {
		n = -n
	}
	return n, len(digits) > 0
}

// decodeError words an error of the JSON library; it must not repeat the bytes.
func decodeError(err error) error {
	var own *DecodeError
	if errors.As(err, &own) {
		return own
	}
	e := &DecodeError{Reason: ReasonMalformed, Message: "not JSON"}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		e.Offset = syntax.ByteOffset
	}
	switch text := err.Error(); {
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Reason, e.Message = ReasonDuplicateName, "a name is given twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Message = "the JSON is empty or cut off"
	case strings.Contains(text, "invalid UTF-8"), strings.Contains(text, "surrogate"):
		e.Reason, e.Message = ReasonInvalidUTF8, "a text is not valid UTF-8"
	}
	return e
}
