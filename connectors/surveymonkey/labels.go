package surveymonkey

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// freshLabel is how a custom field is labelled that nobody has used yet.
var freshLabel = regexp.MustCompile(`(?i)^(custom( field)?( data)? ?[1-6])?$`)

// labels takes custom fields into use once: it labels those that nobody uses
// and refuses those that hold something else.
type labels struct {
	api   *api
	write bool

	mu    sync.Mutex
	ready map[string]bool
}

// ensure makes the fields carry the wanted labels.
func (l *labels) ensure(ctx context.Context, wanted map[string]string) error {
	if !l.write {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(wanted)), func(field string) bool { return l.ready[field] })
	if len(missing) == 0 {
		return nil
	}
	var answer struct {
		Data []struct {
			ID    text   `json:"id"`
			Label string `json:"label"`
		} `json:"data"`
	}
	if err := l.api.call(ctx, "list custom fields", http.MethodGet, "/contact_fields?per_page=100", nil, &answer); err != nil {
		return err
	}
	held := map[string]string{}
	for _, f := range answer.Data {
		held[string(f.ID)] = strings.TrimSpace(f.Label)
	}
	for _, field := range missing {
		label, there := held[field]
		switch {
		case label == wanted[field]:
		case !there:
			return &connectors.PushError{Act: "surveymonkey: list custom fields", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer does not list custom field " + field}
		case !freshLabel.MatchString(label):
			return settingError("take a custom field into use", fmt.Sprintf("custom field %s is labelled %.60q and so is in use; choose another one in the settings, or rename it", field, label))
		default:
			err := l.api.call(ctx, "label a custom field", http.MethodPatch, "/contact_fields/"+field, map[string]string{"label": wanted[field]}, nil)
			if err != nil {
				return err
			}
		}
		if l.ready == nil {
			l.ready = map[string]bool{}
		}
		l.ready[field] = true
	}
	return nil
}
