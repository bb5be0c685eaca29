package genericwebhook

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// want is a value to find in a body.
type want struct {
	path  []string
	value string
	found bool
}

// errEnough ends a scan when everything wanted is found. What follows is not
// looked at: mapping decodes the whole body later, off the path of the answer.
var errEnough = errors.New("enough")

// decoders are kept, since one is larger than most bodies.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// withDecoder runs f over the bytes. The decoder reads them in place.
func withDecoder(body []byte, f func(*jsontext.Decoder) error) error {
	d := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(d)
	d.Reset(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))
	return f(d)
}

// scanJSON looks for the wanted members, stopping at the last. A nil error
// with something not found means that the body is JSON and lacks it.
func scanJSON(body []byte, wants []want) error {
	if len(wants) == 0 {
		return nil
	}
	err := withDecoder(body, func(d *jsontext.Decoder) error {
		if err := walk(d, wants, 0); err != nil {
			return err
		}
		if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
			return errors.New("there is something after the JSON value")
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// walk reads one value, following the wanted paths from the given depth.
func walk(d *jsontext.Decoder, wants []want, depth int) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := member(d, wants, depth, name); err != nil {
			return err
		}
	}
	_, err := d.ReadToken() // the brace, or the mistake that stands there
	return err
}

// member reads the value of one name.
func member(d *jsontext.Decoder, wants []want, depth int, name jsontext.Value) error {
	deeper := false
	for i := range wants {
		w := &wants[i]
		if w.found || len(w.path) <= depth || !isName(name, w.path[depth]) {
			continue
		}
		if len(w.path) > depth+1 {
			deeper = true
			continue
		}
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		w.value, w.found = plain(value), true
		if allFound(wants) {
			return errEnough
		}
		return nil
	}
	if !deeper {
		return d.SkipValue()
	}
	// Only the paths that run through this member go on; the others are set
	// aside as found, and restored.
	below := make([]want, 0, len(wants))
	var from []int
	for i, w := range wants {
		if !w.found && len(w.path) > depth+1 && isName(name, w.path[depth]) {
			below, from = append(below, w), append(from, i)
		}
	}
	err := walk(d, below, depth+1)
	for i, at := range from {
		wants[at] = below[i]
	}
	if err == nil || errors.Is(err, errEnough) && !allFound(wants) {
		if err != nil {
			return finish(d, depth+1)
		}
		return nil
	}
	return err
}

// finish reads on to the end of the object of a depth, whose rest is not wanted.
func finish(d *jsontext.Decoder, depth int) error {
	for d.StackDepth() > depth {
		if _, err := d.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

func allFound(wants []want) bool {
	for _, w := range wants {
		if !w.found {
			return false
		}
	}
	return true
}

// isName compares a quoted name, which seldom holds an escape.
func isName(quoted jsontext.Value, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	b, err := jsontext.AppendUnquote(nil, quoted)
	return err == nil && string(b) == name
}

// plain gives a string's text and a number's literal; "" for anything else.
func plain(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		if bytes.IndexByte(v, '\\') < 0 {
			return string(v[1 : len(v)-1])
		}
		b, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return ""
		}
		return string(b)
	case '0':
		return string(v)
	}
	return ""
}

// items gives the elements of the list at a path, as parts of the body; ok is
// false when there is no list.
func items(body []byte, path []string) (list [][]byte, ok bool, err error) {
	err = withDecoder(body, func(d *jsontext.Decoder) error {
		for _, name := range path {
			found, err := enter(d, name)
			if !found || err != nil {
				return err
			}
		}
		if d.PeekKind() != '[' {
			return nil
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		ok = true
		for d.PeekKind() != ']' {
			v, err := d.ReadValue()
			if err != nil {
				return err
			}
			end := int(d.InputOffset())
			list = append(list, body[end-len(v):end:end])
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		// What surrounds the list must be whole too: a body cut off behind it
		// would otherwise be taken for complete.
		if err := finish(d, 0); err != nil {
			return err
		}
		if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
			return errors.New("there is something after the JSON value")
		}
		return nil
	})
	return list, ok, err
}

// enter moves to the value of a member of the object that comes next.
func enter(d *jsontext.Decoder, name string) (bool, error) {
	if d.PeekKind() != '{' {
		return false, nil
	}
	if _, err := d.ReadToken(); err != nil {
		return false, err
	}
	for d.PeekKind() == '"' {
		n, err := d.ReadValue()
		if err != nil {
			return false, err
		}
		if isName(n, name) {
			return true, nil
		}
		if err := d.SkipValue(); err != nil {
			return false, err
		}
	}
	return false, nil
}

var errEscape = errors.New("it holds a wrong escape")

// scanForm looks for the wanted keys of a form: a path a.b is the key a[b] or
// a.b.
func scanForm(body []byte, wants []want) error {
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(rawKey)
		if err != nil {
			return errEscape
		}
		for i := range wants {
			w := &wants[i]
			if w.found || key != strings.Join(w.path, ".") && key != bracketed(w.path) {
				continue
			}
			value, err := url.QueryUnescape(rawValue)
			if err != nil {
				return errEscape
			}
			w.value, w.found = value, true
		}
		if allFound(wants) {
			return nil
		}
	}
	return nil
}

// bracketed writes a path as forms do: a[b][c].
func bracketed(path []string) string {
	if len(path) == 1 {
		return path[0]
	}
	return path[0] + "[" + strings.Join(path[1:], "][") + "]"
}
