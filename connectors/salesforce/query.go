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
	// queryIDs and queryEmails bound the values of one IN, so that the query
	// fits the 16,384 bytes of a URL and its headers (REST API Developer Guide,
	// "Query").
	queryIDs    = 200
	queryEmails = 50
	// maxQueryPages bounds how many pages of up to 2,000 records are followed.
	maxQueryPages = 20
)

// query runs a query and follows its pages. It gives the records as decoded
// JSON; numbers are json.Number.
func (c *Connector) query(ctx context.Context, act, soql string) ([]map[string]any, error) {
	path := c.root + "/query?q=" + url.QueryEscape(soql)
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
			most   int
		}{{"Id", ids, queryIDs}, {"Email", w.emails, queryEmails}, {c.external, w.externals, queryIDs}} {
			for chunk := range slices.Chunk(clause.values, clause.most) {
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
