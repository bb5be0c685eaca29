package helpscout

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads whom the app works for.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var u struct {
		FirstName string `json:"firstName"`
		LastName  string `json:"lastName"`
		CompanyID int64  `json:"companyId"`
	}
	if _, err := c.api.call(ctx, "test the connection", http.MethodGet, "/users/me", nil, &u); err != nil {
		return "", err
	}
	return fmt.Sprintf("The app works for %q in the account %d", strings.TrimSpace(short(u.FirstName)+" "+short(u.LastName)), u.CompanyID), nil
}

// Read implements connectors.Reader, with one or two requests a person.
// Segments are those of the update's managed set, in its spelling.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range people {
		group.Go(func() error {
			one, err := c.find(ctx, &people[i])
			if one != nil {
				states[i] = c.state(one, &people[i])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// find gives a person's customer with its properties; nil when there is none.
func (c *Connector) find(ctx context.Context, u *connectors.Update) (*customer, error) {
	if numberForm.MatchString(u.VendorID) {
		one, err := c.customer(ctx, u.VendorID)
		if connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return one, err
		}
	}
	address := strings.TrimSpace(u.Email)
	if address == "" {
		return nil, nil
	}
	found, err := c.search(ctx, address)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return c.whole(ctx, &found[0])
}

// whole gives a customer with its properties, which a list may leave out.
func (c *Connector) whole(ctx context.Context, one *customer) (*customer, error) {
	if one.Embedded.Properties != nil {
		return one, nil
	}
	got, err := c.customer(ctx, one.id())
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil, nil
	}
	return got, err
}

// state puts a customer into our words. Without an update all names in the
// list are segments.
func (c *Connector) state(one *customer, u *connectors.Update) *connectors.State {
	s := &connectors.State{Stage: one.property(c.stage)}
	held := split(one.property(c.segments))
	slices.Sort(held)
	if u == nil {
		s.Segments = held
		return s
	}
	for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
		if holds(held, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	for slug := range c.cfg.Push.Traits {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[slug] = one.trait(slug)
	}
	return s
}

// trait gives a property's value as a trait holds it; nil where there is none.
func (c *customer) trait(slug string) any {
	written := c.property(slug)
	if written == "" {
		return nil
	}
	i := slices.IndexFunc(*c.Embedded.Properties, func(v value) bool { return v.Slug == slug })
	if (*c.Embedded.Properties)[i].Type != "number" {
		return written
	}
	if n, err := strconv.ParseInt(written, 10, 64); err == nil {
		return n
	}
	if x, err := strconv.ParseFloat(written, 64); err == nil {
		return x
	}
	return written
}

// List implements connectors.Lister; the cursor is the number of the page.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	number := 1
	if n, err := strconv.Atoi(cursor); err == nil && n > 1 {
		number = n
	}
	got, err := c.listed(ctx, number)
	if err != nil {
		return nil, err
	}
	all := got.Embedded.Customers
	whole := make([]*customer, len(all))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range all {
		group.Go(func() (err error) {
			whole[i], err = c.whole(reading, &all[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, one := range whole {
		if one != nil {
			listed.People = append(listed.People, connectors.Listing{VendorID: one.id(), Email: one.email(), State: *c.state(one, nil)})
		}
	}
	if len(all) > 0 && number < got.Page.Total {
		listed.Cursor = strconv.Itoa(number + 1)
	}
	return listed, nil
}
