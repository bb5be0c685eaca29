package store

import (
	"encoding/json"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// eventReader reads the JSON of an event quickly: it is our own, so nearly
// every text is plain and every number short. A method answers false for
// anything else, and the library's reader takes over.
type eventReader struct {
	text string
	at   int
	lean bool // properties are passed over
}

// readerDepth is how deep a value may be nested for the quick reader.
const readerDepth = 20

func (r *eventReader) event(e *lifecycle.Event) bool {
	ok := r.object(func(name string) bool {
		switch name {
		case "k":
			return r.keys(e)
		case "b":
			return r.string(&e.BusinessKey)
		case "c":
			var claim string
			ok := r.string(&claim)
			e.Claim = lifecycle.Stage(claim)
			return ok
		case "t":
			return r.list(func() bool { return r.trait(e) })
		case "p":
			if r.lean {
				return r.skip(0)
			}
			v, ok := r.value(0)
			e.Properties, _ = v.(map[string]any)
			return ok && e.Properties != nil
		case "v":
			e.Value = &lifecycle.Money{}
			return r.money(e.Value)
		}
		return false
	})
	return ok && r.at == len(r.text) && e.Identity != nil
}

func (r *eventReader) keys(e *lifecycle.Event) bool {
	e.Identity = make([]lifecycle.Key, 0, 3)
	return r.list(func() bool {
		var text string
		if !r.string(&text) {
			return false
		}
		namespace, value, ok := strings.Cut(text, ":")
		e.Identity = append(e.Identity, lifecycle.Key{Namespace: namespace, Value: value})
		return ok
	})
}

func (r *eventReader) trait(e *lifecycle.Event) bool {
	var t lifecycle.Trait
	ok := r.object(func(name string) (ok bool) {
		switch name {
		case "n":
			return r.string(&t.Name)
		case "v":
			t.Value, ok = r.value(0)
			return ok
		case "t":
			at, ok := r.whole()
			t.At = lifecycle.Instant(at)
			return ok
		}
		return false
	})
	e.Traits = append(e.Traits, t)
	return ok
}

func (r *eventReader) money(m *lifecycle.Money) bool {
	return r.object(func(name string) (ok bool) {
		switch name {
		case "micros":
			m.Micros, ok = r.whole()
			return ok
		case "currency":
			return r.string(&m.Currency)
		}
		return false
	})
}

// take moves past a character that must come next.
func (r *eventReader) take(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// object reads members until the closing brace.
func (r *eventReader) object(member func(name string) bool) bool {
	if !r.take('{') {
		return false
	}
	if r.take('}') {
		return true
	}
	for {
		var name string
		if !r.string(&name) || !r.take(':') || !member(name) {
			return false
		}
		if r.take('}') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

func (r *eventReader) list(item func() bool) bool {
	if !r.take('[') {
		return false
	}
	if r.take(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if r.take(']') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

// string reads a text without escapes.
func (r *eventReader) string(into *string) bool {
	if !r.take('"') {
		return false
	}
	n := strings.IndexByte(r.text[r.at:], '"')
	if n < 0 {
		return false
	}
	text := r.text[r.at : r.at+n]
	if strings.IndexByte(text, '\\') >= 0 {
		return false
	}
	*into = text
	r.at += n + 1
	return true
}

// whole reads a whole number of up to 18 digits.
func (r *eventReader) whole() (int64, bool) {
	minus := r.take('-')
	from, n := r.at, int64(0)
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		n = n*10 + int64(r.text[r.at]-'0')
		r.at++
	}
	if digits := r.at - from; digits == 0 || digits > 18 {
		return 0, false
	}
	if minus {
		n = -n
	}
	return n, true
}

// value reads any value, in the form that Plain gives.
func (r *eventReader) value(depth int) (any, bool) {
	if r.at >= len(r.text) || depth > readerDepth {
		return nil, false
	}
	switch c := r.text[r.at]; {
	case c == '"':
		var s string
		ok := r.string(&s)
		return s, ok
	case c == '{':
		m := map[string]any{}
		ok := r.object(func(name string) (ok bool) {
			m[name], ok = r.value(depth + 1)
			return ok
		})
		return m, ok
	case c == '[':
		all := []any{}
		ok := r.list(func() bool {
			v, ok := r.value(depth + 1)
			all = append(all, v)
			return ok
		})
		return all, ok
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	switch {
	case r.word("null"):
		return nil, true
	case r.word("true"):
		return true, true
	case r.word("false"):
		return false, true
	}
	return nil, false
}

// skip moves past any value without making it.
func (r *eventReader) skip(depth int) bool {
	if r.at >= len(r.text) || depth > readerDepth {
		return false
	}
	switch r.text[r.at] {
	case '"':
		var s string
		return r.string(&s)
	case '{':
		return r.object(func(string) bool { return r.skip(depth + 1) })
	case '[':
		return r.list(func() bool { return r.skip(depth + 1) })
	}
	from := r.at
	for r.at < len(r.text) && strings.IndexByte(",]}", r.text[r.at]) < 0 {
		r.at++
	}
	return r.at > from
}

// word moves past a value that JSON spells out.
func (r *eventReader) word(word string) bool {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

func (r *eventReader) number() (any, bool) {
	from := r.at
	n, ok := r.whole()
	if ok && (r.at == len(r.text) || strings.IndexByte(".eE", r.text[r.at]) < 0) {
		return n, true
	}
	r.at = from
	for r.at < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.at]) >= 0 {
		r.at++
	}
	return Plain(json.Number(r.text[from:r.at])), true
}
