package freshdesk

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxTextRunes is what a one-line text field holds.
const maxTextRunes = 255

// contactFields knows the account's contact fields by what a person calls them.
// They are read when a push first needs one, and again after one was found
// missing.
type contactFields struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]contactField // by label and name in lower case; nil: not read yet
}

// find gives the field of a label or name as far as they were read.
func (f *contactFields) find(wanted string) (contactField, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	field, ok := f.known[strings.ToLower(wanted)]
	return field, ok
}

func (f *contactFields) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes the account have fields of the given labels and answers with
// those that it lacks because creating is off. One caller at a time asks the
// vendor.
func (f *contactFields) ensure(ctx context.Context, labels []string, create bool) (missing []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(lacking(f.known, labels)) == 0 {
		return nil, nil
	}
	// Read before anything is made: another process may have been faster.
	known, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, label := range lacking(known, labels) {
		if !create {
			missing = append(missing, label)
			continue
		}
		made, err := f.make(ctx, label)
		if err != nil {
			return nil, err
		}
		known[strings.ToLower(label)] = made
	}
	f.known = known
	return missing, nil
}

func lacking(known map[string]contactField, labels []string) []string {
	return slices.DeleteFunc(slices.Clone(labels), func(label string) bool { _, ok := known[strings.ToLower(label)]; return ok })
}

// read lists the fields. What can be written to is the name, which Freshdesk
// makes out of the label; accounts differ in how. Freshdesk's own fields are
// left out: they are no custom fields of the API.
func (f *contactFields) read(ctx context.Context) (map[string]contactField, error) {
	var list []contactField
	if err := f.api.call(ctx, "list contact fields", http.MethodGet, "/contact_fields", nil, &list); err != nil {
		return nil, ofSettings(err)
	}
	known := map[string]contactField{}
	for _, field := range list {
		if field.Name == "" || strings.HasPrefix(field.Type, "default_") {
			continue
		}
		known[strings.ToLower(field.Label)] = field
	}
	for _, field := range list {
		// A label goes before a name that is spelt like it.
		name := strings.ToLower(field.Name)
		if _, taken := known[name]; !taken && name != "" && !strings.HasPrefix(field.Type, "default_") {
			known[name] = field
		}
	}
	return known, nil
}

func (f *contactFields) make(ctx context.Context, label string) (contactField, error) {
	var made contactField
	err := f.api.call(ctx, "create contact field "+label, http.MethodPost, "/contact_fields",
		newField{Label: label, LabelForCustomers: label, Type: "custom_text"}, &made)
	if connectors.ReasonOf(err) == connectors.ReasonConflict || connectors.ReasonOf(err) == connectors.ReasonInvalid {
		// Made by another process between our reading and our making?
		if again, failed := f.read(ctx); failed == nil && again[strings.ToLower(label)].Name != "" {
			return again[strings.ToLower(label)], nil
		}
	}
	if err == nil && made.Name == "" {
		err = &connectors.PushError{Act: "freshdesk: create contact field " + label, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no field"}
	}
	if err != nil {
		return contactField{}, ofSettings(err)
	}
	return made, nil
}

// ofSettings marks a refusal as being about the connection. Told as it came, it
// would look as if somebody in the batch were to blame.
func ofSettings(err error) error {
	e := *connectors.AsPushError(err)
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonConflict:
		e.Reason = connectors.ReasonSettings
	}
	return &e
}

// prepareFields makes sure of every contact field that the tasks write. The
// error means that nothing was sent.
func (p *push) prepareFields(ctx context.Context, tasks ...*task) error {
	labels := map[string]bool{}
	for _, t := range tasks {
		if t.Stage != "" {
			labels[p.c.stageLabel] = true
		}
		for label := range t.Traits {
			labels[label] = true
		}
	}
	missing, err := p.c.fields.ensure(ctx, sortedKeys(labels), p.c.fields.create)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		for _, label := range missing {
			if _, ok := t.Traits[label]; ok || label == p.c.stageLabel && t.Stage != "" {
				t.End(connectors.Result{
					Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
					Message: "Freshdesk has no contact field " + label + ", and create_field is off",
				})
			}
		}
	}
	return nil
}

// held gives what a contact holds in the field of a label.
func (c *Connector) held(one *contact, label string) (value any, ok bool) {
	field, known := c.fields.find(label)
	if !known {
		return nil, false
	}
	value, ok = one.Fields[field.Name]
	return value, ok
}

// values gives the contact fields of the task as the vendor takes them; nil
// where there is none.
func (c *Connector) values(t *task) map[string]any {
	if !t.Fields() {
		return nil
	}
	all := make(map[string]any, len(t.Traits)+1)
	for label, value := range t.Traits {
		if field, ok := c.fields.find(label); ok {
			all[field.Name] = fieldValue(field.Type, value)
		}
	}
	if field, ok := c.fields.find(c.stageLabel); ok && t.Stage != "" {
		all[field.Name] = t.Stage
	}
	return all
}

// fieldValue puts a trait into the form that a field of the given type takes;
// nil clears it. What does not fit is sent as text, so that Freshdesk says what
// it wants.
func fieldValue(kind string, value any) any {
	if value == nil {
		return nil
	}
	text := connectors.ValueText(value)
	switch kind {
	case "custom_number", "custom_decimal":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "custom_checkbox":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case "custom_date":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.Format(time.DateOnly)
		}
	case "custom_text":
		if runes := []rune(text); len(runes) > maxTextRunes {
			return string(runes[:maxTextRunes])
		}
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
