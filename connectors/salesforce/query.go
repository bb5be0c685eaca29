package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// queryValues and queryBytes bound the values of one IN, in number and as
	// they are written into the address: a URL and its headers have 16,384 bytes
	// (REST API Developer Guide, "Query").
	queryValues = 200
	queryBytes  = 12_000
	// maxQueryPages bounds how many pages of up to 2,000 records are followed.
	maxQueryPages = 20
)

// query runs a query and follows its pages. It gives the records as decoded
// JSON; numbers are json.Number.
func (c *Connector) query(ctx context.Context, act, soql string) ([]map[string]any, error) {
	return c.queryAt(ctx, act, "/query", soql)
}

// queryAt is query at /query or at /queryAll, which sees deleted records.
func (c *Connector) queryAt(ctx context.Context, act, at, soql string) ([]map[string]any, error) {
	path := c.root + at + "?q=" + url.QueryEscape(soql)
	var all []map[string]any
	for range maxQueryPages {
		var page queryAnswer
		if err := c.call(ctx, act, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		if page.Records == nil {
			return nil, &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer to a query holds no records"}
		}
		all = append(all, page.Records...)
		if page.Done || page.Next == "" {
			return all, nil
		}
		if !strings.HasPrefix(page.Next, "/services/data/") {
			return nil, &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the next page of a query is not a path of the API"}
		}
		path = page.Next
	}
	return nil, &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonTooLarge, Message: fmt.Sprintf("more than %d pages of records match", maxQueryPages)}
}

// wanted are the people to look for in one go.
type wanted struct {
	ids, emails, externals []string
}

// found holds records by what they were looked for with. Of several with one
// address a contact goes before a lead and, among its like, the record that was
// changed last before the others.
type found struct {
	byID, byEmail, byExternal map[string]map[string]any
}

// find looks people up among contacts and leads; a converted lead is read-only
// and counts as gone, since its contact stands for it.
func (c *Connector) find(ctx context.Context, w wanted, fields ...string) (*found, error) {
	f := &found{map[string]map[string]any{}, map[string]map[string]any{}, map[string]map[string]any{}}
	for _, object := range c.objects {
		var ids []string
		for _, id := range w.ids {
			if objectOf(id) == object {
				ids = append(ids, id)
			}
		}
		for _, clause := range []struct {
			field  string
			values []string
		}{{"Id", ids}, {"Email", w.emails}, {c.external, w.externals}} {
			for _, chunk := range chunks(clause.values) {
				rows, err := c.query(ctx, "find people", c.selects(object, fields, clause.field, chunk))
				if err != nil {
					return nil, err
				}
				f.add(c.external, rows)
			}
		}
	}
	return f, nil
}

// chunks cuts values into parts that fit a query each. One request finds as
// many people as it can: requests are counted for the whole organization.
func chunks(values []string) [][]string {
	var all [][]string
	bytes := 0
	for _, v := range values {
		size := len(url.QueryEscape(quoted(v))) + len("%2C")
		if n := len(all); n == 0 || len(all[n-1]) == queryValues || bytes+size > queryBytes {
			all, bytes = append(all, nil), 0
		}
		all[len(all)-1] = append(all[len(all)-1], v)
		bytes += size
	}
	return all
}

func (c *Connector) selects(object string, fields []string, field string, values []string) string {
	names := []string{"Id", "Email"}
	if field == c.external {
		names = append(names, c.external)
	}
	for _, name := range fields {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	soql := "SELECT " + strings.Join(names, ",") + " FROM " + object + " WHERE " + field + " IN " + quotedList(values)
	if object == objectLead {
		soql += " AND IsConverted=false"
	}
	return soql + " ORDER BY LastModifiedDate DESC"
}

// add keeps the first record for each key.
func (f *found) add(external string, rows []map[string]any) {
	keep := func(into map[string]map[string]any, key string, row map[string]any) {
		if _, there := into[key]; !there && key != "" {
			into[key] = row
		}
	}
	for _, row := range rows {
		id := text(row["Id"])
		if objectOf(id) == "" {
			continue
		}
		keep(f.byID, id18(id), row)
		keep(f.byEmail, foldEmail(text(row["Email"])), row)
		keep(f.byExternal, text(row[external]), row)
	}
}
