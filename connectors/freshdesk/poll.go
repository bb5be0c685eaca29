package freshdesk

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of polling. Lists of contacts have a limit of their own, 20 a minute on
// the smallest plan, so a quiet account costs two calls in five minutes.
const (
	pollEvery = 5 * time.Minute
	// pollOverlap is how far a poll looks back behind the one before, for clocks
	// that differ; the dedupe key makes what is seen twice one event.
	pollOverlap = 2 * time.Minute
)

// Interval implements connectors.Poller.
func (c *Connector) Interval() time.Duration { return pollEvery }

// Fetch implements connectors.Poller: one page of the contacts that changed
// since the poll before, then of those deleted. Where polling is off, or
// without an API key, there is nothing to tell.
func (c *Connector) Fetch(ctx context.Context, cursor string) (*connectors.Fetched, error) {
	if !c.polls || !c.api.authenticated() {
		return &connectors.Fetched{Cursor: cursor}, nil
	}
	now := c.cfg.Now()
	p, ok := parsePosition(cursor)
	if !ok {
		p = position{since: now.Add(-pollOverlap)}
	}
	if p.page == 0 {
		p.began, p.page = now, 1
	}
	query := url.Values{"updated_since": {p.since.UTC().Format(time.RFC3339)}}
	if p.deleted {
		query.Set("state", "deleted")
	}
	found, next, err := c.api.page(ctx, "poll contacts", query, p.page)
	if connectors.ReasonOf(err) == connectors.ReasonInvalid && p.deleted {
		// Whether the two filters go together is not documented.
		found, next, err = nil, 0, nil
	}
	if err != nil {
		return nil, err
	}
	fetched := &connectors.Fetched{}
	for _, one := range found {
		fetched.Events = append(fetched.Events, polledEvent(one, p))
	}
	switch {
	case next > 0:
		p.page, fetched.More = next, true
	case !p.deleted:
		p.deleted, p.page, fetched.More = true, 1, true
	default:
		c.polled.Store(p.began.Unix())
		p = position{since: p.began.Add(-pollOverlap)}
	}
	fetched.Cursor = p.String()
	return fetched, nil
}

// polledEvent makes a raw event of a contact as the list shows it.
func polledEvent(body []byte, p position) connectors.RawEvent {
	var one contact
	if err := decode(body, &one); err != nil || !digits(one.ID.String()) {
		return connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("contact", string(body)), Body: body, Broken: "not a contact with an id"}
	}
	e := connectors.RawEvent{Type: "contact.updated", At: instant(one.UpdatedAt), Body: body}
	if made := instant(one.CreatedAt); made != 0 && !made.Time().Before(p.since) {
		e.Type = "contact.created"
	}
	if p.deleted {
		e.Type = "contact.deleted"
	}
	e.Dedupe = connectors.Dedupe("contact", one.ID.String(), strconv.FormatBool(p.deleted), one.UpdatedAt)
	if e.Type == "contact.updated" {
		e.Written = []connectors.Field{written(&one)}
	}
	return e
}

// written is the mark by which our own last write of a contact is known again.
func written(one *contact) connectors.Field {
	return connectors.Field{Record: one.ID.String(), Name: "updated_at", Value: one.UpdatedAt}
}

// position is where polling stands: contacts changed since a time, page by
// page, the deleted ones last. Page 0 is the start of a new round.
type position struct {
	since, began time.Time
	page         int
	deleted      bool
}

// String writes a position as a cursor.
func (p position) String() string {
	if p.page == 0 {
		return fmt.Sprintf("%d", p.since.Unix())
	}
	return fmt.Sprintf("%d,%d,%d,%t", p.since.Unix(), p.began.Unix(), p.page, p.deleted)
}

// parsePosition reads a cursor; an empty or unknown one is not ok.
func parsePosition(cursor string) (p position, ok bool) {
	parts := strings.Split(cursor, ",")
	since, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return position{}, false
	}
	p.since = time.Unix(since, 0)
	if len(parts) != 4 {
		return p, true
	}
	began, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return p, true
	}
	page, err := strconv.Atoi(parts[2])
	if err != nil || page < 1 {
		return p, true
	}
	p.began, p.page, p.deleted = time.Unix(began, 0), page, parts[3] == "true"
	return p, true
}
