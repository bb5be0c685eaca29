package intercom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	if !c.api.authenticated() {
		return "", settingError(act, "access_token is not set; receiving webhooks does without it")
	}
	var me struct {
		Email string `json:"email"`
		App   struct {
			ID   string `json:"id_code"`
			Name string `json:"name"`
		} `json:"app"`
	}
	if err := c.api.call(ctx, act, http.MethodGet, "/me", nil, &me); err != nil {
		return "", err
	}
	if c.workspace != "" && me.App.ID != c.workspace {
		return "", settingError(act, fmt.Sprintf("the token belongs to the workspace %s, the connection to %s", short(me.App.ID), c.workspace))
	}
	return fmt.Sprintf("Workspace %q (%s)", short(me.App.Name), short(me.App.ID)), nil
}

// Read implements connectors.Reader. Segments are those of the update's managed
// set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			state, err := c.readOne(ctx, &people[i])
			states[i] = state
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

func (c *Connector) readOne(ctx context.Context, u *connectors.Update) (*connectors.State, error) {
	t := newTask(u)
	var held *contact
	var err error
	if t.id != "" {
		held, err = c.get(ctx, t.id)
	}
	if err == nil && held == nil {
		held, err = c.find(ctx, t.external, t.email)
	}
	if err != nil || held == nil {
		return nil, err
	}
	carries, err := c.tagNames(ctx, held.ID)
	if err != nil {
		return nil, err
	}
	s := &connectors.State{Stage: connectors.ValueText(held.Attributes[c.stageField]), Traits: c.traits(held)}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if carries[strings.ToLower(c.tagName(name))] {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	return s, nil
}

// tagNames reads a contact's tags, in lower case. The contact itself shows but
// ten, and only their ids.
func (c *Connector) tagNames(ctx context.Context, id string) (map[string]bool, error) {
	var list tagList
	if err := c.api.call(ctx, "read a contact's tags", http.MethodGet, contactPath(id, "tags"), nil, &list); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, one := range list.Data {
		names[strings.ToLower(one.Name)] = true
	}
	return names, nil
}

func (c *Connector) traits(held *contact) map[string]any {
	var traits map[string]any
	for _, name := range sortedKeys(c.cfg.Push.Traits) {
		value, ok := held.Attributes[name]
		if !ok {
			continue
		}
		if traits == nil {
			traits = map[string]any{}
		}
		traits[name] = plain(value)
	}
	return traits
}

// plain turns a decoded number into int64 or float64.
func plain(value any) any {
	n, ok := value.(json.Number)
	if !ok {
		return value
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}

// listPage is how many contacts a page has, the most that Intercom gives.
const listPage = 150

// List implements connectors.Lister. Segments are in the spelling of the tags,
// in lower case.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	// A search for all: the plain list takes no page size in the description.
	in := search{Query: filter{"created_at", ">", 0}, Page: page{Size: listPage, After: cursor}}
	var found contactList
	if err := c.api.call(ctx, "list contacts", http.MethodPost, "/contacts/search", in, &found); err != nil {
		return nil, err
	}
	// Fills the names where nothing has yet.
	if _, err := c.tags.id(ctx, c.tagPrefix, false); err != nil {
		return nil, err
	}
	names := c.tags.names()
	listed := &connectors.Listed{}
	for i := range found.Data {
		one := &found.Data[i]
		s := connectors.State{Stage: connectors.ValueText(one.Attributes[c.stageField]), Traits: c.traits(one)}
		carries := map[string]bool{}
		for _, t := range one.Tags.Data {
			carries[names[t.ID]] = true
		}
		if one.Tags.More {
			var err error
			if carries, err = c.tagNames(ctx, one.ID); err != nil {
				return nil, err
			}
		}
		for _, name := range sortedKeys(carries) {
			if segment, ours := strings.CutPrefix(name, strings.ToLower(c.tagPrefix)); ours && segment != "" {
				s.Segments = append(s.Segments, segment)
			}
		}
		listed.People = append(listed.People, connectors.Listing{VendorID: one.ID, Email: one.Email, State: s})
	}
	if after := found.Pages.Next.After; after != cursor {
		listed.Cursor = after
	}
	return listed, nil
}
