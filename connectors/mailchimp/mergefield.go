package mailchimp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxTextBytes is what a text merge field holds.
const maxTextBytes = 255

// mergeFields knows the audience's merge fields. They are read when a push
// first needs one, and again after one was found missing.
type mergeFields struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]string // type by tag; nil: not read yet
}

// kinds gives the type of each merge field as far as they were read. The map
// is not changed afterwards.
func (f *mergeFields) kinds() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known
}

func (f *mergeFields) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes the audience have the given tags and answers with those that it
// lacks, because creating is off. One caller at a time asks the vendor.
func (f *mergeFields) ensure(ctx context.Context, tags map[string]string) (missing []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if lacking(f.known, tags) == nil {
		return nil, nil
	}
	// Read before anything is made: another process may have been faster.
	known, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, tag := range lacking(known, tags) {
		if !f.create {
			missing = append(missing, tag)
			continue
		}
		kind, err := f.make(ctx, tag, tags[tag])
		if connectors.ReasonOf(err) == connectors.ReasonInvalid {
			// Made by another process between our reading and our making?
			again, failed := f.read(ctx)
			if failed == nil && again[tag] != "" {
				known, err = again, nil
				kind = again[tag]
			}
		}
		if err != nil {
			return nil, ofSettings(err)
		}
		known[tag] = kind
	}
	f.known = known
	return missing, nil
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

func lacking(known, tags map[string]string) []string {
	var some []string
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if _, ok := known[tag]; !ok {
			some = append(some, tag)
		}
	}
	return some
}

func (f *mergeFields) read(ctx context.Context) (map[string]string, error) {
	var answer struct {
		Fields []mergeField `json:"merge_fields"`
	}
	path := f.api.list("merge-fields") + "?count=1000&fields=merge_fields.tag,merge_fields.type"
	if err := f.api.call(ctx, "list merge fields", http.MethodGet, path, nil, &answer); err != nil {
		return nil, ofSettings(err)
	}
	known := map[string]string{}
	for _, field := range answer.Fields {
		known[field.Tag] = field.Type
	}
	return known, nil
}

func (f *mergeFields) make(ctx context.Context, tag, name string) (kind string, err error) {
	var made mergeField
	err = f.api.call(ctx, "create merge field "+tag, http.MethodPost, f.api.list("merge-fields"),
		mergeField{Tag: tag, Name: name, Type: "text"}, &made)
	if err != nil {
		return "", err
	}
	if made.Tag != tag {
		return "", &connectors.PushError{
			Act: "mailchimp: create merge field " + tag, Reason: connectors.ReasonSettings,
			Message: fmt.Sprintf("Mailchimp made the field with the tag %s instead", made.Tag),
		}
	}
	return cmp.Or(made.Type, "text"), nil
}

// prepareFields makes sure of every merge field that the tasks write. The error
// means that nothing was sent.
func (p *push) prepareFields(ctx context.Context, tasks ...*task) error {
	tags := map[string]string{}
	for _, t := range tasks {
		if t.Stage != "" {
			tags[p.c.stageField] = "Lifecycle stage"
		}
		for tag := range t.Traits {
			tags[tag] = cmp.Or(p.c.cfg.Push.Traits[tag], tag)
		}
	}
	missing, err := p.c.fields.ensure(ctx, tags)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if tag := t.names(p.c.stageField, missing); tag != "" {
			t.End(connectors.Result{
				Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
				Message: "the audience has no merge field " + tag + ", and create_merge_field is off",
			})
		}
	}
	return nil
}

// names gives the first of the tags that the task would write, or "".
func (t *task) names(stageField string, tags []string) string {
	for _, tag := range tags {
		if _, ok := t.Traits[tag]; ok || tag == stageField && t.Stage != "" {
			return tag
		}
	}
	return ""
}

// fieldValue puts a trait into the form that a merge field of the given type
// takes; "" clears it.
func fieldValue(kind string, value any) any {
	text := connectors.ValueText(value)
	switch kind {
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case "address":
		if object, ok := value.(map[string]any); ok {
			return object
		}
	case "date":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.Format(time.DateOnly)
		}
	case "birthday":
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if at, err := time.Parse(layout, text); err == nil {
				return at.Format("01/02")
			}
		}
	}
	return cutBytes(text, maxTextBytes)
}
