package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
)

// syncPage answers: what has not reached the vendors?
type syncPage struct {
	syncInput
	Connections []light
	// Groups are those who failed, by the vendor's words; Whole is false where
	// only the first of them were looked at.
	Groups []store.SyncGroup
	Whole  bool
	IDs    []string
	States []string
	Rows   []store.Sync
	Next   string
	Note   string
	// Retry is how many people a retry of the filter would make due: -1 where
	// nothing can be retried, -2 where it was not counted yet.
	Retry int64
	// Resync is the connection whose people are all to be sent, once that is
	// confirmed, and Everybody how many those are.
	Resync    string
	Everybody int64
}

// shownGroups is how many groups of failures a page shows.
const shownGroups = 30

func (w *Web) syncPage(c echo.Context) error { return w.showSync(c, syncPage{Retry: -2}) }

// syncForm reads the filter out of a query or a form.
func syncForm(c echo.Context) syncInput {
	return syncInput{Connection: c.FormValue("connection"), State: c.FormValue("state"), Reason: c.FormValue("reason"), Message: c.FormValue("message")}
}

// showSync shows the list of the filter that the query or the form holds.
func (w *Web) showSync(c echo.Context, body syncPage) error {
	ctx := c.Request().Context()
	body.syncInput = syncForm(c)
	if body.Note != "" {
		body.syncInput = syncInput{Connection: body.Connection, State: store.SyncPending}
	}
	f, err := w.syncFilter(&body.syncInput)
	if err != nil {
		return err
	}
	f.After = c.QueryParam("next")
	page, err := w.store.SyncList(ctx, f)
	if err != nil {
		return err
	}
	s, err := w.summarize(ctx)
	if err != nil {
		return err
	}
	body.Connections, body.IDs, body.States, body.Rows = w.lights(w.registry.Config(), s), w.registry.IDs(), syncStates[:], page.Rows
	switch {
	case body.State != store.SyncFailed && body.State != store.SyncSkipped && body.State != store.SyncUnconfirmed:
		body.Retry = -1
	case body.Retry == -2 && f.Reason == "" && f.Message == "":
		body.Retry = 0
		for _, id := range f.Connections {
			body.Retry += s.Sync[id][f.State]
		}
	}
	if err := w.groupFailures(ctx, &body, s); err != nil {
		return err
	}
	if page.Next != "" {
		body.Next = link("/sync", "connection", body.Connection, "state", body.State, "reason", body.Reason, "message", body.Message, "next", page.Next)
	}
	return w.render(c, http.StatusOK, "sync", "Sync", body)
}

// groupFailures fills in who failed, at the connections where somebody did.
func (w *Web) groupFailures(ctx context.Context, body *syncPage, s *summary) error {
	var failing []string
	for _, id := range w.registry.IDs() {
		if s.Sync[id][store.SyncFailed] > 0 && (body.Connection == "" || body.Connection == id) {
			failing = append(failing, id)
		}
	}
	var err error
	if body.Groups, body.Whole, err = w.store.SyncGroups(ctx, failing, store.SyncFailed); err != nil {
		return err
	}
	if len(body.Groups) > shownGroups {
		body.Groups, body.Whole = body.Groups[:shownGroups], false
	}
	return nil
}

// retrySyncForm makes the people of a filter due again; asked to look first, it
// counts them and shows the button that does it.
func (w *Web) retrySyncForm(c echo.Context) error {
	in := syncForm(c)
	f, err := w.syncFilter(&in)
	if err != nil {
		return err
	}
	look := c.FormValue("look") != ""
	n, err := w.admin.RetrySync(c.Request().Context(), f, look)
	if err != nil {
		return err
	}
	if look {
		return w.showSync(c, syncPage{Retry: n})
	}
	return w.showSync(c, syncPage{Note: counted(n, "person", "people") + " will be tried again now."})
}

// actOnSync pauses a connection, lets it go on, or sends everybody there in
// full once the number of people was seen and confirmed.
func (w *Web) actOnSync(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	switch action := c.Param("action"); action {
	case "pause", "resume":
		if _, err := w.admin.Pause(ctx, id, action == "pause"); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/sync")
	case "resync":
	default:
		return echo.ErrNotFound
	}
	conn, err := w.registry.Find(ctx, id)
	if err != nil {
		return err
	}
	if !conn.Push.Enabled {
		return badRequest("connection", "%s pushes nothing; nothing was changed", id)
	}
	if c.FormValue("confirm") == "" {
		d, err := w.admin.Delivery(ctx, id)
		if err != nil {
			return err
		}
		return w.showSync(c, syncPage{Retry: -2, Resync: id, Everybody: d.People})
	}
	n, err := w.admin.Resync(ctx, id)
	if err != nil {
		return err
	}
	return w.showSync(c, syncPage{Note: counted(n, "person", "people") + " will be sent to " + id + " in full."})
}
