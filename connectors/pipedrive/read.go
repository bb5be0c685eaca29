package pipedrive

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: whose token it is, with the two numbers
// that the form asks for.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var u me
	if _, err := c.api.call(ctx, "test the connection", http.MethodGet, v1+"/users/me", nil, &u); err != nil {
		return "", err
	}
	if c.company != "" && u.Company != 0 && strconv.FormatInt(u.Company, 10) != c.company {
		return "", settingError("test the connection", fmt.Sprintf("the token belongs to company %d, company_id names another one", u.Company))
	}
	return fmt.Sprintf("User %s (number %d) of %s (company number %d)", cmp.Or(short(u.Name), "without a name"), u.ID,
		cmp.Or(short(u.Account), short(u.Domain), "a company without a name"), u.Company), nil
}

// Read implements connectors.Reader. Persons are found by their number, else by
// address; all of them are read together. Segments are those of the update's
// managed set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if err := c.schema.ensure(ctx, c.reading()); err != nil {
		return nil, err
	}
	ids := make([]string, len(people))
	for i := range people {
		if numberForm.MatchString(people[i].VendorID) {
			ids[i] = people[i].VendorID
		}
	}
	byID, err := c.people(ctx, ids, nil)
	if err != nil {
		return nil, err
	}
	// Whoever is not known by number, or not there any more, is looked up.
	group, searching := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		email := strings.TrimSpace(people[i].Email)
		if byID[ids[i]] != nil || email == "" {
			continue
		}
		group.Go(func() error {
			found, err := c.search(searching, email)
			if len(found) > 0 {
				ids[i] = found[0]
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	more, err := c.people(ctx, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return byID[id] != nil }), nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(byID, more)
	states := make([]*connectors.State, len(people))
	for i := range people {
		if p := byID[ids[i]]; p != nil {
			states[i] = c.state(p, &people[i])
		}
	}
	return states, nil
}

// reading are the fields that a reading looks at; none is made for it.
func (c *Connector) reading() []wish {
	all := []wish{{name: c.stageField}, {name: c.segmentsField}}
	for name := range c.cfg.Push.Traits {
		if name != "name" {
			all = append(all, wish{name: name})
		}
	}
	return all
}

// state puts a person into our words. Without an update all options held are
// segments.
func (c *Connector) state(p *person, u *connectors.Update) *connectors.State {
	s := &connectors.State{}
	if f := c.schema.field(c.stageField); f != nil {
		s.Stage, _ = f.plain(p.Custom[f.Code]).(string)
	}
	var held []string
	if f := c.schema.field(c.segmentsField); f != nil && f.Type == "set" {
		for _, id := range optionIDs(p.Custom[f.Code]) {
			if label := f.label(id); label != "" {
				held = append(held, label)
			}
		}
	}
	slices.Sort(held)
	if u == nil {
		s.Segments = held
		return s
	}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if slices.ContainsFunc(held, func(one string) bool { return strings.EqualFold(one, name) }) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for name := range c.cfg.Push.Traits {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		if name == "name" {
			s.Traits[name] = p.Name
		} else if f := c.schema.field(name); f != nil {
			s.Traits[name] = f.plain(p.Custom[f.Code])
		}
	}
	return s
}

// plain gives a custom field's value as a trait holds it: options by their
// labels, nothing as nil.
func (f *field) plain(raw json.RawMessage) any {
	written := customText(raw)
	switch {
	case written == "":
		return nil
	case f.Type == "enum":
		for _, id := range optionIDs(raw) {
			return f.label(id)
		}
	case f.Type == "set":
		labels := []any{}
		for _, id := range optionIDs(raw) {
			labels = append(labels, f.label(id))
		}
		return labels
	case f.Type == "double" || f.Type == "int":
		if i, err := strconv.ParseInt(written, 10, 64); err == nil {
			return i
		}
		if x, err := strconv.ParseFloat(written, 64); err == nil {
			return x
		}
	}
	return written
}

// listPage is how many persons one page of List has.
const listPage = 100

// List implements connectors.Lister, in the order of the persons' numbers.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	if err := c.schema.ensure(ctx, []wish{{name: c.stageField}, {name: c.segmentsField}}); err != nil {
		return nil, err
	}
	query := url.Values{"limit": {strconv.Itoa(listPage)}, "sort_by": {"id"}}
	var codes []string
	for _, name := range []string{c.stageField, c.segmentsField} {
		if f := c.schema.field(name); f != nil {
			codes = append(codes, f.Code)
		}
	}
	if len(codes) > 0 {
		query.Set("custom_fields", strings.Join(codes, ","))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var all []person
	next, err := c.api.call(ctx, "list persons", http.MethodGet, v2+"/persons?"+query.Encode(), nil, &all)
	if err != nil {
		return nil, err
	}
	page := &connectors.Listed{Cursor: next}
	for i := range all {
		page.People = append(page.People, connectors.Listing{VendorID: all[i].id(), Email: chief(all[i].Emails), State: *c.state(&all[i], nil)})
	}
	return page, nil
}
