package intercom

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxTextRunes is what a text attribute holds.
const maxTextRunes = 255

// attributes knows the workspace's data attributes of contacts. They are read
// when a push first needs one, and again after one was found missing.
type attributes struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]string // type by name; nil: not read yet
}

// kinds gives the type of each attribute as far as they were read. The map is
// not changed afterwards.
func (f *attributes) kinds() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

func (f *attributes) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes the workspace have attributes of the given names and answers
// with those that it lacks because creating is off: writing an unknown
// attribute would be refused. One caller at a time asks the vendor.
func (f *attributes) ensure(ctx context.Context, names []string) (missing []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(lacking(f.known, names)) == 0 {
		return nil, nil
	}
	// Read before anything is made: another process may have been faster.
	known, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range lacking(known, names) {
		if !f.create {
			missing = append(missing, name)
			continue
		}
		kind, err := f.make(ctx, name)
		if err != nil {
			return nil, err
		}
		known[name] = kind
	}
	f.known = known
	return missing, nil
}

func lacking(known map[string]string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := known[name]; return ok })
}

func (f *attributes) read(ctx context.Context) (map[string]string, error) {
	var answer struct {
		Data []attribute `json:"data"`
	}
	if err := f.api.call(ctx, "list data attributes", http.MethodGet, "/data_attributes?model=contact", nil, &answer); err != nil {
		return nil, ofSettings(err)
	}
	known := map[string]string{}
	for _, a := range answer.Data {
		if (a.Custom == nil || *a.Custom) && !a.Archived {
			known[a.Name] = a.Type
		}
	}
	return known, nil
}

func (f *attributes) make(ctx context.Context, name string) (kind string, err error) {
	in := attribute{Name: name, Model: "contact", Type: "string"}
	err = f.api.call(ctx, "create data attribute "+name, http.MethodPost, "/data_attributes", in, nil)
	if connectors.ReasonOf(err) == connectors.ReasonInvalid {
		// Made by another process between our reading and our making?
		if again, failed := f.read(ctx); failed == nil && again[name] != "" {
			return again[name], nil
		}
	}
	if err != nil {
		return "", ofSettings(err)
	}
	return in.Type, nil
}

// ofSettings marks a refusal as being about the connection. Told as it came, it
// would look as if somebody in the batch were to blame.
func ofSettings(err error) error {
	e := *connectors.AsPushError(err)
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid:
		e.Reason = connectors.ReasonSettings
	}
	return &e
}

// prepareAttributes makes sure of every attribute that the tasks write. The
// error means that nothing was sent.
func (p *push) prepareAttributes(ctx context.Context, tasks ...*task) error {
	names := map[string]bool{}
	for _, t := range tasks {
		if t.Stage != "" {
			names[p.c.stageField] = true
		}
		for name := range t.Traits {
			names[name] = true
		}
	}
	missing, err := p.c.attributes.ensure(ctx, sortedKeys(names))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		for _, name := range missing {
			if _, ok := t.Traits[name]; ok || name == p.c.stageField && t.Stage != "" {
				t.End(connectors.Result{
					Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
					Message: "the workspace has no data attribute " + name + ", and create_field is off",
				})
			}
		}
	}
	return nil
}

// values gives the attributes of the task as the vendor takes them; nil where
// there is none.
func (c *Connector) values(t *task) map[string]any {
	if !t.writesAttributes() {
		return nil
	}
	kinds := c.attributes.kinds()
	all := make(map[string]any, len(t.Traits)+1)
	for name, value := range t.Traits {
		all[name] = fieldValue(kinds[name], value)
	}
	if t.Stage != "" {
		all[c.stageField] = fieldValue(kinds[c.stageField], t.Stage)
	}
	return all
}

// fieldValue puts a trait into the form that an attribute of the given type
// takes; nil clears it. What does not fit is sent as text, so that Intercom
// says what it wants.
func fieldValue(kind string, value any) any {
	if value == nil {
		return nil
	}
	text := connectors.ValueText(value)
	switch kind {
	case "integer", "float":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "boolean":
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case "date", "datetime":
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.Unix()
			}
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	if runes := []rune(text); len(runes) > maxTextRunes {
		return string(runes[:maxTextRunes])
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
