package sendgrid

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxLookup is how many contacts one look-up names.
const maxLookup = 100

// wanted is how a contact may be found: by its id, then by address.
type wanted struct{ id, email string }

// find looks contacts up, in the order of people; nil is one who is not there.
// The id comes first, so that a changed address leads to the same contact.
func (c *Connector) find(ctx context.Context, people []wanted) ([]*contact, error) {
	found := make([]*contact, len(people))
	var ids, emails []string
	for _, p := range people {
		if idForm.MatchString(p.id) {
			ids = append(ids, p.id)
		}
	}
	byID, err := c.byID(ctx, unique(ids))
	if err != nil {
		return nil, err
	}
	for i, p := range people {
		if found[i] = byID[strings.ToLower(p.id)]; found[i] == nil && p.email != "" {
			emails = append(emails, p.email)
		}
	}
	byEmail, err := c.byEmail(ctx, unique(emails))
	if err != nil {
		return nil, err
	}
	for i, p := range people {
		if found[i] == nil && p.email != "" {
			found[i] = byEmail[p.email]
		}
	}
	return found, nil
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *Connector) byID(ctx context.Context, ids []string) (map[string]*contact, error) {
	found := map[string]*contact{}
	for some := range slices.Chunk(ids, maxLookup) {
		var answer struct {
			Result []*contact `json:"result"`
		}
		err := c.api.call(ctx, "find contacts by id", http.MethodPost, "/v3/marketing/contacts/batch", map[string][]string{"ids": some}, &answer)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			return nil, err
		}
		for _, one := range answer.Result {
			if one != nil && one.ID != "" {
				found[strings.ToLower(one.ID)] = one
			}
		}
	}
	return found, nil
}

// byEmail finds contacts by their first or another address. 404 is the answer
// when none of them is there.
func (c *Connector) byEmail(ctx context.Context, emails []string) (map[string]*contact, error) {
	found := map[string]*contact{}
	for some := range slices.Chunk(emails, maxLookup) {
		var answer searchAnswer
		err := c.api.call(ctx, "find contacts by address", http.MethodPost, "/v3/marketing/contacts/search/emails", map[string][]string{"emails": some}, &answer)
		switch {
		case connectors.ReasonOf(err) == connectors.ReasonNotFound:
			continue
		case err != nil:
			return nil, err
		}
		for email, one := range answer.Result {
			if one.Contact != nil && one.Contact.ID != "" {
				found[strings.ToLower(email)] = one.Contact
			}
		}
	}
	return found, nil
}

// Read implements connectors.Reader. Segments are those of the update's
// managed set.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	asked := make([]wanted, len(people))
	for i, u := range people {
		asked[i] = wanted{id: u.VendorID, email: strings.ToLower(strings.TrimSpace(u.Email))}
	}
	found, err := c.find(ctx, asked)
	if err != nil {
		return nil, err
	}
	names, err := c.fields.names(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i, one := range found {
		if one != nil {
			states[i] = c.state(one, people[i].Want, names)
		}
	}
	return states, nil
}

// state puts a contact into our words. Custom fields come by name; should they
// come by id, as they are written, names says which they are.
func (c *Connector) state(one *contact, want connectors.State, names map[string]string) *connectors.State {
	values := map[string]any{}
	for name, value := range one.CustomFields {
		name = cmp.Or(names[name], name)
		values[strings.ToLower(name)] = value
	}
	s := &connectors.State{Stage: textOf(values[strings.ToLower(c.stage)])}
	held := textOf(values[strings.ToLower(c.segments)])
	for _, name := range unique(slices.Concat(want.Segments, want.Absent)) {
		if strings.Contains(held, ","+name+",") {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	own := one.own()
	for name := range c.cfg.Push.Traits {
		value, ok := values[strings.ToLower(name)]
		if ownField(name) {
			value, ok = own[name], own[name] != nil
		}
		if !ok {
			continue
		}
		if s.Traits == nil {
			s.Traits = map[string]any{}
		}
		s.Traits[name] = textOf(value)
	}
	return s
}
