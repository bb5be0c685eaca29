package eloqua

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// pollInterval is how often the exports under way are asked for.
	pollInterval = time.Minute
	// exportEvery is the pause between exports; seven types make 28 of the
	// instance's 2,000 an hour.
	exportEvery = 15 * time.Minute
	// exportLife is when exports that have not ended are begun anew.
	exportLife = time.Hour
	// exportPage is how many activities are read with one call.
	exportPage = 1000
)

// activityFields are what is read of each type beside the usual fields; types
// and fields are those of "Activity fields" of the Bulk API.
var activityFields = map[string]map[string]string{
	"EmailSend": {}, "EmailOpen": {}, "Subscribe": {}, "Unsubscribe": {}, "Bounceback": {}, "FormSubmit": {}, "WebVisit": {},
	"EmailClickthrough": {"Url": "{{Activity.Field(EmailClickedThruLink)}}"},
	"PageView":          {"Url": "{{Activity.Field(Url)}}"},
}

// cursor is what is known of the exports.
type cursor struct {
	// Since is the time up to which activities were read, Until the one up to
	// which those under way will have been.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Under []export  `json:"under,omitempty"`
	// Read is the time up to which single types were read, where others of the
	// same time were not.
	Read map[string]time.Time `json:"read,omitempty"`
}

// since is the time up to which a type was read.
func (c cursor) since(kind string) time.Time {
	if at := c.Read[kind]; at.After(c.Since) {
		return at
	}
	return c.Since
}

// export is one that Eloqua works on, or that is being read.
type export struct {
	Type   string `json:"type"`
	Sync   string `json:"sync"`
	Offset int    `json:"offset,omitempty"`
}

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return pollInterval }

// Fetch implements connectors.Poller, step by step: it starts one export for
// each type of activity, asks for them until they have ended, and reads one page
// at a time. A connection that is not to poll, or cannot, has nothing new.
func (c *Connector) Fetch(ctx context.Context, at string) (*connectors.Fetched, error) {
	if !c.poll || len(c.activities) == 0 || !c.credentials() {
		return &connectors.Fetched{Cursor: at}, nil
	}
	now := c.cfg.Now().UTC().Truncate(time.Second)
	from, first := readCursor(at, now)
	switch {
	case len(from.Under) > 0 && now.Sub(from.Until) < exportLife:
		return c.readExports(ctx, from)
	case !first && now.Sub(from.Since) < exportEvery:
		return &connectors.Fetched{Cursor: at}, nil
	}
	from.Until, from.Under = now, nil
	for _, kind := range c.activities {
		sync, err := c.startExport(ctx, kind, from.since(kind).Add(-c.overlap))
		if err != nil {
			return nil, failure(err)
		}
		from.Under = append(from.Under, export{Type: kind, Sync: sync})
	}
	return from.fetched(nil, false)
}

// readCursor reads what was stored; without it reading begins now.
func readCursor(text string, now time.Time) (c cursor, first bool) {
	if json.Unmarshal([]byte(text), &c) != nil || c.Since.IsZero() {
		return cursor{Since: now}, true
	}
	return c, false
}

func (c cursor) fetched(events []connectors.RawEvent, more bool) (*connectors.Fetched, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, &connectors.PushError{Act: "eloqua: read activities", Reason: connectors.ReasonBadAnswer, Message: "the cursor cannot be written"}
	}
	return &connectors.Fetched{Events: events, Cursor: string(text), More: more}, nil
}

// startExport defines an export of one type and starts its sync.
func (c *Connector) startExport(ctx context.Context, kind string, since time.Time) (string, error) {
	fields := map[string]string{
		"ActivityId": "{{Activity.Id}}", "ActivityType": "{{Activity.Type}}", "ActivityDate": "{{Activity.CreatedAt}}",
		"ContactId": "{{Activity.Contact.Id}}", "EmailAddress": "{{Activity.Contact.Field(C_EmailAddress)}}",
		"AssetId": "{{Activity.Asset.Id}}", "AssetName": "{{Activity.Asset.Name}}",
	}
	maps.Copy(fields, activityFields[kind])
	d := definition{
		Name: "Stagebridge: " + kind, Fields: fields, UTC: true, AutoDelete: keep, Retention: keep,
		Filter: fmt.Sprintf("'{{Activity.Type}}'='%s' AND '{{Activity.CreatedAt}}'>='%s'", kind, since.UTC().Format(time.DateTime)),
	}
	var made resource
	if err := c.api.call(ctx, "define an export of "+kind, http.MethodPost, bulk+"/activities/exports", d, &made); err != nil {
		return "", ofSettings(err)
	}
	if !exportForm.MatchString(made.URI) {
		return "", badAnswer("define an export of " + kind)
	}
	return c.startSync(ctx, made.URI)
}

// readExports reads a page of the first export that has ended, or finds that
// none has. One that failed is told once there is no other to be read.
func (c *Connector) readExports(ctx context.Context, from cursor) (*connectors.Fetched, error) {
	var failed *connectors.PushError
	for i, e := range from.Under {
		var sync resource
		err := c.api.call(ctx, "follow an export of "+e.Type, http.MethodGet, bulk+"/syncs/"+e.Sync, nil, &sync)
		switch {
		case hasReason(err, connectors.ReasonNotFound), hasReason(err, connectors.ReasonGone):
			// Eloqua has forgotten them; all begin anew from the same time.
			from.Under = nil
			return from.fetched(nil, false)
		case err != nil:
			return nil, err
		}
		switch sync.Status {
		case statusSuccess, statusWarning:
			return c.readExport(ctx, from, i)
		case statusError:
			// Told each time until the exports are begun anew.
			r, err := c.readFailure(ctx, e.Sync)
			if err != nil {
				return nil, err
			}
			failed = &connectors.PushError{Act: "eloqua: export " + e.Type, Reason: cmp.Or(r.Reason, connectors.ReasonServer), Retryable: true, Message: r.Message}
		}
	}
	if failed != nil {
		return nil, failed
	}
	return from.fetched(nil, false)
}

func (c *Connector) readExport(ctx context.Context, from cursor, i int) (*connectors.Fetched, error) {
	e := from.Under[i]
	var got page[json.RawMessage]
	path := bulk + "/syncs/" + e.Sync + "/data?" + query("limit", strconv.Itoa(exportPage), "offset", strconv.Itoa(e.Offset))
	if err := c.api.call(ctx, "read an export of "+e.Type, http.MethodGet, path, nil, &got); err != nil {
		return nil, err
	}
	var events []connectors.RawEvent
	for _, item := range got.Items {
		events = append(events, polled(e.Type, item))
	}
	if got.HasMore && len(got.Items) > 0 {
		from.Under[i].Offset += exportPage
	} else {
		from.Under = slices.Delete(from.Under, i, i+1)
		if from.Read == nil {
			from.Read = map[string]time.Time{}
		}
		from.Read[e.Type] = from.Until
	}
	if len(from.Under) == 0 {
		from.Since, from.Read = from.Until, nil
	}
	return from.fetched(events, len(from.Under) > 0 && len(got.Items) > 0)
}

// polled is the event of one activity.
func polled(kind string, item json.RawMessage) connectors.RawEvent {
	var a struct {
		ID   string `json:"ActivityId"`
		Date string `json:"ActivityDate"`
	}
	e := connectors.RawEvent{Type: "activity." + kind, Body: item}
	if json.Unmarshal(item, &a) != nil || a.ID == "" {
		e.Dedupe = connectors.Dedupe("activity", kind, string(item))
		e.Broken = "the activity has no ActivityId"
		return e
	}
	e.Dedupe = connectors.Dedupe("activity", kind, a.ID)
	e.At = activityTime(a.Date)
	return e
}

// activityTime reads a date in UTC, as an export with UTC timestamps writes it.
func activityTime(text string) lifecycle.Instant {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.DateTime, time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return lifecycle.At(at)
		}
	}
	return 0
}
