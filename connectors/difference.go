package connectors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Difference is what a vendor has to be told to get from what it holds to what
// is wanted.
type Difference struct {
	// Stage to write; empty: it stays.
	Stage string
	// Traits to write, by the vendor's field name.
	Traits map[string]any
	// Add and Remove are segments, in the order of the State.
	Add, Remove []string
}

// DifferenceOf compares; known is nil where nothing is known, and then all of
// want is in it.
func DifferenceOf(want *State, known *State) Difference {
	d := Difference{Traits: map[string]any{}}
	if known == nil {
		known = &State{}
	}
	if want.Stage != known.Stage {
		d.Stage = want.Stage
	}
	for name, value := range want.Traits {
		if held, ok := known.Traits[name]; !ok || ValueText(held) != ValueText(value) {
			d.Traits[name] = value
		}
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			d.Add = append(d.Add, s)
		}
	}
	for _, s := range want.Absent {
		if !slices.Contains(known.Absent, s) {
			d.Remove = append(d.Remove, s)
		}
	}
	return d
}

// Fields reports whether the stage or a trait has to be written.
func (d *Difference) Fields() bool { return d.Stage != "" || len(d.Traits) > 0 }

// Segments reports whether a segment comes or goes.
func (d *Difference) Segments() bool { return len(d.Add)+len(d.Remove) > 0 }

// Empty reports whether there is nothing to tell.
func (d *Difference) Empty() bool { return !d.Fields() && !d.Segments() }

// ValueText spells a trait's value as text, in valid UTF-8: nil is empty, a
// number has all its digits and no exponent, a list is parted by commas, an
// object is JSON.
func ValueText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = ValueText(part)
		}
		return strings.Join(parts, ", ")
	}
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(b)
}
