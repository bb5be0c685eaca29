package salesforcemarketingcloud

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// readers is how many rows are read at once.
const readers = 4

// Check implements connectors.Checker: it fetches a token, and asks which
// account it is for.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var answer struct {
		Organization struct {
			ID json.Number `json:"id"`
		} `json:"organization"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/platform/v1/tokenContext", nil, &answer); err != nil {
		return "", err
	}
	if answer.Organization.ID == "" {
		return "Marketing Cloud takes the installed package", nil
	}
	return "Marketing Cloud takes the installed package, business unit " + answer.Organization.ID.String(), nil
}

// Read implements connectors.Reader, one request a person: what the data
// extension holds under the contact key. Somebody whose key is not known and who
// would get none is not there.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	object, err := c.extension.object(ctx, false)
	if err != nil || object == nil {
		return states, err
	}
	found, err := c.found(ctx, people)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i := range people {
		u := &people[i]
		keys := []string{u.VendorID, found.first(u.Email), c.ownKey(u)}
		at := slices.IndexFunc(keys, func(k string) bool { return k != "" })
		if at < 0 {
			continue
		}
		group.Go(func() error {
			var err error
			states[i], err = c.readRow(ctx, object.Key, keys[at], u)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// found looks up the contact keys of those whose key is not known.
func (c *Connector) found(ctx context.Context, people []connectors.Update) (keys, error) {
	var emails []string
	for i := range people {
		if email := normalEmail(people[i].Email); c.find && people[i].VendorID == "" && email != "" {
			emails = append(emails, email)
		}
	}
	return c.keysOf(ctx, emails)
}

// readRow reads one row. The call is from general knowledge of the API; it gives
// the names of columns in lower case.
func (c *Connector) readRow(ctx context.Context, extension, key string, u *connectors.Update) (*connectors.State, error) {
	query := url.Values{"$filter": {fmt.Sprintf("%s eq '%s'", columnKey, strings.ReplaceAll(key, "'", "''"))}}
	var answer struct {
		Items []struct {
			Values map[string]any `json:"values"`
		} `json:"items"`
	}
	path := "/data/v1/customobjectdata/key/" + url.PathEscape(extension) + "/rowset?" + query.Encode()
	err := c.api.call(ctx, "read a row", http.MethodGet, path, nil, &answer)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil, nil
	}
	if err != nil || len(answer.Items) == 0 {
		return nil, err
	}
	values := map[string]any{}
	for column, value := range answer.Items[0].Values {
		values[strings.ToLower(column)] = value
	}
	return c.state(values, u), nil
}

// state puts a row into our words.
func (c *Connector) state(values map[string]any, u *connectors.Update) *connectors.State {
	textOf := func(column string) string {
		s, _ := values[strings.ToLower(column)].(string)
		return s
	}
	s := &connectors.State{Stage: textOf(columnStage)}
	held := segmentsIn(textOf(columnSegments))
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if slices.Contains(held, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for _, column := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		value, ok := values[strings.ToLower(column)]
		if !ok || value == nil || value == "" {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		if n, number := value.(json.Number); number {
			value = n.String()
		}
		s.Traits[column] = value
	}
	return s
}
