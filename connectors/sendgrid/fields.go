package sendgrid

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Types of a custom field.
const (
	typeText   = "Text"
	typeNumber = "Number"
	typeDate   = "Date"
)

// maxTextRunes is the longest text a custom field holds.
const maxTextRunes = 1000

// ownFields are contact fields of SendGrid's own that a push may write, with
// the most characters each takes (https://www.twilio.com/docs/sendgrid/api-reference/contacts/add-or-update-a-contact).
func ownFields() map[string]int {
	return map[string]int{
		"first_name": 50, "last_name": 50, "address_line_1": 100, "address_line_2": 100,
		"city": 60, "state_province_region": 50, "postal_code": 50, "country": 50,
	}
}

func ownField(name string) bool { return ownFields()[name] > 0 }

// reservedField reports whether SendGrid has a field of the name itself.
func reservedField(name string) bool {
	name = strings.ToLower(name)
	return ownField(name) || slices.Contains([]string{
		"id", "contact_id", "email", "email_domains", "alternate_emails", "phone_number", "phone_number_id", "external_id", "anonymous_id",
		"unique_name", "whatsapp", "line", "facebook", "list_ids", "segment_ids", "created_at", "updated_at",
		"last_clicked", "last_opened", "last_emailed", "signup_date",
	}, name)
}

// fieldsFresh is how long the account's custom fields are remembered.
const fieldsFresh = 10 * time.Minute

// fields knows the account's custom fields. It is safe for concurrent use.
type fields struct {
	api    *api
	create bool

	turn  chan struct{} // guards the fields below
	known map[string]fieldDefinition
	until time.Time
}

func newFields(a *api, create bool) *fields {
	return &fields{api: a, create: create, turn: make(chan struct{}, 1)}
}

// find gives the definitions of the named fields, by name as asked. A field
// that is not there is made with the given type, where that is allowed; else
// the error says which one is missing.
func (f *fields) find(ctx context.Context, types map[string]string) (map[string]fieldDefinition, error) {
	if err := f.lock(ctx); err != nil {
		return nil, err
	}
	defer func() { <-f.turn }()
	if !f.api.now().Before(f.until) || !f.holds(types) {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
	}
	found := map[string]fieldDefinition{}
	for _, name := range sortedNames(types) {
		d, ok := f.known[strings.ToLower(name)]
		if !ok && !f.create {
			return nil, settingError("read the custom fields", "the account has no custom field "+name+", and create_fields is off")
		}
		if !ok {
			err := f.api.call(ctx, "create a custom field", http.MethodPost, "/v3/marketing/field_definitions", fieldDefinition{Name: name, Type: types[name]}, &d)
			if err != nil {
				return nil, err
			}
			if d.ID == "" {
				return nil, &connectors.PushError{Act: "sendgrid: create a custom field", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no id of the new field"}
			}
			f.known[strings.ToLower(name)] = d
		}
		found[name] = d
	}
	return found, nil
}

// names gives each known field's name by its id.
func (f *fields) names(ctx context.Context) (map[string]string, error) {
	if err := f.lock(ctx); err != nil {
		return nil, err
	}
	defer func() { <-f.turn }()
	if !f.api.now().Before(f.until) {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
	}
	names := map[string]string{}
	for _, d := range f.known {
		names[d.ID] = d.Name
	}
	return names, nil
}

// lock takes the turn, as long as the context lets it.
func (f *fields) lock(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &connectors.PushError{Act: "sendgrid: read the custom fields", Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
}

func (f *fields) holds(types map[string]string) bool {
	for name := range types {
		if _, ok := f.known[strings.ToLower(name)]; !ok {
			return false
		}
	}
	return true
}

// read asks for all of them; the turn is held.
func (f *fields) read(ctx context.Context) error {
	var answer struct {
		Custom *[]fieldDefinition `json:"custom_fields"`
	}
	if err := f.api.call(ctx, "read the custom fields", http.MethodGet, "/v3/marketing/field_definitions", nil, &answer); err != nil {
		return err
	}
	f.known = map[string]fieldDefinition{}
	if answer.Custom != nil {
		for _, d := range *answer.Custom {
			f.known[strings.ToLower(d.Name)] = d
		}
	}
	f.until = f.api.now().Add(fieldsFresh)
	return nil
}

// forget makes the next find read anew.
func (f *fields) forget(ctx context.Context) {
	if f.lock(ctx) == nil {
		f.until = time.Time{}
		<-f.turn
	}
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// valueFor makes a value fit for a field; false where the field's type cannot
// hold it. A nil value empties the field.
func valueFor(kind string, v any) (any, bool) {
	switch {
	case v == nil && kind == typeText:
		return "", true
	case v == nil:
		return nil, true
	}
	switch kind {
	case typeNumber:
		if b, ok := v.(bool); ok {
			v = map[bool]string{true: "1", false: "0"}[b]
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(textOf(v)), 64)
		return n, err == nil && n-n == 0 // neither infinite nor NaN
	case typeDate:
		return dateOf(v)
	}
	return cutRunes(textOf(v), maxTextRunes), true
}

// dateOf writes a day in the one form that every Date field takes.
func dateOf(v any) (any, bool) {
	if at, ok := v.(lifecycle.Instant); ok {
		return at.Time().Format(time.DateOnly), true
	}
	text := strings.TrimSpace(textOf(v))
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format(time.DateOnly), true
		}
	}
	return nil, false
}

// textOf spells a value.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case lifecycle.Instant:
		return v.Time().Format(time.RFC3339)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), `"`)
}

// cutRunes cuts a text to at most n characters.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
