package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// deletedInterval is the pause between looks into the recycle bin: two
	// requests each, of those that the whole organization shares.
	deletedInterval = 15 * time.Minute
	// deletedOverlap is how far a look reaches back behind the last record seen.
	deletedOverlap = time.Minute
	// deletedPage is how many deleted records one Fetch reads of an object.
	deletedPage = 10_000
	// soqlTime is how SOQL writes a time.
	soqlTime = "2006-01-02T15:04:05Z"
)

// deletedCursor is where looking for deleted records stands.
type deletedCursor struct {
	// Since holds, by object, the time of the newest one seen.
	Since map[string]time.Time `json:"since"`
}

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return deletedInterval }

// Fetch implements connectors.Poller. No outbound message tells of a record
// that was deleted or merged into another, so the recycle bin is looked at
// (REST API Developer Guide, "QueryAll"; Object Reference, MasterRecordId).
// Without credentials, or where the setting says so, nothing is asked.
func (c *Connector) Fetch(ctx context.Context, at string) (*connectors.Fetched, error) {
	if !c.deletions || !c.authenticated() {
		return &connectors.Fetched{Cursor: at}, nil
	}
	if err := c.mayAsk("look for deleted records"); err != nil {
		return nil, err
	}
	now := c.cfg.Now().UTC().Truncate(time.Second)
	var cur deletedCursor
	if json.Unmarshal([]byte(at), &cur) != nil || cur.Since == nil {
		cur = deletedCursor{Since: map[string]time.Time{}}
	}
	next := deletedCursor{Since: map[string]time.Time{}}
	fetched := &connectors.Fetched{}
	for _, object := range c.objects {
		since, known := cur.Since[object]
		if !known {
			since = now
		}
		rows, err := c.deletedRows(ctx, object, since.Add(-deletedOverlap))
		if err != nil {
			return nil, err
		}
		newest := since
		for _, row := range rows {
			e, modified := deletedEvent(object, row)
			fetched.Events = append(fetched.Events, e)
			if modified.After(newest) {
				newest = modified
			}
		}
		if len(rows) == deletedPage {
			fetched.More = true
			// So many within the overlap would be read for ever.
			newest = later(newest, since.Add(deletedOverlap))
		}
		next.Since[object] = newest
	}
	b, err := json.Marshal(next)
	if err != nil {
		return nil, &connectors.PushError{Act: "salesforce: look for deleted records", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
	}
	fetched.Cursor = string(b)
	return fetched, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// deletedRows reads the recycle bin from a time on, oldest first.
func (c *Connector) deletedRows(ctx context.Context, object string, from time.Time) ([]map[string]any, error) {
	soql := fmt.Sprintf("SELECT Id,MasterRecordId,SystemModstamp FROM %s WHERE IsDeleted=true AND SystemModstamp >= %s ORDER BY SystemModstamp LIMIT %d",
		object, from.UTC().Format(soqlTime), deletedPage)
	return c.queryAt(ctx, "look for deleted records", "/queryAll", soql)
}

// deletedEvent tells of one record in the form of a flow's JSON, so that the
// same rules read both.
func deletedEvent(object string, row map[string]any) (connectors.RawEvent, time.Time) {
	what := "deleted"
	if isID(text(row["MasterRecordId"]), "") {
		what = "merged"
	}
	id := id18(text(row["Id"]))
	fields := map[string]any{"Id": id, "SystemModstamp": row["SystemModstamp"]}
	if what == "merged" {
		fields["MasterRecordId"] = id18(text(row["MasterRecordId"]))
	}
	e := connectors.RawEvent{
		Type: object + "." + what, At: recordTime(row["SystemModstamp"]),
		// A record that was brought back and deleted again is told again.
		Dedupe: connectors.Dedupe("recycle bin", object, id, text(row["SystemModstamp"])),
	}
	body, err := json.Marshal(map[string]any{"object": object, "event": what, "sObject": fields})
	if err != nil || !isID(id, "") {
		e.Broken = "the deleted record has no id"
	}
	e.Body = body
	if e.At == 0 {
		return e, time.Time{}
	}
	return e, e.At.Time()
}
