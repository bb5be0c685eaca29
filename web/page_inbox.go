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
	Rows                     []store.InboxRow
	Next                     string
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

func (w *Web) inboxPage(c echo.Context) error {
	ctx := c.Request().Context()
	f, err := inboxFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.Inbox(ctx, f)
	if err != nil {
		return err
	}
	s, err := w.summarize(ctx)
	if err != nil {
		return err
	}
	body := inboxPage{Connection: f.Connection, Status: f.Status, Type: f.Type, Connections: w.registry.IDs(),
		Statuses: []string{"pending", "done", "ignored", "quarantined", "failed"}, Rows: page.Rows}
	for id, x := range s.Inbox {
		if f.Connection == "" || f.Connection == id {
			body.Stats.add(x)
		}
	}
	if page.Next != "" {
		body.Next = link("/inbox", "connection", f.Connection, "status", f.Status, "type", f.Type, "step", f.Step, "reason", f.Reason,
			"since", c.QueryParam("since"), "until", c.QueryParam("until"), "next", page.Next)
	}
	return w.render(c, http.StatusOK, "inbox", "Inbox", body)
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
