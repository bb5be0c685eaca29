package surveymonkey

import (
	"context"
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

// listPage is the most contacts of a page.
const listPage = 1000

// Check implements connectors.Checker. It names the account and the scopes
// that the connection would want and the token lacks.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var me struct {
		Username string `json:"username"`
		Scopes   struct {
			Granted []string `json:"granted"`
		} `json:"scopes"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/users/me", nil, &me); err != nil {
		return "", err
	}
	wanted := []string{"responses_read", "responses_read_detail", "surveys_read", "webhooks_read", "webhooks_write"}
	if c.cfg.Push.Enabled {
		wanted = append(wanted, "contacts_read", "contacts_write")
	}
	words := "SurveyMonkey account " + strconv.Quote(connectors.Words(me.Username, c.api.secrets...))
	lacking := slices.DeleteFunc(wanted, func(s string) bool { return slices.Contains(me.Scopes.Granted, s) })
	if len(me.Scopes.Granted) > 0 && len(lacking) > 0 {
		words += "; the app lacks the scopes " + strings.Join(lacking, ", ")
	}
	return words, nil
}

// findContact gives a contact by id or, where that is not known or gone, by
// address; nil where there is none. A search shows one status at a time.
func (c *Connector) findContact(ctx context.Context, id, email string) (*contact, error) {
	if numberForm.MatchString(id) {
		held, err := c.readContact(ctx, id)
		if held != nil || err != nil {
			return held, err
		}
	}
	if email == "" {
		return nil, nil
	}
	for _, status := range []string{"active", "optout", "bounced"} {
		var answer struct {
			Data []contact `json:"data"`
		}
		query := url.Values{"search_by": {"email"}, "search": {email}, "status": {status}, "per_page": {"100"}}
		if err := c.api.call(ctx, "find a contact", http.MethodGet, "/contacts?"+query.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		if found, ok := find(answer.Data, email); ok && numberForm.MatchString(string(found.ID)) {
			return c.readContact(ctx, string(found.ID))
		}
	}
	return nil, nil
}

func (c *Connector) readContact(ctx context.Context, id string) (*contact, error) {
	var held contact
	err := c.api.call(ctx, "read a contact", http.MethodGet, "/contacts/"+id, nil, &held)
	switch {
	case connectors.ReasonOf(err) == connectors.ReasonNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	held.ID = text(id)
	return &held, nil
}

// Read implements connectors.Reader, with one to four requests a person.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	states := make([]*connectors.State, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for i := range people {
		group.Go(func() error {
			held, err := c.findContact(ctx, people[i].VendorID, normalEmail(people[i].Email))
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
	s := &connectors.State{Stage: string(held.Custom[c.stageField])}
	segments := segmentsIn(string(held.Custom[c.segmentField]))
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
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Push.Traits)) {
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		switch name {
		case "first_name":
			s.Traits[name] = held.FirstName
		case "last_name":
			s.Traits[name] = held.LastName
		default:
			s.Traits[name] = string(held.Custom[name])
		}
	}
	return s
}

// List implements connectors.Lister over the contacts that can be written to;
// the cursor is the page's number.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	n := 1
	if cursor != "" {
		var err error
		if n, err = strconv.Atoi(cursor); err != nil || n < 1 {
			return nil, &connectors.PushError{Act: "surveymonkey: list contacts", Reason: connectors.ReasonInvalid, Message: "the cursor is no page"}
		}
	}
	var answer struct {
		Data  []contact `json:"data"`
		Links struct {
			Next string `json:"next"`
		} `json:"links"`
	}
	path := fmt.Sprintf("/contacts/bulk?per_page=%d&page=%d", listPage, n)
	if err := c.api.call(ctx, "list contacts", http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	listed := &connectors.Listed{}
	for _, k := range answer.Data {
		if k.ID != "" {
			listed.People = append(listed.People, connectors.Listing{VendorID: string(k.ID), Email: normalEmail(k.Email), State: *c.state(&k, nil)})
		}
	}
	if answer.Links.Next != "" && len(answer.Data) > 0 {
		listed.Cursor = strconv.Itoa(n + 1)
	}
	return listed, nil
}

// Erase implements connectors.Eraser: it deletes the person's contacts, by id
// and by each address. Answers to surveys stay; they are the survey's owner's
// to delete, as the guide says.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	emails := []string{normalEmail(who.Email)}
	for _, k := range who.Keys {
		if k.Namespace == "email" {
			emails = append(emails, normalEmail(k.Value))
		}
	}
	slices.Sort(emails)
	var gone []string
	remove := func(id, email string) error {
		held, err := c.findContact(ctx, id, email)
		if held == nil || err != nil {
			return err
		}
		err = c.api.call(ctx, "delete a contact", http.MethodDelete, "/contacts/"+string(held.ID), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
		gone = append(gone, string(held.ID))
		return nil
	}
	if err := remove(who.VendorID, ""); err != nil {
		return nil, err
	}
	for _, email := range slices.Compact(emails) {
		if err := remove("", email); err != nil {
			return nil, err
		}
	}
	if len(gone) == 0 {
		return &connectors.Erased{Outcome: connectors.OK, Message: "the account has no such contact", Proof: "no contact found"}, nil
	}
	return &connectors.Erased{Outcome: connectors.OK, Proof: "deleted contact " + strings.Join(gone, ", ")}, nil
}
