package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const objectOpportunity = "Opportunity"

// opportunityFields are what a record holds beside its people. The currency is
// not among them: the field exists only in organizations with several.
var opportunityFields = []string{"Name", "StageName", "IsClosed", "IsWon", "Amount"}

// Enrich implements connectors.Enricher: it reads opportunities with their
// contact roles, which an outbound message cannot carry.
func (c *Connector) Enrich(ctx context.Context, lookups []connectors.Lookup) ([]connectors.Record, error) {
	if err := c.mayAsk("read opportunities"); err != nil {
		return nil, err
	}
	records := make([]connectors.Record, len(lookups))
	byID := map[string][]int{}
	var ids []string
	for i, l := range lookups {
		id := recordID(l.Body)
		if !isID(id, "006") {
			records[i].Err = &connectors.PushError{Act: "salesforce: read an opportunity", Reason: connectors.ReasonInvalid, Message: "the event has no Id of an opportunity"}
			continue
		}
		if id = id18(id); byID[id] == nil {
			ids = append(ids, id)
		}
		byID[id] = append(byID[id], i)
	}
	for chunk := range slices.Chunk(ids, queryValues) {
		soql := "SELECT Id,Name,StageName,IsClosed,IsWon,Amount,LastModifiedDate," +
			"(SELECT ContactId,Contact.Email,IsPrimary FROM OpportunityContactRoles ORDER BY IsPrimary DESC,CreatedDate ASC)" +
			" FROM Opportunity WHERE Id IN " + quotedList(chunk)
		rows, err := c.query(ctx, "read opportunities", soql)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			for _, i := range byID[id18(text(row["Id"]))] {
				records[i] = c.opportunity(row)
			}
		}
	}
	return records, nil
}

// opportunity makes a flat record of one, with the people it concerns.
func (c *Connector) opportunity(row map[string]any) connectors.Record {
	flat := map[string]any{"id": id18(text(row["Id"])), "contacts": c.dealPeople(row)}
	for _, name := range opportunityFields {
		flat[name] = row[name]
	}
	if c.currency != "" {
		flat["currency"] = c.currency
	}
	b, err := json.Marshal(flat)
	if err != nil {
		return connectors.Record{Err: &connectors.PushError{Act: "salesforce: read an opportunity", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the record cannot be written as JSON"}}
	}
	return connectors.Record{JSON: b, ModifiedAt: recordTime(row["LastModifiedDate"])}
}

// dealPeople lists the contacts of an opportunity: the primary one, where none
// is marked so the one added first, or all of them by the setting. The query
// has put them in that order.
func (c *Connector) dealPeople(row map[string]any) []map[string]any {
	people := []map[string]any{}
	roles, _ := row["OpportunityContactRoles"].(map[string]any)
	list, _ := roles["records"].([]any)
	for _, one := range list {
		role, _ := one.(map[string]any)
		contact, _ := role["Contact"].(map[string]any)
		if id := text(role["ContactId"]); isID(id, "003") {
			people = append(people, map[string]any{"id": id18(id), "email": contact["Email"]})
		}
	}
	if c.onlyPrimary && len(people) > 1 {
		people = people[:1]
	}
	return people
}

// recordID finds the Id of the record in a raw event of either form.
func recordID(body []byte) string {
	if !isXML(body) {
		var f struct {
			SObject struct{ ID string } `json:"sObject"`
		}
		if json.Unmarshal(body, &f) != nil {
			return ""
		}
		return f.SObject.ID
	}
	x := &xmlReader{d: xml.NewDecoder(bytes.NewReader(body)), body: body}
	found := ""
	for {
		token, err := x.next()
		if err != nil {
			return ""
		}
		if _, ok := token.(xml.StartElement); ok {
			break
		}
	}
	errFound := errors.New("found")
	err := x.each(func(start xml.StartElement) error {
		if start.Name.Local != "Id" {
			return x.skip()
		}
		value, err := x.text()
		if err != nil {
			return err
		}
		found = value
		return errFound
	})
	if !errors.Is(err, errFound) {
		return ""
	}
	return found
}

// text gives a value of an answer as text; empty for what is none.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// recordTime reads a time of the REST API: 2026-11-20T09:14:05.000+0000.
func recordTime(v any) lifecycle.Instant { return instant(text(v)) }
