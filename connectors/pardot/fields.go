package pardot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// suffix ends the name of a custom field on a prospect.
const suffix = "__c"

// maxPages bounds how many pages of fields or lists are read.
const maxPages = 20

// fieldBook knows which custom fields prospects have.
type fieldBook struct {
	c     *Connector
	turn  chan struct{} // guards known
	known map[string]bool
}

// existing gives those of some fields, by id, that there are.
func (b *fieldBook) existing(ctx context.Context, ids ...string) ([]string, error) {
	if err := lock(ctx, "look for custom fields", b.turn); err != nil {
		return nil, err
	}
	defer func() { <-b.turn }()
	if err := b.look(ctx, ids); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !b.known[strings.ToLower(id)] }), nil
}

// need makes sure of custom fields, by id, and makes those that are missing
// where the connection may. Any error is a *connectors.PushError.
func (b *fieldBook) need(ctx context.Context, ids ...string) error {
	if err := lock(ctx, "look for custom fields", b.turn); err != nil {
		return err
	}
	defer func() { <-b.turn }()
	if err := b.look(ctx, ids); err != nil {
		return err
	}
	for _, id := range ids {
		if b.known[strings.ToLower(id)] {
			continue
		}
		if !b.c.create {
			return &connectors.PushError{
				Act: "pardot: look for custom fields", Reason: connectors.ReasonSettings,
				Message: "prospects have no custom field " + id + "; create it, or let the connection do so (create_fields)",
			}
		}
		made := customField{}
		name := strings.TrimSpace(strings.ReplaceAll(id, "_", " "))
		err := b.c.call(ctx, "create a custom field", http.MethodPost, "/custom-fields", url.Values{"fields": {"id,name"}}, customField{Name: name, FieldID: id, Type: "Text"}, &made)
		if err != nil && !errors.Is(err, errUnseen) {
			return err
		}
		b.known[strings.ToLower(id)] = true
	}
	return nil
}

// look reads the fields anew when one of those wanted is not known. The caller
// holds the turn.
func (b *fieldBook) look(ctx context.Context, ids []string) error {
	if !slices.ContainsFunc(ids, func(id string) bool { return !b.known[strings.ToLower(id)] }) {
		return nil
	}
	known := map[string]bool{}
	err := readAll(ctx, b.c, "list custom fields", "/custom-fields", "id,name,fieldId", func(f customField) {
		known[strings.ToLower(strings.TrimSuffix(f.FieldID, suffix))] = true
	})
	if err == nil {
		b.known = known
	}
	return err
}

// forget lets the fields be read anew: somebody may have removed one.
func (b *fieldBook) forget() {
	b.turn <- struct{}{}
	b.known = nil
	<-b.turn
}

// readAll reads every page of a collection.
func readAll[T any](ctx context.Context, c *Connector, act, path, fields string, visit func(T)) error {
	query := url.Values{"fields": {fields}, "limit": {strconv.Itoa(pageSize)}, "orderBy": {"id ASC"}}
	for range maxPages {
		var got struct {
			Values []T    `json:"values"`
			Next   string `json:"nextPageToken"`
		}
		if err := c.call(ctx, act, http.MethodGet, path, query, nil, &got); err != nil {
			return err
		}
		if got.Values == nil {
			return noValues(act)
		}
		for _, v := range got.Values {
			visit(v)
		}
		if got.Next == "" {
			return nil
		}
		query = url.Values{"fields": {fields}, "nextPageToken": {got.Next}}
	}
	return nil
}

func noValues(act string) *connectors.PushError {
	return &connectors.PushError{Act: "pardot: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer to a query holds no values"}
}

// lock takes a turn that only one goroutine may have, or gives up with the
// context.
func lock(ctx context.Context, act string, turn chan struct{}) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &connectors.PushError{Reason: connectors.ReasonTimeout, Retryable: true, Act: "pardot: " + act, Err: ctx.Err()}
	}
}
