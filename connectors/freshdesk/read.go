package freshdesk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	if !c.api.authenticated() {
		return "", settingError(act, "api_key is not set; receiving webhooks does without it")
	}
	var me struct {
		Contact struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"contact"`
	}
	if err := c.api.call(ctx, act, http.MethodGet, "/agents/me", nil, &me); err != nil {
		return "", err
	}
	return fmt.Sprintf("The API key of %s (%s)", short(me.Contact.Name), short(me.Contact.Email)), nil
}

// Read implements connectors.Reader. Segments are those of the update's managed
// set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if err := c.knowFields(ctx); err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			t := newTask(&people[i])
			held, err := c.find(ctx, t.id, t.email)
			if err != nil || held == nil {
				return err
			}
			s := c.state(held)
			for _, name := range slices.Sorted(slices.Values(slices.Concat(people[i].Want.Segments, people[i].Want.Absent))) {
				if held.carries(c.tagName(name)) {
					s.Segments = append(s.Segments, name)
				} else {
					s.Absent = append(s.Absent, name)
				}
			}
			states[i] = &s
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// knowFields reads the names of the contact fields that we look at.
func (c *Connector) knowFields(ctx context.Context) error {
	_, err := c.fields.ensure(ctx, append(sortedKeys(c.cfg.Push.Traits), c.stageLabel), false)
	return err
}

// state gives a contact's stage and traits.
func (c *Connector) state(one *contact) connectors.State {
	stage, _ := c.held(one, c.stageLabel)
	s := connectors.State{Stage: connectors.ValueText(stage)}
	for _, label := range sortedKeys(c.cfg.Push.Traits) {
		value, ok := c.held(one, label)
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[label] = plain(value)
	}
	return s
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

// List implements connectors.Lister; the cursor is the number of the page.
// Segments are in the spelling of the tags.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	if err := c.knowFields(ctx); err != nil {
		return nil, err
	}
	number, _ := strconv.Atoi(cursor)
	found, next, err := c.api.page(ctx, "list contacts", url.Values{}, max(number, 1))
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, text := range found {
		var one contact
		if err := decode(text, &one); err != nil {
			return nil, &connectors.PushError{Act: "freshdesk: list contacts", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: connectors.Words(err.Error())}
		}
		s := c.state(&one)
		for _, tag := range one.Tags {
			if len(tag) > len(c.tagPrefix) && strings.EqualFold(tag[:len(c.tagPrefix)], c.tagPrefix) {
				s.Segments = append(s.Segments, tag[len(c.tagPrefix):])
			}
		}
		slices.Sort(s.Segments)
		listed.People = append(listed.People, connectors.Listing{VendorID: one.ID.String(), Email: one.Email, State: s})
	}
	if next > 0 {
		listed.Cursor = strconv.Itoa(next)
	}
	return listed, nil
}

// decode reads one element of a list, numbers as they are written.
func decode(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return d.Decode(into)
}
