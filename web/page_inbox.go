package web

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// shownBody is how much of a raw body a page shows, in bytes.
const shownBody = 64 << 10

// inboxPage answers: what came in?
type inboxPage struct {
	Connection, Status, Type string
	Connections              []string
	Statuses                 []string
	Stats                    statsBody
	Step, Reason             string
	Since, Until             string
	Rows                     []store.InboxRow
	Next                     string
	CanReplay                bool
	// Count is how many raw events a replay of this filter would take; -1
	// before that was asked for.
	Count int64
	Note  string
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
}

func (w *Web) inboxPage(c echo.Context) error { return w.showInbox(c, -1, "") }

// showInbox shows the list of the filter that the query or the form holds.
func (w *Web) showInbox(c echo.Context, count int64, note string) error {
	ctx := c.Request().Context()
	in := replayForm(c)
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
	body := inboxPage{Connection: f.Connection, Status: f.Status, Type: f.Type, Step: f.Step, Reason: f.Reason, Since: in.Since, Until: in.Until,
		Connections: w.registry.IDs(), Statuses: []string{"pending", "done", "ignored", "quarantined", "failed"}, Rows: page.Rows,
		CanReplay: w.admin.Works != nil, Count: count, Note: note}
	for id, x := range s.Inbox {
		if f.Connection == "" || f.Connection == id {
			body.Stats.add(x)
		}
	}
	if page.Next != "" {
		body.Next = link("/inbox", "connection", f.Connection, "status", f.Status, "type", f.Type, "step", f.Step, "reason", f.Reason,
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
	in := replayForm(c)
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
		return w.showInbox(c, -1, counted(n, "raw event is", "raw events are")+" being processed again, as job "+number(one.ID)+".")
	}
	return w.showInbox(c, n, "")
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
	shown := t.Raw.Body
	if len(shown) > shownBody {
		shown, body.Cut = shown[:shownBody], true
	}
	body.Binary = !utf8.Valid(t.Raw.Body)
	body.Body = strings.ToValidUTF8(string(shown), "\uFFFD")
	return w.render(c, http.StatusOK, "raw", "Raw event "+number(id), body)
}
