package web

import (
	"github.com/labstack/echo/v4"
)

// apiPull begins to take over everybody whom the connection's vendor holds.
func (w *Web) apiPull(c echo.Context) error {
	one, err := w.admin.Pull(c.Request().Context(), c.Param("id"), author(c))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}

// deliveryBody is how far a connection's people are brought to what they should
// hold there.
type deliveryBody struct {
	// People there are, and how many of them wait to be sent.
	People  int64 `json:"people"`
	Waiting int64 `json:"waiting"`
	// Adding: people are still being made due, since the connection is new, its
	// push settings changed or a resync was asked for.
	Adding bool `json:"adding"`
}

// connectionWhole is a connection with what is under way for it.
type connectionWhole struct {
	connectionBody
	Delivery *deliveryBody `json:"delivery,omitempty"`
}
