package marketo

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// typesLife is how long the list of activity types is believed; custom types
// may be added at any time.
const typesLife = 24 * time.Hour

// activityTypes knows the instance's activity types: their numbers are partly
// the same everywhere and partly not.
type activityTypes struct {
	api *api

	mu    sync.Mutex
	slugs map[int64]string
	until time.Time
}

// find gives the types that are wanted and exist, by number. A type is wanted
// by its name in lower case with underscores, or by its number.
func (t *activityTypes) find(ctx context.Context, wanted []string) (map[int64]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.api.now(); t.slugs == nil || !now.Before(t.until) {
		slugs, err := t.read(ctx)
		if err != nil {
			return nil, err
		}
		t.slugs, t.until = slugs, now.Add(typesLife)
	}
	found := map[int64]string{}
	for _, name := range wanted {
		for id, slug := range t.slugs {
			if name == slug || name == strconv.FormatInt(id, 10) {
				found[id] = slug
			}
		}
	}
	return found, nil
}

func (t *activityTypes) read(ctx context.Context) (map[int64]string, error) {
	type kind struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	kinds, _, err := list[kind](ctx, t.api, "list activity types", http.MethodGet, "/rest/v1/activities/types.json", nil)
	if err != nil {
		return nil, err
	}
	slugs := map[int64]string{}
	for _, k := range kinds {
		slugs[k.ID] = slug(k.Name)
	}
	return slugs, nil
}

// slug writes "Fill Out Form" as fill_out_form.
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "_")
}
