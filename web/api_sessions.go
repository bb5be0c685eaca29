package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
)

// sessionBody is a login of a user on one browser. Its id opens nothing.
type sessionBody struct {
	ID        string `json:"id"`
	Address   string `json:"address"`
	Agent     string `json:"agent"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"last_seen"`
	// ExpiresAt is when it ends if it is not used again.
	ExpiresAt string `json:"expires_at"`
}

func sessionOf(x store.Session) sessionBody {
	ends := min(x.Seen.Add(sessionIdle), x.Created.Add(sessionMost))
	return sessionBody{ID: x.ID, Address: x.Address, Agent: x.Agent, CreatedAt: when(x.Created), SeenAt: when(x.Seen), ExpiresAt: when(ends)}
}

func (w *Web) apiSessions(c echo.Context) error {
	ctx := c.Request().Context()
	if _, err := w.store.User(ctx, c.Param("name")); err != nil {
		return err
	}
	all, err := w.store.SessionsOf(ctx, c.Param("name"), w.alive())
	if err != nil {
		return err
	}
	items := make([]sessionBody, len(all))
	for i, x := range all {
		items[i] = sessionOf(x)
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

// endedBody says how many sessions ended.
type endedBody struct {
	Ended int64 `json:"ended"`
}

// apiEndSessions ends the session named by the path, or all of the user.
func (w *Web) apiEndSessions(c echo.Context) error {
	n, err := w.store.EndSessionsOf(c.Request().Context(), c.Param("name"), c.Param("id"), "")
	if err == nil && n == 0 && c.Param("id") != "" {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, endedBody{n})
}
