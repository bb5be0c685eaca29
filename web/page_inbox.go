package web

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

const (
	// shownBody is how much of a raw body a page shows, in bytes: some of them
	// are written as several.
	shownBody = 16 << 10
	// shownOf is how many events, moves and deliveries of a raw event a page
	// shows; it may tell of thousands of people.
	shownOf = 50
)

// inboxPage answers: what came in?
type inboxPage struct {
	Connection, Status, Type string
	Connections              []string
	Statuses                 []string
	Stats                    statsBody
	Step, Reason, Rule       string
	// Since and Until bound the time of receipt, as fields of a form have it, UTC.
	Since, Until string
	Rows         []store.InboxRow
	Next         string
	CanReplay    bool
	// Count is how many raw events a replay of this filter would take; -1
	// before that was asked for.
	Count int64
	Note  string
	// Work is what processes them again, once that was begun.
	Work int64
}

// rawPage is one raw event with its trace.
type rawPage struct {
	Raw      store.InboxRow
	Whole    rawWhole
	Body     string
	Cut      bool // the page shows the beginning only
	Binary   bool
	NextTry  lifecycle.Instant
	Trace    traceBody
	Moves    []store.Transition
	Events   []store.Stored
	Delivery []store.Sync
	// Left are how many of each are not shown.
	Left struct{ Events, Moves, Delivery int64 }
}

func (w *Web) inboxPage(c echo.Context) error { return w.showInbox(c, inboxPage{Count: -1}) }

// How a field for a time writes one, whole minutes without seconds; there is no
// zone in it, and pages mean UTC.
const (
	fieldMinutes = "2006-01-02T15:04"
	fieldSeconds = "2006-01-02T15:04:05"
)

// inboxForm reads the filter out of a query or a form. Times are those of
// fields, or of links, which name their zone.
func inboxForm(c echo.Context) replayInput {
	in := replayForm(c)
	for _, field := range [2]*string{&in.Since, &in.Until} {
		for _, form := range [2]string{fieldMinutes, fieldSeconds} {
			if t, err := time.Parse(form, *field); err == nil {
				*field = t.Format(time.RFC3339)
			}
		}
	}
	return in
}

// fieldTime writes an instant for a field; "" for zero.
func fieldTime(i lifecycle.Instant) string {
	if i == 0 {
		return ""
	}
	return strings.TrimSuffix(i.Time().UTC().Format(fieldSeconds), ":00")
}

// showInbox shows the list of the filter that the query or the form holds.
func (w *Web) showInbox(c echo.Context, body inboxPage) error {
	ctx := c.Request().Context()
	in := inboxForm(c)
	f, err := w.filterOf(ctx, &in)
	if err != nil {
		return err
	}
	f.After = c.QueryParam("next")
	page, err := w.store.Inbox(ctx, f)
	if err != nil {
		return err
	}
	s, err := w.summarize(ctx)
	if err != nil {
		return err
	}
	body.Connection, body.Status, body.Type, body.Step, body.Reason, body.Rule = f.Connection, f.Status, f.Type, f.Step, f.Reason, f.Rule
	body.Since, body.Until, body.Rows, body.CanReplay = fieldTime(f.Since), fieldTime(f.Until), page.Rows, w.admin.Works != nil
	body.Connections, body.Statuses = w.registry.IDs(), []string{"pending", "done", "ignored", "quarantined", "failed"}
	for id, x := range s.Inbox {
		if f.Connection == "" || f.Connection == id {
			body.Stats.add(x)
		}
	}
	if page.Next != "" {
		body.Next = link("/inbox", "connection", f.Connection, "status", f.Status, "type", f.Type, "step", f.Step, "reason", f.Reason, "rule", f.Rule,
			"since", in.Since, "until", in.Until, "next", page.Next)
	}
	return w.render(c, http.StatusOK, "inbox", "Inbox", body)
}

// replayForm counts what a replay of the filter would take, and does it once
// that count was confirmed.
func (w *Web) replayForm(c echo.Context) error {
	if w.admin.Works == nil {
		return echo.ErrNotFound
	}
	in := inboxForm(c)
	ctx := c.Request().Context()
	f, err := w.filterOf(ctx, &in)
	if err != nil {
		return err
	}
	confirmed := c.FormValue("confirm") != ""
	n, one, err := w.admin.Replay(ctx, f, author(c), !confirmed)
	if err != nil {
		return err
	}
	if confirmed {
		return w.showInbox(c, inboxPage{Count: -1, Note: counted(n, "raw event is", "raw events are") + " being processed again, as job " + number(one.ID) + ".", Work: one.ID})
	}
	return w.showInbox(c, inboxPage{Count: n})
}

func (w *Web) rawEventPage(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	t, err := w.store.Trace(c.Request().Context(), id)
	if err != nil {
		return err
	}
	body := rawPage{Raw: t.Raw.InboxRow, Whole: wholeOf(t.Raw), NextTry: t.Raw.NextTry, Trace: traceOf(t), Moves: t.Moves, Events: t.Events, Delivery: t.Deliveries}
	body.Events, body.Left.Events = firstOf(body.Events)
	body.Moves, body.Left.Moves = firstOf(body.Moves)
	body.Delivery, body.Left.Delivery = firstOf(body.Delivery)
	shown := t.Raw.Body
	if len(shown) > shownBody {
		shown, body.Cut = shown[:shownBody], true
	}
	body.Binary = !utf8.Valid(t.Raw.Body)
	body.Body = strings.ToValidUTF8(string(shown), "\uFFFD")
	return w.render(c, http.StatusOK, "raw", "Raw event "+number(id), body)
}

// firstOf gives what a page shows of a list, and how many more there are.
func firstOf[T any](all []T) ([]T, int64) {
	n := min(len(all), shownOf)
	return all[:n], int64(len(all) - n)
}
