package qualtrics

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// listPage is the most contacts of a page; each is read by itself, since a list
// does not always show embedded data.
const listPage = 50

// maxSame is how many contacts of one address or user id are looked at.
const maxSame = 50

// contacts is the path of the directory's contacts, with more of it.
func (c *Connector) contacts(more ...string) string {
	path := "/directories/" + c.directory + "/contacts"
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// find gives a person's contact: by its id, else by the user id, which is its
// external reference, else by address; nil where there is none.
func (c *Connector) find(ctx context.Context, t *task) (*contact, error) {
	if contactForm.MatchString(t.u.VendorID) {
		held, err := c.read(ctx, t.u.VendorID)
		if held != nil || err != nil {
			return held, err
		}
	}
	for _, key := range []struct{ filter, value string }{{"extRef", t.user}, {"email", t.email}} {
		if key.value == "" {
			continue
		}
		all, err := c.holding(ctx, key.filter, key.value, 1)
		if err != nil || len(all) > 0 {
			return first(all), err
		}
	}
	return nil, nil
}

// first gives the first contact; nil where there is none.
func first(all []*contact) *contact {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// holding gives the contacts with a value, at most so many. The search is behind by some time and
// may show contacts that are gone or have another value by now, so each is read.
func (c *Connector) holding(ctx context.Context, filter, value string, most int) ([]*contact, error) {
	ids, err := c.search(ctx, filter, value)
	if err != nil {
		return nil, err
	}
	var all []*contact
	for _, id := range ids {
		if len(all) == most {
			break
		}
		held, err := c.read(ctx, id)
		if err != nil {
			return nil, err
		}
		switch {
		case held == nil:
		case filter == "email" && normalEmail(held.Email) != normalEmail(value):
		case filter == "extRef" && held.ExtRef != value:
		default:
			all = append(all, held)
		}
	}
	return all, nil
}

// search gives the ids of the contacts with a value. The answer may show
// the value or not; where it does, it must be the one asked for.
func (c *Connector) search(ctx context.Context, filter, value string) ([]string, error) {
	var answer struct {
		Elements []contact `json:"elements"`
	}
	body := map[string]any{"filter": map[string]string{"filterType": filter, "comparison": "eq", "value": value}}
	if err := c.api.call(ctx, "find a contact", http.MethodPost, c.contacts("search"), body, &answer); err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range answer.Elements {
		shown := k.ExtRef
		if filter == "email" {
			shown, value = normalEmail(k.Email), normalEmail(value)
		}
		id := k.ID
		if id == "" {
			id = k.Other
		}
		if contactForm.MatchString(id) && (shown == "" || shown == value) && len(ids) < maxSame {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// read gives a contact; nil where it is gone.
func (c *Connector) read(ctx context.Context, id string) (*contact, error) {
	var held contact
	err := c.api.call(ctx, "read a contact", http.MethodGet, c.contacts(id), nil, &held)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	held.ID = id
	return &held, nil
}

// Check implements connectors.Checker.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var me struct {
		User   string `json:"userId"`
		Brand  string `json:"brandId"`
		Centre string `json:"datacenterId"`
	}
	m, err := c.api.ask(ctx, "test the connection", http.MethodGet, "/whoami", nil, &me)
	if err != nil {
		return "", err
	}
	words := "Qualtrics user " + me.User + " of " + me.Brand
	if me.Centre != "" {
		words += " in data center " + me.Centre
	}
	if m.Notice != "" {
		// A wrong data center answers so; every call then takes a detour.
		words += "; Qualtrics says: " + m.Notice
	}
	return connectors.Words(words, c.api.secrets...), nil
}

// Read implements connectors.Reader, with one to three requests a person.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			held, err := c.find(ctx, c.newTask(&people[i]))
			if held != nil {
				states[i] = c.state(held, &people[i])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// state puts a contact into our words. With an update, segments are those of
// its managed set; without, all that the contact holds.
func (c *Connector) state(held *contact, u *connectors.Update) *connectors.State {
	s := &connectors.State{Stage: fieldText(held.Embedded[c.stageField])}
	segments := segmentsIn(fieldText(held.Embedded[c.segmentField]))
	if u == nil {
		s.Segments = segments
		return s
	}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if slices.Contains(segments, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	shown := map[string]string{"firstName": held.First, "lastName": held.Last, "phone": held.Phone, "language": held.Language}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		if value, ours := shown[name]; ours {
			s.Traits[name] = value
		} else {
			s.Traits[name] = fieldText(held.Embedded[name])
		}
	}
	return s
}

// List implements connectors.Lister; the cursor is the path of the next page.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	path := cursor
	if path == "" {
		path = c.contacts() + "?pageSize=" + strconv.Itoa(listPage)
	}
	if !strings.HasPrefix(path, c.contacts()+"?") {
		return nil, &connectors.PushError{Act: "qualtrics: list contacts", Reason: connectors.ReasonInvalid, Message: "the cursor is no page of this directory"}
	}
	var page struct {
		Elements []contact `json:"elements"`
		Next     string    `json:"nextPage"`
	}
	if err := c.api.call(ctx, "list contacts", http.MethodGet, path, nil, &page); err != nil {
		return nil, err
	}
	people := make([]*connectors.Listing, len(page.Elements))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, k := range page.Elements {
		if !contactForm.MatchString(k.ID) {
			continue
		}
		group.Go(func() error {
			held, err := &k, error(nil)
			if k.Embedded == nil {
				held, err = c.read(ctx, k.ID)
			}
			if held != nil {
				people[i] = &connectors.Listing{VendorID: k.ID, Email: normalEmail(held.Email), State: *c.state(held, nil)}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	if next := nextPath(page.Next); next != path {
		listed.Cursor = next // a page that names itself as the next would never end
	}
	for _, p := range people {
		if p != nil {
			listed.People = append(listed.People, *p)
		}
	}
	return listed, nil
}
