package marketo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// pollInterval costs three calls, about 900 of the instance's day.
	pollInterval = 5 * time.Minute
	// pollOverlap is read again wherever reading begins at a time.
	pollOverlap = 10 * time.Minute
)

// Types of the raw events of the two feeds that are not activities.
const (
	typeChanged = "lead.changed"
	typeDeleted = "lead.deleted"
)

// cursor is where reading goes on: Marketo's token of each feed, and the time
// from which to begin anew where a token is refused.
type cursor struct {
	Since  time.Time         `json:"since"`
	Tokens map[string]string `json:"tokens"`
}

// feed is one of the three lists that the activity log comes as.
type feed struct {
	name, path string
	query      url.Values
	kind       func(activity) string
}

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return pollInterval }

// Fetch implements connectors.Poller: one page of each feed. A connection that
// is not to poll, or cannot, has nothing new.
func (c *Connector) Fetch(ctx context.Context, at string) (*connectors.Fetched, error) {
	if !c.poll || !c.credentials() {
		return &connectors.Fetched{Cursor: at}, nil
	}
	began := c.cfg.Now()
	from := readCursor(at, began)
	feeds, err := c.feeds(ctx)
	if err != nil {
		return nil, err
	}
	got := &connectors.Fetched{}
	next := cursor{Since: from.Since, Tokens: map[string]string{}}
	for _, f := range feeds {
		events, token, more, err := c.page(ctx, f, from)
		if err != nil {
			return nil, err
		}
		got.Events = append(got.Events, events...)
		got.More = got.More || more
		next.Tokens[f.name] = token
	}
	if !got.More {
		next.Since = began.Add(-pollOverlap).UTC().Truncate(time.Second)
	}
	text, err := json.Marshal(next)
	if err != nil {
		return nil, &connectors.PushError{Act: "marketo: read the activity log", Reason: connectors.ReasonBadAnswer, Message: "the cursor cannot be written"}
	}
	got.Cursor = string(text)
	return got, nil
}

func readCursor(text string, now time.Time) cursor {
	var c cursor
	if json.Unmarshal([]byte(text), &c) != nil || c.Since.IsZero() {
		return cursor{Since: now.Add(-pollOverlap).UTC().Truncate(time.Second)}
	}
	return c
}

// feeds lists what is read, in a fixed order.
func (c *Connector) feeds(ctx context.Context) ([]feed, error) {
	feeds := []feed{{
		name: "deleted", path: "/rest/v1/activities/deletedleads.json",
		kind: func(activity) string { return typeDeleted },
	}}
	watched, err := c.watched(ctx)
	if err != nil {
		return nil, err
	}
	if len(watched) > 0 {
		feeds = append(feeds, feed{
			name: "changes", path: "/rest/v1/activities/leadchanges.json",
			query: url.Values{"fields": {strings.Join(watched, ",")}},
			kind:  func(activity) string { return typeChanged },
		})
	}
	if len(c.activities) == 0 {
		return feeds, nil
	}
	names, err := c.types.find(ctx, c.activities)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return feeds, nil
	}
	var ids []string
	for id := range names {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	slices.Sort(ids)
	return append(feeds, feed{
		name: "activities", path: "/rest/v1/activities.json",
		query: url.Values{"activityTypeIds": {strings.Join(ids, ",")}},
		kind: func(a activity) string {
			return "activity." + cmp.Or(names[a.Type], strconv.FormatInt(a.Type, 10))
		},
	}), nil
}

// watched lists the fields to watch that people have.
func (c *Connector) watched(ctx context.Context) ([]string, error) {
	if len(c.changes) == 0 {
		return nil, nil
	}
	return c.fields.have(ctx, c.changes)
}

// page reads the next page of a feed. A page may be short or empty and yet not
// the last. A token that Marketo no longer takes is replaced by one for the
// time up to which everything is known to be read.
func (c *Connector) page(ctx context.Context, f feed, from cursor) (events []connectors.RawEvent, token string, more bool, err error) {
	token = from.Tokens[f.name]
	known := token != ""
	if !known {
		if token, err = c.startToken(ctx, from.Since); err != nil {
			return nil, "", false, err
		}
	}
	raw, env, err := c.readPage(ctx, f, token)
	if known && (hasReason(err, connectors.ReasonInvalid) || hasReason(err, connectors.ReasonNotFound)) {
		if token, err = c.startToken(ctx, from.Since); err != nil {
			return nil, "", false, err
		}
		raw, env, err = c.readPage(ctx, f, token)
	}
	if err != nil {
		return nil, "", false, err
	}
	for _, body := range raw {
		events = append(events, c.polledEvent(f, body))
	}
	return events, cmp.Or(env.Next, token), env.More, nil
}

func (c *Connector) readPage(ctx context.Context, f feed, token string) ([]json.RawMessage, *envelope, error) {
	query := url.Values{"nextPageToken": {token}}
	for name, values := range f.query {
		query[name] = values
	}
	return list[json.RawMessage](ctx, c.api, "read the activity log ("+f.name+")", http.MethodGet, f.path+"?"+query.Encode(), nil)
}

func (c *Connector) startToken(ctx context.Context, since time.Time) (string, error) {
	path := "/rest/v1/activities/pagingtoken.json?" + url.Values{"sinceDatetime": {since.UTC().Format(time.RFC3339)}}.Encode()
	env, err := c.api.call(ctx, "begin reading the activity log", http.MethodGet, path, nil)
	if err != nil {
		return "", err
	}
	if env.Next == "" {
		return "", &connectors.PushError{Act: "marketo: begin reading the activity log", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no paging token"}
	}
	return env.Next, nil
}

// polledEvent is one activity, change or deletion.
func (c *Connector) polledEvent(f feed, body json.RawMessage) connectors.RawEvent {
	var a activity
	err := json.Unmarshal(body, &a)
	e := connectors.RawEvent{
		Type: f.kind(a), Format: connectors.FormatJSON, Body: body,
		Dedupe: connectors.Dedupe("activity", f.name, cmp.Or(a.GUID, strconv.FormatInt(a.ID, 10))),
	}
	switch {
	case err != nil:
		e.Dedupe = connectors.Dedupe("activity", f.name, string(body))
		e.Broken = "the record of the activity log cannot be read: " + connectors.Words(err.Error())
		return e
	case a.Lead == 0:
		e.Dedupe = connectors.Dedupe("activity", f.name, string(body))
		e.Broken = "the record of the activity log names no person"
		return e
	}
	e.At = activityTime(a.Date)
	e.NeedsRecord = e.Type != typeDeleted
	if e.Type == typeChanged {
		e.Written = written(a)
	}
	return e
}

// activityTime reads an activity's date, with either spelling of its offset.
func activityTime(text string) lifecycle.Instant {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return lifecycle.At(at)
		}
	}
	return 0
}

// written lists what a change reports that we may have written ourselves: only
// changes that Marketo says came by its API, so that a person's change in
// Marketo is never taken for ours.
func written(a activity) []connectors.Field {
	byAPI := false
	for _, at := range a.Attributes {
		if text, _ := at.Value.(string); at.Name == "Source" || at.Name == "Reason" {
			byAPI = byAPI || strings.Contains(strings.ToLower(text), "web service api")
		}
	}
	if !byAPI {
		return nil
	}
	var fields []connectors.Field
	for _, f := range a.Fields {
		fields = append(fields, connectors.Field{Record: strconv.FormatInt(a.Lead, 10), Name: f.Name, Value: string(f.New)})
	}
	return fields
}

// unknown says what the settings name for polling and the instance lacks.
func (c *Connector) unknown(ctx context.Context) (string, error) {
	if !c.poll {
		return "", nil
	}
	watched, err := c.watched(ctx)
	if err != nil {
		return "", err
	}
	text := ""
	for _, name := range c.changes {
		if !slices.Contains(watched, name) {
			text += "; there is no field " + name
		}
	}
	if len(c.activities) == 0 {
		return text, nil
	}
	names, err := c.types.find(ctx, c.activities)
	if err == nil && len(names) < len(c.activities) {
		text += fmt.Sprintf("; %d of %d activity types of the setting are unknown there", len(c.activities)-len(names), len(c.activities))
	}
	return text, err
}
