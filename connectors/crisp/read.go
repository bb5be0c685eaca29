package crisp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads the workspace's name.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var w struct {
		Name   string `json:"name"`
		Domain string `json:"domain"`
	}
	if _, err := c.api.get(ctx, "test the connection", "", &w); err != nil {
		return "", err
	}
	return fmt.Sprintf("Workspace %q at %q", short(w.Name), short(w.Domain)), nil
}

// Read implements connectors.Reader, with two requests a person. Segments are
// those of the update's managed set, in its spelling.
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
	for _, key := range []string{u.VendorID, strings.TrimSpace(u.Email)} {
		if key == "" || key == u.VendorID && !idForm.MatchString(key) {
			continue
		}
		held, err := c.profile(ctx, key)
		if connectors.ReasonOf(err) == connectors.ReasonNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		data, _, err := c.data(ctx, held.ID)
		if err != nil {
			return nil, err
		}
		return c.state(u, held, data), nil
	}
	return nil, nil
}

// state puts a profile into our words.
func (c *Connector) state(u *connectors.Update, held *profile, data map[string]any) *connectors.State {
	s := &connectors.State{Stage: connectors.ValueText(data[c.stageKey])}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if hasSegment(held.Segments, c.prefix+name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for name := range maps.Keys(c.cfg.Push.Traits) {
		value, ok := any(held.Person.Nickname), held.Person.Nickname != ""
		if name != nickname {
			value, ok = data[name]
		}
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = plain(value)
	}
	return s
}

// plain turns a decoded number into int64 where it is whole.
func plain(value any) any {
	switch n := value.(type) {
	case float64:
		if whole := int64(n); float64(whole) == n {
			return whole
		}
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return value
}
