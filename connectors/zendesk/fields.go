package zendesk

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// userFields knows the account's user fields. They are read when a push first
// needs one, and again after one was found missing.
type userFields struct {
	api    *api
	create bool

	mu    sync.Mutex
	known map[string]userField // by key; nil: not read yet
}

// id gives the id of a field as far as they were read.
func (f *userFields) id(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[key].ID.String()
}

func (f *userFields) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = nil
}

// ensure makes the account have fields of the given keys, with their titles,
// and answers with those that it lacks because creating is off. One caller at a
// time asks the vendor.
func (f *userFields) ensure(ctx context.Context, titles map[string]string) (missing []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(lacking(f.known, titles)) == 0 {
		return nil, nil
	}
	// Read before anything is made: another process may have been faster.
	known, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range lacking(known, titles) {
		if !f.create {
			missing = append(missing, key)
			continue
		}
		made, err := f.make(ctx, key, titles[key])
		if err != nil {
			return nil, err
		}
		known[key] = made
	}
	f.known = known
	return missing, nil
}

func lacking(known map[string]userField, titles map[string]string) []string {
	return slices.DeleteFunc(sortedKeys(titles), func(key string) bool { _, ok := known[key]; return ok })
}

func (f *userFields) read(ctx context.Context) (map[string]userField, error) {
	var answer struct {
		Fields []userField `json:"user_fields"`
	}
	if err := f.api.call(ctx, "list user fields", http.MethodGet, "/user_fields", nil, &answer); err != nil {
		return nil, ofSettings(err)
	}
	known := map[string]userField{}
	for _, field := range answer.Fields {
		if field.Active == nil || *field.Active {
			known[field.Key] = field
		}
	}
	return known, nil
}

// make creates a text field. A dropdown would turn each stage into a user tag.
func (f *userFields) make(ctx context.Context, key, title string) (userField, error) {
	in := map[string]userField{"user_field": {Key: key, Type: "text", Title: title, Description: "Kept by Stagebridge"}}
	var out struct {
		Field userField `json:"user_field"`
	}
	err := f.api.call(ctx, "create user field "+key, http.MethodPost, "/user_fields", in, &out)
	if connectors.ReasonOf(err) == connectors.ReasonInvalid {
		// Made by another process between our reading and our making?
		if again, failed := f.read(ctx); failed == nil && again[key].Key != "" {
			return again[key], nil
		}
	}
	if err != nil {
		return userField{}, ofSettings(err)
	}
	return out.Field, nil
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

// prepareFields makes sure of every user field that the tasks write. The error
// means that nothing was sent.
func (p *push) prepareFields(ctx context.Context, tasks []*task) error {
	titles := map[string]string{}
	for _, t := range tasks {
		if t.Stage != "" {
			titles[p.c.stageField] = "Lifecycle stage"
		}
		for key := range t.Traits {
			titles[key] = cmp.Or(p.c.cfg.Push.Traits[key], key)
		}
	}
	missing, err := p.c.fields.ensure(ctx, titles)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		for _, key := range missing {
			if _, ok := t.Traits[key]; ok || key == p.c.stageField && t.Stage != "" {
				t.End(connectors.Result{
					Outcome: connectors.Permanent, Reason: connectors.ReasonSettings,
					Message: "Zendesk has no user field " + key + ", and create_field is off",
				})
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
