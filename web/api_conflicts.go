package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// conflictBody is a claim or pin that did not have its way: who said what, and
// what was shown instead. Connection is empty for a pin.
type conflictBody struct {
	Profile string `json:"profile"`
	claimBody
	Event  string `json:"event"`
	Reason string `json:"reason"`
	Why    string `json:"why"`
	Won    string `json:"won"`
	WonBy  string `json:"won_by"`
}

func conflictOf(id lifecycle.ProfileID, c *lifecycle.Conflict) conflictBody {
	return conflictBody{number(int64(id)), claimBody{c.Connection, string(c.Stage), when(c.At)}, c.Event.String(), string(c.Reason), c.Why(), string(c.Won), c.By}
}

// apiConflicts lists the conflicts of a connection, the newest first.
func (w *Web) apiConflicts(c echo.Context) error {
	f := store.ConflictFilter{Connection: c.QueryParam("connection")}
	if f.Connection == "" {
		return badRequest("connection", "is required: whose claims to list")
	}
	return w.showConflicts(c, f)
}

// apiProfileConflicts lists those of a person, pins included.
func (w *Web) apiProfileConflicts(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	return w.showConflicts(c, store.ConflictFilter{Person: p.ID})
}

func (w *Web) showConflicts(c echo.Context, f store.ConflictFilter) error {
	var err error
	f.After = c.QueryParam("next")
	if f.Limit, err = limitOf(c); err != nil {
		return err
	}
	page, err := w.store.Conflicts(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items := make([]conflictBody, len(page.Conflicts))
	for i := range page.Conflicts {
		items[i] = conflictOf(page.Conflicts[i].Person, &page.Conflicts[i].Conflict)
	}
	return c.JSON(http.StatusOK, list(items, page.Next))
}
