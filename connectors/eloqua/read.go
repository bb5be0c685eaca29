package eloqua

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Check implements connectors.Checker: it signs in and makes one call on the
// pod.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var user struct {
		Login string `json:"loginName"`
		Name  string `json:"name"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/api/REST/2.0/system/user/current?depth=minimal", nil, &user); err != nil {
		return "", err
	}
	return fmt.Sprintf("Eloqua takes the credentials of %s at %s", short(cmp.Or(user.Name, user.Login, c.api.user)), short(c.api.company)), nil
}

// Read implements connectors.Reader, with a request or two a person.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	if err := c.knowFields(ctx); err != nil {
		return nil, err
	}
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

// knowFields reads the contact fields unless they are known.
func (c *Connector) knowFields(ctx context.Context) error {
	names := append([]string{c.stageField}, slices.Sorted(maps.Keys(c.cfg.Push.Traits))...)
	_, err := c.fields.ensure(ctx, names, "")
	return err
}

func (c *Connector) readOne(ctx context.Context, u *connectors.Update) (*connectors.State, error) {
	held, err := c.readContact(ctx, u)
	if err != nil || held == nil {
		return nil, err
	}
	state := c.state(held)
	managed := slices.Sorted(slices.Values(slices.Concat(u.Want.Segments, u.Want.Absent)))
	if len(managed) == 0 {
		return state, nil
	}
	on, err := c.listsOf(ctx, held.ID)
	if err != nil {
		return nil, err
	}
	for _, name := range managed {
		if slices.Contains(on, c.listPrefix+name) {
			state.Segments = append(state.Segments, name)
		} else {
			state.Absent = append(state.Absent, name)
		}
	}
	return state, nil
}

// readContact gives a person's contact with its fields; nil where there is
// none, by number or by address.
func (c *Connector) readContact(ctx context.Context, u *connectors.Update) (*contact, error) {
	if idForm.MatchString(u.VendorID) {
		held := &contact{}
		err := c.api.call(ctx, "read a contact", http.MethodGet, rest+"/data/contact/"+u.VendorID+"?depth=complete", nil, held)
		if !hasReason(err, connectors.ReasonNotFound) {
			return held, err
		}
	}
	email := strings.TrimSpace(u.Email)
	if !strings.Contains(email, "@") || strings.ContainsAny(email, " *\"\\") {
		return nil, nil
	}
	return c.findByEmail(ctx, email, "complete")
}

// state puts a contact's fields into our words.
func (c *Connector) state(held *contact) *connectors.State {
	values := map[string]string{}
	for _, v := range held.Values {
		values[v.ID] = v.Value
	}
	s := &connectors.State{}
	if number := c.fields.number(c.stageField); number != "" {
		s.Stage = values[number]
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		number := c.fields.number(name)
		if number == "" {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = values[number]
	}
	return s
}

// listsOf names the lists that a contact is on. The reference leaves open
// whether they come bare, as one, or as elements.
func (c *Connector) listsOf(ctx context.Context, id string) ([]string, error) {
	type named struct {
		Name string `json:"name"`
	}
	var raw json.RawMessage
	if err := c.api.call(ctx, "read a contact's lists", http.MethodGet, "/api/REST/2.0/data/contact/"+id+"/membership", nil, &raw); err != nil {
		return nil, err
	}
	var many []named
	var paged elements[named]
	var one named
	switch {
	case len(raw) == 0, json.Unmarshal(raw, &many) == nil:
	case json.Unmarshal(raw, &paged) == nil && paged.Elements != nil:
		many = paged.Elements
	case json.Unmarshal(raw, &one) == nil && one.Name != "":
		many = []named{one}
	}
	var names []string
	for _, l := range many {
		names = append(names, l.Name)
	}
	return names, nil
}

// listCount is how many contacts a page of List has.
const listCount = 200

// List implements connectors.Lister; the cursor is the number of a page.
func (c *Connector) List(ctx context.Context, at string) (*connectors.Listed, error) {
	number := 1
	if at != "" {
		n, err := strconv.Atoi(at)
		if err != nil || n < 1 {
			return nil, &connectors.PushError{Act: "eloqua: list contacts", Reason: connectors.ReasonInvalid, Message: "the cursor is no page"}
		}
		number = n
	}
	if err := c.knowFields(ctx); err != nil {
		return nil, err
	}
	var got elements[contact]
	path := rest + "/data/contacts?" + query("depth", "complete", "count", strconv.Itoa(listCount), "page", strconv.Itoa(number), "orderBy", "id ASC")
	if err := c.api.call(ctx, "list contacts", http.MethodGet, path, nil, &got); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for i := range got.Elements {
		held := &got.Elements[i]
		listed.People = append(listed.People, connectors.Listing{VendorID: held.ID, Email: held.Email, State: *c.state(held)})
	}
	if len(got.Elements) > 0 && number*listCount < got.Total {
		listed.Cursor = strconv.Itoa(number + 1)
	}
	return listed, nil
}
