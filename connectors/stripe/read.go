package stripe

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it reads the account's name. A
// restricted key may lack that permission; then a look at one customer shows
// that the one it needs is there.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var account struct {
		ID       string `json:"id"`
		Business struct {
			Name string `json:"name"`
		} `json:"business_profile"`
		Settings struct {
			Dashboard struct {
				Name string `json:"display_name"`
			} `json:"dashboard"`
		} `json:"settings"`
	}
	_, err := c.api.do(ctx, call{act: "test the connection", method: http.MethodGet, path: "/v1/account"}, &account)
	if err == nil {
		return "Stripe account " + cmp.Or(account.Settings.Dashboard.Name, account.Business.Name, account.ID) + c.modeWords(), nil
	}
	if connectors.AsPushError(err).Reason != connectors.ReasonForbidden {
		return "", err
	}
	if _, err := c.page(ctx, "test the connection", url.Values{"limit": {"1"}}); err != nil {
		return "", err
	}
	return "Stripe takes the restricted key and shows customers" + c.modeWords(), nil
}

func (c *Connector) modeWords() string {
	if c.mode == modeAny {
		return ""
	}
	return ", " + c.mode + " mode"
}

// Read implements connectors.Reader, one request a person, or two where the
// address has to be looked up.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range people {
		group.Go(func() error {
			cust, err := c.find(ctx, &people[i])
			if cust != nil {
				state := c.state(cust, &people[i])
				states[i] = &state
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return states, nil
}

// List implements connectors.Lister, newest customers first; the cursor is the
// last customer of a page.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("starting_after", cursor)
	}
	page, err := c.page(ctx, "list customers", query)
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for i := range page.Data {
		cust := &page.Data[i]
		listed.People = append(listed.People, connectors.Listing{VendorID: cust.ID, Email: cust.Email, State: c.state(cust, nil)})
	}
	if page.HasMore && len(page.Data) > 0 {
		listed.Cursor = page.Data[len(page.Data)-1].ID
	}
	return listed, nil
}

// state puts a customer's metadata into our words. For an update the segments
// are those of its managed set; without one, all that the customer lists.
func (c *Connector) state(cust *customer, u *connectors.Update) connectors.State {
	s := connectors.State{Stage: cust.Metadata[c.stageKey]}
	held := segmentsIn(cust.Metadata[c.segmentsKey])
	slices.Sort(held)
	if u == nil {
		s.Segments = held
	} else {
		for _, name := range slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent))) {
			if slices.Contains(held, name) {
				s.Segments = append(s.Segments, name)
			} else {
				s.Absent = append(s.Absent, name)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if value, ok := cust.Metadata[key]; ok {
			if s.Traits == nil {
				s.Traits = map[string]any{}
			}
			s.Traits[key] = value
		}
	}
	return s
}
