package marketo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// maxTextRunes is what a text field holds.
	maxTextRunes = 255
	// fieldsLife is how long the list of fields is believed when people are read.
	fieldsLife = time.Hour
)

// personFields knows the fields that people have. They are read when a push
// first needs one, and again after one was found missing.
type personFields struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]field // by REST name; nil: not read yet
	until time.Time        // when known is read again for reading people
}

// kinds gives the fields as far as they were read. The map is not changed
// afterwards.
func (f *personFields) kinds() map[string]field {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

func (f *personFields) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes people have the given fields (REST name to label) and answers
// with those that cannot be written, and why. One caller at a time asks.
func (f *personFields) ensure(ctx context.Context, wanted map[string]string) (wrong map[string]string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if lacking(f.known, wanted) != nil {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
	}
	wrong = map[string]string{}
	missing := lacking(f.known, wanted)
	if len(missing) > 0 && f.create {
		if err := f.make(ctx, missing, wanted); err != nil {
			return nil, err
		}
		missing = nil
	}
	for _, name := range missing {
		wrong[name] = "Marketo has no field " + name + ", and create_fields is off"
	}
	for name := range wanted {
		if u := f.known[name].Updatable; u != nil && !*u {
			wrong[name] = "Marketo lets nobody write the field " + name
		}
	}
	return wrong, nil
}

// have gives those of the names that people have: one that they lack makes
// Marketo refuse to read anything.
func (f *personFields) have(ctx context.Context, names []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || !f.api.now().Before(f.until) {
		if err := f.read(ctx); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, ok := f.known[name]
		return !ok
	}), nil
}

func lacking(known map[string]field, wanted map[string]string) []string {
	var some []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if _, ok := known[name]; !ok {
			some = append(some, name)
		}
	}
	return some
}

func (f *personFields) read(ctx context.Context) error {
	type described struct {
		Fields []field `json:"fields"`
	}
	all, _, err := list[described](ctx, f.api, "list the fields of people", http.MethodGet, "/rest/v1/leads/describe2.json", nil)
	if err != nil {
		return ofSettings(err)
	}
	known := map[string]field{}
	for _, d := range all {
		for _, one := range d.Fields {
			known[one.Name] = one
		}
	}
	f.known, f.until = known, f.api.now().Add(fieldsLife)
	return nil
}

// make creates text fields. One that another process made meanwhile is found
// by reading once more.
func (f *personFields) make(ctx context.Context, missing []string, labels map[string]string) error {
	var input []fieldCreate
	for _, name := range missing {
		input = append(input, fieldCreate{Display: labels[name], Name: name, Kind: "string"})
	}
	const act = "create fields of people"
	type made struct {
		Name    string   `json:"name"`
		Status  string   `json:"status"`
		Reasons []reason `json:"reasons"`
	}
	answers, _, err := list[made](ctx, f.api, act, http.MethodPost, "/rest/v1/leads/schema/fields.json", map[string]any{"input": input})
	if err != nil && !hasReason(err, connectors.ReasonInvalid) {
		return ofSettings(err)
	}
	known := maps.Clone(f.known)
	for _, m := range answers {
		if m.Status == "created" {
			known[m.Name] = field{Name: m.Name, Kind: "string", Length: maxTextRunes}
		}
	}
	f.known = known
	if lacking(known, labels) == nil {
		return nil
	}
	if failed := f.read(ctx); failed != nil {
		return failed
	}
	still := lacking(f.known, labels)
	switch {
	case still == nil:
		return nil
	case err != nil:
		return ofSettings(err)
	}
	words := "no reason given"
	for _, m := range answers {
		if len(m.Reasons) > 0 {
			words = m.Reasons[0].Message
		}
	}
	return &connectors.PushError{Act: "marketo: " + act, Reason: connectors.ReasonSettings, Message: connectors.Words(fmt.Sprintf("Marketo did not create %s: %s", strings.Join(still, ", "), words), f.api.hide...)}
}

// ofSettings marks a refusal as being about the connection. Told as it came, it
// would look as if somebody in the batch were to blame.
func ofSettings(err error) error {
	e := *failure(err)
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonConflict:
		e.Reason = connectors.ReasonSettings
	}
	return &e
}

// prepare makes sure of every field that the tasks write, and of their length.
// The error means that nothing was sent.
func (p *push) prepare(ctx context.Context, tasks []*task) error {
	wanted := map[string]string{}
	for _, t := range tasks {
		for name := range t.fields {
			wanted[name] = p.c.label(name)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	wrong, err := p.c.fields.ensure(ctx, wanted)
	if err != nil {
		return err
	}
	kinds := p.c.fields.kinds()
	for _, t := range tasks {
		for _, name := range slices.Sorted(maps.Keys(t.fields)) {
			if why := wrong[name]; why != "" {
				t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: why})
			}
		}
		if text, ok := t.fields[p.c.segmentsField].(string); ok && !p.c.asLists && len([]rune(text)) > room(kinds[p.c.segmentsField]) {
			// Cut, it would say that somebody is not in the segments that fell off.
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, Message: "the segments do not fit the field " + p.c.segmentsField + "; keep them as lists, or push fewer"})
		}
	}
	return nil
}

// prepareLate is prepare for tasks that came to write more on the way.
func (p *push) prepareLate(ctx context.Context, tasks []*task) {
	if tasks = slices.DeleteFunc(slices.Clone(tasks), isDone); len(tasks) == 0 || p.rest(tasks) {
		return
	}
	if err := p.prepare(ctx, tasks); err != nil {
		p.fail(tasks, err)
	}
}

// label is how a field that is created is shown.
func (c *Connector) label(name string) string {
	switch name {
	case c.stageField:
		return "Stagebridge stage"
	case c.segmentsField:
		return "Stagebridge segments"
	}
	return "Stagebridge " + cmp.Or(c.cfg.Push.Traits[name], name)
}

// room is how many characters a field holds.
func room(f field) int {
	if f.Length > 0 {
		return f.Length
	}
	return maxTextRunes
}

// fieldValue puts a value into the form that a field takes; nil clears it.
func fieldValue(f field, value any) any {
	if value == nil {
		return nil
	}
	text := connectors.ValueText(value)
	switch f.Kind {
	case "boolean", "integer", "score", "float", "currency", "percent":
		switch value.(type) {
		case bool, int64, float64, json.Number:
			return value
		}
	case "date":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.Format(time.DateOnly)
		}
	}
	if runes := []rune(text); len(runes) > room(f) {
		text = string(runes[:room(f)])
	}
	return text
}
