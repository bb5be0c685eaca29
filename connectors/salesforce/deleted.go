package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	soqlTime = "2006-01-02T15:04:05.000Z"
)

// deletedCursor is where looking for deleted records stands.
type deletedCursor struct {
	// Since holds, by object, the time of the newest one seen.
	Since map[string]time.Time `json:"since"`
	// After holds the last one read of an object whose look is under way.
	After map[string]deletedRecord `json:"after,omitempty"`
}

// deletedRecord is where one deleted record stands in the order of reading.
type deletedRecord struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
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
	next := deletedCursor{Since: maps.Clone(cur.Since), After: map[string]deletedRecord{}}
	fetched := &connectors.Fetched{}
	for _, object := range c.objects {
		after, reading := cur.After[object]
		if len(cur.After) > 0 && !reading {
			continue // read to its end before
		}
		if _, known := cur.Since[object]; !known {
			cur.Since[object], next.Since[object] = now, now
		}
		rows, err := c.deletedRows(ctx, object, cur.Since[object].Add(-deletedOverlap), after)
		if err != nil {
			return nil, err
		}
		var last deletedRecord
		for _, row := range rows {
			e, modified := deletedEvent(object, row)
			fetched.Events = append(fetched.Events, e)
			next.Since[object] = later(next.Since[object], modified)
			last = deletedRecord{modified, id18(text(row["Id"]))}
		}
		if len(rows) == deletedPage && isID(last.ID, "") && !last.At.IsZero() && last.ID != after.ID {
			next.After[object], fetched.More = last, true
		}
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

// deletedRows reads the recycle bin from a time on, oldest first; after a record
// where a look goes on, since any number may have been deleted at one time.
func (c *Connector) deletedRows(ctx context.Context, object string, from time.Time, after deletedRecord) ([]map[string]any, error) {
	where := "SystemModstamp >= " + from.UTC().Format(soqlTime)
	if after.ID != "" {
		at := after.At.UTC().Format(soqlTime)
		where = fmt.Sprintf("SystemModstamp >= %s AND (SystemModstamp > %s OR Id > %s)", at, at, quoted(after.ID))
	}
	soql := fmt.Sprintf("SELECT Id,MasterRecordId,SystemModstamp FROM %s WHERE IsDeleted=true AND %s ORDER BY SystemModstamp,Id LIMIT %d",
		object, where, deletedPage)
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
