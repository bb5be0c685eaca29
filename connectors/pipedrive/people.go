package pipedrive

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// idsPerCall is how many persons one call may name (Persons API, ids).
const idsPerCall = 100

// people reads persons by their ids, with the given custom fields (nil: all of
// them); whoever is not there is missing in the answer. Values of ids that are
// no numbers are passed over.
func (c *Connector) people(ctx context.Context, ids, codes []string) (map[string]*person, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !numberForm.MatchString(id) })
	slices.Sort(ids)
	ids = slices.Compact(ids)
	byID := make(map[string]*person, len(ids))
	for some := range slices.Chunk(ids, idsPerCall) {
		query := url.Values{"ids": {strings.Join(some, ",")}, "limit": {strconv.Itoa(idsPerCall)}}
		if len(codes) > 0 {
			query.Set("custom_fields", strings.Join(codes, ","))
		}
		var all []person
		if _, err := c.api.call(ctx, "read persons", http.MethodGet, v2+"/persons?"+query.Encode(), nil, &all); err != nil {
			return nil, err
		}
		for i := range all {
			byID[all[i].id()] = &all[i]
		}
	}
	return byID, nil
}

// search finds the persons with an e-mail address, the oldest first; Pipedrive
// lets several have the same. Whom the answer names without an address is looked
// at first, since nobody else is to be written to or deleted.
func (c *Connector) search(ctx context.Context, email string) ([]string, error) {
	query := url.Values{"term": {email}, "fields": {"email"}, "exact_match": {"true"}, "limit": {"50"}}
	var answer found
	if _, err := c.api.call(ctx, "find a person by address", http.MethodGet, v2+"/persons/search?"+query.Encode(), nil, &answer); err != nil {
		return nil, err
	}
	has := func(e string) bool { return strings.EqualFold(strings.TrimSpace(e), email) }
	var ids []int64
	var bare []string
	for _, one := range answer.Items {
		switch {
		case one.Item.ID <= 0:
		case slices.ContainsFunc(one.Item.Emails, has):
			ids = append(ids, one.Item.ID)
		case len(one.Item.Emails) == 0:
			bare = append(bare, strconv.FormatInt(one.Item.ID, 10))
		}
	}
	if len(bare) > 0 {
		people, err := c.people(ctx, bare, nil)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if slices.ContainsFunc(p.Emails, func(a address) bool { return has(a.Value) }) {
				ids = append(ids, p.ID)
			}
		}
	}
	slices.Sort(ids)
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = strconv.FormatInt(id, 10)
	}
	return all, nil
}
