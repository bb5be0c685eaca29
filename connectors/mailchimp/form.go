package mailchimp

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds of a form; a real one has a few dozen fields, nested three deep.
const (
	maxFormFields = 2000
	maxFormDepth  = 20
)

// form is what this package itself reads of an audience webhook; rules read
// the whole of it.
type form struct {
	kind, firedAt, list string
	id, newID, email    string
	merges              map[string]string
}

// subject is what identifies whom the event is about: cleaned has no id,
// upemail only the new one.
func (f form) subject() string {
	switch {
	case f.id != "":
		return f.id
	case f.newID != "":
		return f.newID
	}
	return f.email
}

// readForm scans a body once. The error says what is wrong with it, in words
// for a person and with nothing of its content; what was read until then is
// given beside it.
func readForm(body []byte) (form, error) {
	var f form
	if len(bytes.TrimSpace(body)) == 0 {
		return f, errors.New("the body is empty")
	}
	seen := map[string]bool{}
	rest := string(body)
	for n := 1; rest != ""; n++ {
		if n > maxFormFields {
			return f, fmt.Errorf("the form has more than %d fields", maxFormFields)
		}
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		name, value, err := readPair(pair)
		if err != nil {
			return f, fmt.Errorf("field %d of the form: %w", n, err)
		}
		if seen[name] && !strings.HasSuffix(name, "[]") {
			return f, fmt.Errorf("field %d of the form: its name was there before", n)
		}
		seen[name] = true
		f.take(name, value)
	}
	return f, nil
}

func readPair(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	if name, err = url.QueryUnescape(name); err != nil {
		return "", "", errors.New("its name is not percent-encoded")
	}
	if value, err = url.QueryUnescape(value); err != nil {
		return "", "", errors.New("its value is not percent-encoded")
	}
	switch {
	case !utf8.ValidString(name) || !utf8.ValidString(value):
		return "", "", errors.New("it is not UTF-8")
	case strings.ContainsRune(name, 0) || strings.ContainsRune(value, 0):
		return "", "", errors.New("it holds a NUL byte")
	case strings.Count(name, "[") > maxFormDepth:
		return "", "", fmt.Errorf("it is nested more than %d deep", maxFormDepth)
	}
	return name, value, nil
}

// take keeps the fields that this package reads.
func (f *form) take(name, value string) {
	switch name {
	case "type":
		f.kind = value
	case "fired_at":
		f.firedAt = value
	case "data[list_id]":
		f.list = value
	case "data[id]":
		f.id = value
	case "data[new_id]":
		f.newID = value
	case "data[email]":
		f.email = value
	}
	tag, ok := strings.CutPrefix(name, "data[merges][")
	if !ok {
		return
	}
	if tag, ok = strings.CutSuffix(tag, "]"); ok && !strings.Contains(tag, "[") {
		if f.merges == nil {
			f.merges = map[string]string{}
		}
		f.merges[tag] = value
	}
}
