package marketo

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of one lookup of people ("Leads" of the developer pages, read
// 2026-11: 300 values; a URL holds 8 KB).
const (
	maxFilterValues = 300
	maxFilterBytes  = 5000
	// maxFilterPages bounds an answer that goes on and on: many people may
	// share an address.
	maxFilterPages = 10
)

// usualFields are read of every person whom an activity names.
var usualFields = []string{
	"id", "email", "firstName", "lastName", "company", "title", "phone", "country",
	"leadScore", "leadSource", "unsubscribed", "createdAt", "updatedAt",
}

// Enrich implements connectors.Enricher: the people of many activities are
// read with one call for each 300.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	ids := make([]string, len(lookups))
	var wanted []string
	for i, l := range lookups {
		var a activity
		if json.Unmarshal(l.Body, &a) == nil && a.Lead != 0 {
			ids[i] = strconv.FormatInt(a.Lead, 10)
			if !slices.Contains(wanted, ids[i]) {
				wanted = append(wanted, ids[i])
			}
		}
	}
	fields, err := c.fields.have(ctx, append(slices.Clone(usualFields), c.readFields...))
	if err != nil {
		return nil, err
	}
	people, err := c.findLeads(ctx, "id", wanted, fields)
	if err != nil {
		return nil, err
	}
	byID := map[string]map[string]any{}
	for _, p := range people {
		byID[leadID(p)] = p
	}
	records := make([]connectors.Record, len(lookups))
	for i, id := range ids {
		if p := byID[id]; p != nil && id != "" {
			records[i] = asRecord(p)
		}
	}
	return records, nil
}

// asRecord makes a person what rules see: flat, and its own only contact. What
// the person lacks is left out, since it says nothing against what other
// systems know.
func asRecord(person map[string]any) connectors.Record {
	flat := map[string]any{}
	for name, value := range person {
		if value != nil && value != "" {
			flat[name] = value
		}
	}
	all := map[string]any{"contacts": []any{flat}}
	for name, value := range flat {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return connectors.Record{Err: &connectors.PushError{Act: "marketo: read people", Reason: connectors.ReasonBadAnswer, Message: "the record cannot be kept"}}
	}
	updated, _ := person["updatedAt"].(string)
	return connectors.Record{JSON: text, ModifiedAt: activityTime(updated)}
}

// leadID gives a person's number as text, or "".
func leadID(person map[string]any) string {
	switch id := person["id"].(type) {
	case json.Number:
		return id.String()
	case string:
		return id
	}
	return ""
}

// findLeads reads the people whose field has one of the values; several people
// may have the same. Order is by number.
func (c *Connector) findLeads(ctx context.Context, by string, values, fields []string) ([]map[string]any, error) {
	var all []map[string]any
	for len(values) > 0 {
		n := filterSize(values)
		people, err := c.readLeads(ctx, url.Values{
			"filterType": {by}, "filterValues": {strings.Join(values[:n], ",")}, "fields": {strings.Join(fields, ",")},
		})
		if err != nil {
			return nil, err
		}
		all, values = append(all, people...), values[n:]
	}
	slices.SortStableFunc(all, func(a, b map[string]any) int {
		x, y := leadID(a), leadID(b)
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
	return all, nil
}

// filterSize is how many of the values fit one call.
func filterSize(values []string) int {
	bytes, n := 0, 0
	for n < min(len(values), maxFilterValues) {
		if bytes += 3 + len(url.QueryEscape(values[n])); bytes > maxFilterBytes && n > 0 {
			break
		}
		n++
	}
	return n
}

func (c *Connector) readLeads(ctx context.Context, query url.Values) ([]map[string]any, error) {
	var all []map[string]any
	for range maxFilterPages {
		raw, env, err := list[json.RawMessage](ctx, c.api, "read people", http.MethodGet, "/rest/v1/leads.json?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		for _, text := range raw {
			var person map[string]any
			d := json.NewDecoder(strings.NewReader(string(text)))
			d.UseNumber()
			if d.Decode(&person) == nil && person != nil {
				all = append(all, person)
			}
		}
		if env.Next == "" {
			break
		}
		query.Set("nextPageToken", env.Next)
	}
	return all, nil
}
