package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// rawBody is one raw event in a list.
type rawBody struct {
	ID         string `json:"id"`
	Connection string `json:"connection"`
	Type       string `json:"type"`
	ReceivedAt string `json:"received_at"`
	At         string `json:"at"`
	Size       int64  `json:"size"`
	Status     string `json:"status"`
	Step       string `json:"step"`
	Reason     string `json:"reason"`
	Detail     string `json:"detail"`
	Rule       string `json:"rule"`
	EndedAt    string `json:"ended_at"`
}

func rawOf(r *store.InboxRow) rawBody {
	o := r.Outcome
	return rawBody{number(r.ID), r.Connection, r.Type, when(r.Received), when(r.At), r.Size, r.Status, o.Step, o.Reason, o.Detail, o.Rule, when(r.Ended)}
}

// rawWhole is one raw event with its bytes.
type rawWhole struct {
	rawBody
	Format    string            `json:"format"`
	Headers   map[string]string `json:"headers"`
	Broken    string            `json:"broken,omitempty"`
	Echo      string            `json:"echo,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
	// Body is the text where the bytes are one, else BodyBase64 holds them.
	Body       string          `json:"body"`
	BodyBase64 string          `json:"body_base64,omitempty"`
	Record     json.RawMessage `json:"record,omitempty"`
	RecordAt   string          `json:"record_at,omitempty"`
	NextTry    string          `json:"next_try,omitempty"`
	Attempts   int64           `json:"attempts,omitempty"`
	Waiting    string          `json:"waiting,omitempty"`
}

func wholeOf(r *store.RawEvent) rawWhole {
	meta := jobs.ParseMeta(r.Meta)
	b := rawWhole{rawBody: rawOf(&r.InboxRow), Format: meta.Format, Headers: map[string]string{}, Broken: meta.Broken, Echo: meta.Echo,
		RequestID: meta.RequestID, RecordAt: when(r.RecordAt), NextTry: when(r.NextTry), Attempts: r.Attempts, Waiting: r.Waiting}
	if meta.Headers != nil {
		b.Headers = meta.Headers
	}
	if b.Format == "" {
		b.Format = "json"
	}
	if utf8.Valid(r.Body) {
		b.Body = string(r.Body)
	} else {
		b.BodyBase64 = base64.StdEncoding.EncodeToString(r.Body)
	}
	if json.Valid(r.Record) {
		b.Record = r.Record
	}
	return b
}

func (w *Web) apiInbox(c echo.Context) error {
	f, err := w.inboxFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.Inbox(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items := make([]rawBody, len(page.Rows))
	for i := range page.Rows {
		items[i] = rawOf(&page.Rows[i])
	}
	return c.JSON(http.StatusOK, list(items, page.Next))
}

// statsBody counts one connection's raw events, or all.
type statsBody struct {
	Pending     int64 `json:"pending"`
	Done        int64 `json:"done"`
	Ignored     int64 `json:"ignored"`
	Quarantined int64 `json:"quarantined"`
	Failed      int64 `json:"failed"`
	Duplicates  int64 `json:"duplicates"`
	Rejected    int64 `json:"rejected"`
	// Replaying are those of Pending that wait to be processed once more.
	Replaying int64 `json:"replaying,omitempty"`
}

func (b *statsBody) add(x *store.InboxStats) {
	b.Pending += x.Pending
	b.Done += x.Done
	b.Ignored += x.Ignored
	b.Quarantined += x.Quarantined
	b.Failed += x.Failed
	b.Duplicates += x.Duplicates
	b.Rejected += x.Rejected
}

// inboxStatsBody counts by connection, and all together.
type inboxStatsBody struct {
	Connections map[string]*statsBody `json:"connections"`
	statsBody
}

func (w *Web) apiInboxStats(c echo.Context) error {
	all, err := w.store.InboxStats(c.Request().Context())
	if err != nil {
		return err
	}
	replaying, err := w.admin.Replaying(c.Request().Context())
	if err != nil {
		return err
	}
	body := inboxStatsBody{Connections: map[string]*statsBody{}}
	for _, id := range w.registry.IDs() {
		body.Connections[id] = &statsBody{}
	}
	for id, x := range all {
		b := &statsBody{}
		b.add(x)
		body.Connections[id] = b
		body.add(x)
	}
	for id, n := range replaying {
		body.Replaying, body.Pending = body.Replaying+n, body.Pending+n
		if b := body.Connections[id]; b != nil {
			b.Replaying, b.Pending = b.Replaying+n, b.Pending+n
		}
	}
	return c.JSON(http.StatusOK, body)
}

func (w *Web) apiRawEvent(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	r, err := w.store.RawEvent(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, wholeOf(r))
}

// traceBody is the way of one raw event.
type traceBody struct {
	Raw        rawWhole     `json:"raw"`
	Events     []eventBody  `json:"events"`
	Profiles   []traced     `json:"profiles"`
	Moves      []moveBody   `json:"moves"`
	Deliveries []deliveries `json:"deliveries"`
}

// traced is a person whom a raw event concerned.
type traced struct {
	ID    string   `json:"id"`
	Keys  []string `json:"keys"`
	Stage string   `json:"stage"`
}

// deliveries is how far such a person was brought at one connection.
type deliveries struct {
	Profile string `json:"profile"`
	personSyncBody
}

func (w *Web) apiTrace(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	t, err := w.store.Trace(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, traceOf(t))
}

func traceOf(t *store.Trace) traceBody {
	b := traceBody{Raw: wholeOf(t.Raw), Events: []eventBody{}, Profiles: []traced{}, Moves: []moveBody{}, Deliveries: []deliveries{}}
	for i := range t.Events {
		e := eventOf(&t.Events[i].Event)
		e.Profile = number(int64(t.Events[i].Person))
		b.Events = append(b.Events, e)
	}
	for _, p := range t.People {
		b.Profiles = append(b.Profiles, traced{number(int64(p.ID)), append([]string{}, p.Keys...), string(p.Stage)})
	}
	for i := range t.Moves {
		b.Moves = append(b.Moves, moveOf(&t.Moves[i]))
	}
	for i := range t.Deliveries {
		x := &t.Deliveries[i]
		b.Deliveries = append(b.Deliveries, deliveries{number(int64(x.Person)), personSyncBody{x.Connection, x.State, when(x.Pushed), syncError(x)}})
	}
	return b
}

// countBody answers what was done, or with a dry run would be done, to how many.
type countBody struct {
	Count  int64 `json:"count"`
	DryRun bool  `json:"dry_run"`
}
