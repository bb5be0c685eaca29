package googleanalytics

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	actExport = "google-analytics: read the BigQuery export"
	// pollInterval is how often the export is looked at. Daily tables come once
	// a day, at no set hour.
	pollInterval = 15 * time.Minute
	// rewriteDays is for how many days Google may write a daily table anew
	// (https://support.google.com/analytics/answer/9358801, read November 2026),
	// with a day to spare.
	rewriteDays = 4
	// maxDays is how far back a connection looks that was off for long.
	maxDays = 60
	// pageRows is how many rows one call reads at most. A row with many parameters
	// has some 15 KB in BigQuery's form.
	pageRows = 200
)

// position is the cursor: what was read, and where in a table we are.
type position struct {
	// After is the time of modification up to which tables have been read, in
	// milliseconds.
	After int64 `json:"after"`
	// Table being read, as it was at Modified, from row Index on; else empty.
	Table    string `json:"table,omitempty"`
	Modified int64  `json:"modified,omitempty"`
	Index    int64  `json:"index,omitempty"`
}

// table is a daily table that was modified.
type table struct {
	id       string
	modified int64
	columns  []column
}

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return pollInterval }

// Fetch implements connectors.Poller: the daily tables of the export to
// BigQuery, each as soon as Google has written it, and again when it is written
// anew. Tables are listed and read without a query, which costs nothing.
func (c *Connector) Fetch(ctx context.Context, cursor string) (*connectors.Fetched, error) {
	if c.dataset == "" || c.account == nil {
		return &connectors.Fetched{Cursor: cursor}, nil
	}
	now := c.cfg.Now().UTC()
	var p position
	if json.Unmarshal([]byte(cursor), &p) != nil || p.After <= 0 {
		// The first call. A table that was written an hour ago still counts.
		return fetched(nil, position{After: now.Add(-time.Hour).UnixMilli()}, false)
	}
	if p.Table == "" {
		next, err := c.nextTable(ctx, p.After, now)
		if err != nil || next == nil {
			return &connectors.Fetched{Cursor: cursor}, err
		}
		p.Table, p.Modified, p.Index = next.id, next.modified, 0
	}
	t, err := c.describe(ctx, p.Table)
	switch {
	case err != nil:
		return nil, err
	case t == nil: // gone, since daily tables may have an end
		return fetched(nil, position{After: p.Modified}, true)
	case t.modified != p.Modified:
		// Written anew meanwhile; what was read of it is known by its key.
		p.Modified, p.Index = t.modified, 0
	}
	events, err := c.readPage(ctx, t, p.Index, now)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return fetched(nil, position{After: p.Modified}, true)
	}
	p.Index += int64(len(events))
	return fetched(events, p, true)
}

func fetched(events []connectors.RawEvent, p position, more bool) (*connectors.Fetched, error) {
	cursor, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%s: cursor: %w", actExport, err)
	}
	return &connectors.Fetched{Events: events, Cursor: string(cursor), More: more}, nil
}

// nextTable gives the table that was modified first after an instant; nil when
// there is none. Only the days that may still be written are looked at.
func (c *Connector) nextTable(ctx context.Context, after int64, now time.Time) (*table, error) {
	first := time.UnixMilli(after).UTC().AddDate(0, 0, -rewriteDays)
	if oldest := now.AddDate(0, 0, -maxDays); first.Before(oldest) {
		first = oldest
	}
	var modified []*table
	for day := first; !day.After(now); day = day.AddDate(0, 0, 1) {
		t, err := c.describe(ctx, "events_"+day.Format("20060102"))
		if err != nil {
			return nil, err
		}
		if t != nil && t.modified > after {
			modified = append(modified, t)
		}
	}
	if len(modified) == 0 {
		return nil, nil
	}
	return slices.MinFunc(modified, func(a, b *table) int {
		return cmp.Or(cmp.Compare(a.modified, b.modified), cmp.Compare(a.id, b.id))
	}), nil
}

// tableURL is the address of a table below the dataset.
func (c *Connector) tableURL(id string) string {
	return c.bigqueryURL + "/bigquery/v2/projects/" + url.PathEscape(c.project) + "/datasets/" + url.PathEscape(c.dataset) + "/tables/" + url.PathEscape(id)
}

// describe reads a table's columns and its time of modification; nil when there
// is no such table.
func (c *Connector) describe(ctx context.Context, id string) (*table, error) {
	var answer struct {
		Modified string `json:"lastModifiedTime"`
		Schema   struct {
			Fields []column `json:"fields"`
		} `json:"schema"`
	}
	err := c.ask(ctx, connectors.Call{Act: actExport, URL: c.tableURL(id) + "?fields=lastModifiedTime,schema"}, &answer)
	if err != nil {
		if connectors.AsPushError(err).Reason == connectors.ReasonNotFound {
			return nil, nil
		}
		return nil, err
	}
	t := &table{id: id}
	if t.modified, err = strconv.ParseInt(answer.Modified, 10, 64); err != nil {
		return nil, &connectors.PushError{Act: actExport, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "a table without its time of modification"}
	}
	for _, f := range answer.Schema.Fields {
		if slices.Contains(exported(), f.Name) {
			t.columns = append(t.columns, f)
		}
	}
	return t, nil
}

// readPage reads rows from an index on; none is the end of the table. Each row
// gives one event. A page that is too long to be read is asked for in smaller
// ones: else a table of long rows would never be got past.
func (c *Connector) readPage(ctx context.Context, t *table, index int64, now time.Time) ([]connectors.RawEvent, error) {
	var rows []json.RawMessage
	for size := pageRows; ; size /= 5 {
		var err error
		rows, err = c.rows(ctx, t, index, size)
		if err == nil {
			break
		}
		if connectors.AsPushError(err).Reason != connectors.ReasonBadAnswer || size < 5 {
			return nil, err
		}
	}
	s := &split{c: c, received: now}
	events := make([]connectors.RawEvent, len(rows))
	for i, row := range rows {
		events[i] = s.row(t.columns, row)
	}
	return events, nil
}

// rows makes one call.
func (c *Connector) rows(ctx context.Context, t *table, index int64, size int) ([]json.RawMessage, error) {
	names := make([]string, len(t.columns))
	for i, f := range t.columns {
		names[i] = f.Name
	}
	query := url.Values{
		"maxResults": {strconv.Itoa(size)}, "startIndex": {strconv.FormatInt(index, 10)}, "selectedFields": {strings.Join(names, ",")},
	}
	var answer struct {
		Rows []json.RawMessage `json:"rows"`
	}
	err := c.ask(ctx, connectors.Call{Act: actExport, URL: c.tableURL(t.id) + "/data?" + query.Encode()}, &answer)
	return answer.Rows, err
}
