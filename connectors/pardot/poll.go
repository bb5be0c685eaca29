package pardot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// pageSize is the most records of one page.
	pageSize = 1000
	// overlap is how far a query reaches back behind what was seen: what is
	// written shows in queries up to 60 s later ("Version 5 Overview").
	overlap = 2 * time.Minute
	// timeLayout is how the API reads times.
	timeLayout = "2006-01-02T15:04:05-07:00"
)

// leanFields are the activity fields that every account has by the vendor's
// page; the setting may name more.
var leanFields = []string{"id", "type", "typeName", "createdAt", "prospectId", "prospect.email", "campaignId", "details"}

// prospectFields are read of a changed prospect.
var prospectFields = []string{
	"id", "email", "firstName", "lastName", "company", "jobTitle", "phone", "country", "score", "grade",
	"salesforceId", "optedOut", "createdAt", "updatedAt",
}

// step is one of the queries of a round.
type step struct {
	kind, path string
	// time is the field that the query goes forward by, filter its parameter.
	time, filter string
	extra        url.Values
}

// steps are made one after the other; a page of one of them is a Fetch.
var steps = []step{
	{"prospect", "/prospects", "updatedAt", "updatedAtAfterOrEqualTo", nil},
	{"prospect.deleted", "/prospects", "updatedAt", "updatedAtAfterOrEqualTo", url.Values{"deleted": {"true"}}},
	{"activity", "/visitor-activities", "createdAt", "createdAtAfterOrEqualTo", nil},
}

// cursor is where polling stands.
type cursor struct {
	// Step is the query that is under way.
	Step int `json:"step"`
	// Since holds, by step, the newest time seen so far, by the vendor's clock.
	Since []time.Time `json:"since"`
	// Newest is the newest time of the query under way, Page its next page.
	Newest time.Time `json:"newest,omitzero"`
	Page   string    `json:"page,omitempty"`
}

// Interval implements connectors.Poller. A round is three requests, and of
// those an account has 25,000 a day or more.
func (c *Connector) Interval() time.Duration { return c.interval }

// Fetch implements connectors.Poller: one page of changed prospects, of deleted
// ones, or of activities. Without credentials, or with polling off, nothing is
// asked.
func (c *Connector) Fetch(ctx context.Context, at string) (*connectors.Fetched, error) {
	if !c.polls || !c.authenticated() {
		return &connectors.Fetched{Cursor: at}, nil
	}
	if err := c.mayAsk("poll"); err != nil {
		return nil, err
	}
	cur := c.cursorAt(at)
	s := steps[cur.Step]
	got, err := c.page(ctx, s, cur)
	if err != nil {
		return nil, err
	}
	if got.Values == nil {
		return nil, noValues("poll " + s.kind)
	}
	events := make([]connectors.RawEvent, 0, len(got.Values))
	for _, value := range got.Values {
		e, seen := eventOf(s, value)
		events = append(events, e)
		if seen.After(cur.Newest) {
			cur.Newest = seen
		}
	}
	if cur.Page = got.Next; cur.Page == "" {
		full := len(got.Values) >= pageSize
		moved := cur.Newest.After(cur.Since[cur.Step])
		if moved {
			cur.Since[cur.Step] = cur.Newest
		}
		cur.Newest = time.Time{}
		// A sequence of pages ends after 100,000 records; the rest is asked for
		// from the newest one on.
		if !full || !moved {
			cur.Step = (cur.Step + 1) % len(steps)
		}
	}
	next, err := json.Marshal(cur)
	if err != nil {
		return nil, &connectors.PushError{Act: "pardot: poll", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
	}
	return &connectors.Fetched{Events: events, Cursor: string(next), More: cur.Step != 0 || cur.Page != ""}, nil
}

// cursorAt reads a cursor. One that is empty, or that cannot be read, begins
// now: all of an account's history would be activities of years.
func (c *Connector) cursorAt(at string) cursor {
	var cur cursor
	if json.Unmarshal([]byte(at), &cur) != nil || len(cur.Since) != len(steps) || cur.Step < 0 || cur.Step >= len(steps) {
		cur = cursor{}
		for range steps {
			cur.Since = append(cur.Since, c.cfg.Now().UTC().Truncate(time.Second))
		}
	}
	return cur
}

// page makes the query of a step. A page's token lives four hours; when it is
// refused, the query begins again from the newest record on (cur's own Since is
// moved), and what comes twice is told by its id.
func (c *Connector) page(ctx context.Context, s step, cur cursor) (*page, error) {
	got := &page{}
	fields := url.Values{"fields": {strings.Join(c.pollFields(s), ",")}}
	if cur.Page != "" {
		// Beside a page's token nothing but the fields may be sent.
		fields.Set("nextPageToken", cur.Page)
		err := c.call(ctx, "read the next page of "+s.kind, http.MethodGet, s.path, fields, nil, got)
		if !hasReason(err, connectors.ReasonInvalid) {
			return got, err
		}
		fields.Del("nextPageToken")
		// Pages come in the order of time, so that those read are not read again:
		// a token that is never taken would bring the first one for ever.
		if cur.Newest.After(cur.Since[cur.Step]) {
			cur.Since[cur.Step] = cur.Newest
		}
	}
	fields.Set("orderBy", s.time+" ASC")
	fields.Set("limit", strconv.Itoa(pageSize))
	fields.Set(s.filter, cur.Since[cur.Step].Add(-overlap).Format(timeLayout))
	for name, values := range s.extra {
		fields[name] = values
	}
	err := c.call(ctx, "poll "+s.kind, http.MethodGet, s.path, fields, nil, got)
	if s.kind == "activity" && hasReason(err, connectors.ReasonInvalid) && len(c.activities) > 0 && !c.lean.Swap(true) {
		// The fields that are named by setting may be what was refused.
		c.cfg.Log.Warn("pardot: the API refuses some of the further fields of activities; they are left out", "connection", c.cfg.ID, "fields", c.activities)
		return c.page(ctx, s, cursor{Step: cur.Step, Since: cur.Since})
	}
	return got, err
}

func (c *Connector) pollFields(s step) []string {
	switch {
	case s.kind != "activity":
		return prospectFields
	case c.lean.Load():
		return leanFields
	}
	return append(leanFields[:len(leanFields):len(leanFields)], c.activities...)
}

// eventOf makes a raw event of one record, and tells its time.
func eventOf(s step, value json.RawMessage) (connectors.RawEvent, time.Time) {
	var r struct {
		ID        json.Number `json:"id"`
		Type      any         `json:"type"`
		CreatedAt string      `json:"createdAt"`
		UpdatedAt string      `json:"updatedAt"`
	}
	e := connectors.RawEvent{Type: s.kind, Body: value}
	if json.Unmarshal(value, &r) != nil || r.ID == "" {
		e.Broken, e.Dedupe = "the record has no id", connectors.Dedupe("broken", string(value))
		return e, time.Time{}
	}
	text := r.UpdatedAt
	if s.kind == "activity" {
		// An activity never changes; a prospect is told anew with each change.
		text = r.CreatedAt
		e.Type, e.Dedupe = "activity."+numberOr(fmt.Sprint(r.Type), "unknown"), connectors.Dedupe("activity", r.ID.String())
	} else {
		e.Dedupe = connectors.Dedupe(s.kind, r.ID.String(), r.UpdatedAt, string(value))
	}
	e.At = instant(text)
	if e.At == 0 {
		return e, time.Time{}
	}
	return e, e.At.Time()
}

// numberOr gives a small number's text, or another text for what is none.
func numberOr(text, otherwise string) string {
	if _, err := strconv.ParseUint(text, 10, 16); err != nil {
		return otherwise
	}
	return text
}
