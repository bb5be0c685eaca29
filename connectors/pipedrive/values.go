package pipedrive

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// custom is a custom field's value as webhooks show it: an object with its
// type. The API shows the value alone. Options are ids in both.
type custom struct {
	Type   string          `json:"type"`
	ID     text            `json:"id"`
	Value  json.RawMessage `json:"value"`
	Values []struct {
		ID text `json:"id"`
	} `json:"values"`
}

// customText spells a custom field's value in one way, whichever form it came
// in: options by id, several in order and with commas, nothing as "".
func customText(raw json.RawMessage) string {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return ""
	case raw[0] == '[':
		var all []text
		if json.Unmarshal(raw, &all) != nil {
			return string(raw)
		}
		return joined(all)
	case raw[0] != '{':
		var t text
		if json.Unmarshal(raw, &t) != nil {
			return string(raw)
		}
		return string(t)
	}
	var v custom
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	switch {
	case v.ID != "":
		return string(v.ID)
	case len(v.Value) > 0:
		return customText(v.Value)
	}
	all := make([]text, len(v.Values))
	for i, one := range v.Values {
		all[i] = one.ID
	}
	return joined(all)
}

func joined(ids []text) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = string(id)
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// changed lists the custom fields whose value differs; before holds at least
// those that changed.
func changed(record string, before, after map[string]json.RawMessage) []connectors.Field {
	var fields []connectors.Field
	for _, code := range slices.Sorted(maps.Keys(before)) {
		if now := customText(after[code]); now != customText(before[code]) {
			fields = append(fields, connectors.Field{Record: record, Name: code, Value: now})
		}
	}
	return fields
}

// optionIDs reads the ids of a single or a multiple option's value.
func optionIDs(raw json.RawMessage) []int64 {
	var ids []int64
	for part := range strings.SplitSeq(customText(raw), ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// valueFor puts a trait into the form that a field of its type takes; nil
// clears it. The words say why it cannot be written.
func (f *field) valueFor(value any) (v any, problem string) {
	if value == nil {
		return nil, ""
	}
	written := plainText(value)
	switch f.Type {
	case "varchar", "varchar_auto", "phone":
		return cutRunes(written, maxName), ""
	case "text":
		return written, ""
	case "double", "int":
		if n := json.Number(written); json.Valid([]byte(written)) && isNumber(written) {
			return n, ""
		}
		return nil, "the field " + f.Name + " takes numbers only"
	case "date":
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, written); err == nil {
				return at.Format(time.DateOnly), ""
			}
		}
		return nil, "the field " + f.Name + " takes dates only"
	case "enum":
		id, ok := f.option(written)
		if !ok {
			return nil, "the field " + f.Name + " has no option of that name"
		}
		return id, ""
	case "set":
		many, ok := value.([]any)
		if !ok {
			many = []any{value}
		}
		ids := make([]int64, 0, len(many))
		for _, one := range many {
			id, ok := f.option(plainText(one))
			if !ok {
				return nil, "the field " + f.Name + " has no option of that name"
			}
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return ids, ""
	}
	return nil, "traits are not written to fields of the type " + f.Type
}

// option finds an option by its label, whatever its case, or by its id.
func (f *field) option(label string) (int64, bool) {
	label = cutRunes(strings.TrimSpace(label), maxName)
	for _, o := range f.Options {
		if strings.EqualFold(strings.TrimSpace(o.Label), label) {
			return o.ID, true
		}
	}
	for _, o := range f.Options {
		if strconv.FormatInt(o.ID, 10) == label {
			return o.ID, true
		}
	}
	return 0, false
}

// label gives the option of an id, or "".
func (f *field) label(id int64) string {
	for _, o := range f.Options {
		if o.ID == id {
			return o.Label
		}
	}
	return ""
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// plainText spells a value as text, valid UTF-8.
func plainText(value any) string {
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
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b)
}

func cutRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}
