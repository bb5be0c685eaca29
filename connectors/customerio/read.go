package customerio

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxLookup is how many people one look-up names.
const maxLookup = 100

// find looks people up, each by the first of their identifiers that is found,
// in the order of ids; nil is one who is not there.
func (c *Connector) find(ctx context.Context, ids [][]identifier) ([]*person, error) {
	people := make([]*person, len(ids))
	for round := 0; ; round++ {
		waiting := map[string][]int{} // by kind
		for i, all := range ids {
			if people[i] == nil && round < len(all) {
				waiting[all[round].kind] = append(waiting[all[round].kind], i)
			}
		}
		if len(waiting) == 0 {
			return people, nil
		}
		for _, kind := range []string{kindCIO, kindEmail, kindID} {
			for some := range slices.Chunk(waiting[kind], maxLookup) {
				values := make([]string, len(some))
				for n, i := range some {
					values[n] = ids[i][round].value
				}
				found, err := c.ask(ctx, kind, values)
				if err != nil {
					return nil, err
				}
				for n, i := range some {
					people[i] = found[fold(kind, values[n])]
				}
			}
		}
	}
}

// ask makes one look-up of people by one kind of identifier.
func (c *Connector) ask(ctx context.Context, kind string, values []string) (map[string]*person, error) {
	var answer peopleAnswer
	err := c.app.call(ctx, "look people up", http.MethodPost, "/v1/customers/attributes?id_type="+kind, map[string][]string{"ids": values}, &answer)
	if err != nil {
		return nil, err
	}
	found := map[string]*person{}
	for i := range answer.Customers {
		p := &answer.Customers[i].Customer
		p.complete()
		value := map[string]string{kindCIO: p.Identifiers.CIO, kindEmail: p.Identifiers.Email, kindID: p.Identifiers.ID}[kind]
		if value != "" {
			found[fold(kind, value)] = p
		}
	}
	return found, nil
}

// complete fills in identifiers from the attributes, where they stand too.
func (p *person) complete() {
	fill := func(to *string, name string) {
		if *to == "" {
			*to = textOf(p.Attributes[name])
		}
	}
	fill(&p.Identifiers.CIO, kindCIO)
	fill(&p.Identifiers.Email, kindEmail)
	fill(&p.Identifiers.ID, kindID)
	if p.Identifiers.ID == "" {
		p.Identifiers.ID = p.ID
	}
}

// fold spells an identifier as Customer.io compares it: addresses regardless of case.
func fold(kind, value string) string {
	if kind == kindEmail {
		return strings.ToLower(value)
	}
	return value
}

// Read implements connectors.Reader, a hundred people a request. Segments are
// those of the update's managed set.
func (c *Connector) Read(ctx context.Context, people []connectors.Update) ([]*connectors.State, error) {
	ids := make([][]identifier, len(people))
	for i := range people {
		ids[i] = c.identifiersOf(&people[i])
	}
	found, err := c.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	states := make([]*connectors.State, len(people))
	for i, p := range found {
		if p == nil {
			continue
		}
		want := people[i].Want
		names := slices.Sorted(slices.Values(slices.Concat(want.Segments, want.Absent)))
		state := c.state(p, slices.Compact(names))
		states[i] = &state
	}
	return states, nil
}

// searchAnswer is a page of POST /v1/customers.
type searchAnswer struct {
	Identifiers []identifiers `json:"identifiers"`
	Next        string        `json:"next"`
}

// everybody is a filter that everyone with an address or an id passes.
func everybody() map[string]any {
	has := func(field string) map[string]any {
		return map[string]any{"attribute": map[string]string{"field": field, "operator": "exists"}}
	}
	return map[string]any{"filter": map[string]any{"or": []any{has(kindEmail), has(kindID)}}}
}

// List implements connectors.Lister, a hundred people a page: one request for
// who they are and one for what is held about them.
func (c *Connector) List(ctx context.Context, cursor string) (*connectors.Listed, error) {
	path := "/v1/customers?limit=100"
	if cursor != "" {
		path += "&start=" + url.QueryEscape(cursor)
	}
	var page searchAnswer
	if err := c.app.call(ctx, "list people", http.MethodPost, path, everybody(), &page); err != nil {
		return nil, err
	}
	ids := make([][]identifier, len(page.Identifiers))
	for i, p := range page.Identifiers {
		switch {
		case p.CIO != "":
			ids[i] = []identifier{{kindCIO, p.CIO}}
		case p.ID != "":
			ids[i] = []identifier{{kindID, p.ID}}
		}
	}
	people, err := c.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	listed := &connectors.Listed{Cursor: page.Next}
	for i, p := range page.Identifiers {
		one := connectors.Listing{VendorID: p.CIO, Email: strings.ToLower(p.Email)}
		if people[i] != nil {
			one.State = c.state(people[i], c.segmentsOf(people[i]))
			if one.Email == "" {
				one.Email = strings.ToLower(people[i].Identifiers.Email)
			}
		}
		listed.People = append(listed.People, one)
	}
	return listed, nil
}

// segmentsOf names the segments of which a person has an attribute, sorted.
func (c *Connector) segmentsOf(p *person) []string {
	var names []string
	for attribute := range p.Attributes {
		if name, ours := strings.CutPrefix(attribute, c.prefix); ours && name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
