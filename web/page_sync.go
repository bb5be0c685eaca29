package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
)

// syncPage answers: what has not reached the vendors?
type syncPage struct {
	Connection, State, Reason string
	Connections               []light
	IDs                       []string
	States                    []string
	Rows                      []store.Sync
	Next                      string
	Note                      string
	// Retry is how many people the button would make due; -1 without a button.
	Retry int64
}

func (w *Web) syncPage(c echo.Context) error { return w.showSync(c, "") }

func (w *Web) showSync(c echo.Context, note string) error {
	ctx := c.Request().Context()
	in := syncInput{Connection: c.FormValue("connection"), State: c.FormValue("state"), Reason: c.FormValue("reason")}
	if note != "" {
		in.State = store.SyncPending
	}
	f, err := w.syncFilter(&in)
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
	body := syncPage{Connection: in.Connection, State: in.State, Reason: in.Reason, Connections: w.lights(w.registry.Config(), s),
		IDs: w.registry.IDs(), States: syncStates[:], Rows: page.Rows, Note: note, Retry: -1}
	if in.State == store.SyncFailed || in.State == store.SyncSkipped || in.State == store.SyncUnconfirmed {
		if body.Retry, err = w.retryCount(ctx, s, f); err != nil {
			return err
		}
	}
	if page.Next != "" {
		body.Next = link("/sync", "connection", in.Connection, "state", in.State, "reason", in.Reason, "next", page.Next)
	}
	return w.render(c, http.StatusOK, "sync", "Sync", body)
}

// retryCount says how many people a retry would make due. Without a reason the
// summary knows.
func (w *Web) retryCount(ctx context.Context, s *summary, f store.SyncFilter) (int64, error) {
	if f.Reason != "" {
		return w.admin.RetrySync(ctx, f, true)
	}
	var n int64
	for _, id := range f.Connections {
		n += s.Sync[id][f.State]
	}
	return n, nil
}

func (w *Web) retrySyncForm(c echo.Context) error {
	f, err := w.syncFilter(&syncInput{Connection: c.FormValue("connection"), State: c.FormValue("state"), Reason: c.FormValue("reason")})
	if err != nil {
		return err
	}
	n, err := w.admin.RetrySync(c.Request().Context(), f, false)
	if err != nil {
		return err
	}
	return w.showSync(c, counted(n, "person", "people")+" will be tried again now.")
}
