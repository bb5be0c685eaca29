package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// pinBody is a decision that a person has a stage.
type pinBody struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
	// Until ends it, RFC 3339; empty: until it is released.
	Until string `json:"until"`
}

// apiPin pins the person, and gives them as they are then.
func (w *Web) apiPin(c echo.Context) error {
	var body pinBody
	if err := decode(c, &body); err != nil {
		return err
	}
	if err := w.pin(c, body, apiAuthor); err != nil {
		return err
	}
	return w.apiProfile(c)
}

func (w *Web) apiUnpin(c echo.Context) error {
	var body struct {
		Reason string `json:"reason"`
	}
	if err := decode(c, &body); err != nil {
		return err
	}
	if err := w.unpin(c, body.Reason, apiAuthor); err != nil {
		return err
	}
	return w.apiProfile(c)
}

// pinForm is the same by the page's form; its day ends at midnight UTC.
func (w *Web) pinForm(c echo.Context) error {
	user, _ := c.Get(userKey).(string)
	var err error
	if c.FormValue("release") != "" {
		err = w.unpin(c, c.FormValue("reason"), user)
	} else {
		until := c.FormValue("until")
		if until != "" {
			until += "T23:59:59Z"
		}
		err = w.pin(c, pinBody{c.FormValue("stage"), c.FormValue("reason"), until}, user)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/people/"+c.Param("id"))
}

func (w *Web) pin(c echo.Context, body pinBody, author string) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	in := jobs.PinInput{Stage: lifecycle.Stage(body.Stage), Reason: body.Reason, Author: author}
	if body.Until != "" {
		if in.Until, err = time.Parse(time.RFC3339, body.Until); err != nil {
			return badRequest("until", "is %q, want a time such as 2027-01-31T12:00:00Z", body.Until)
		}
	}
	return w.admin.Pin(c.Request().Context(), p.ID, in)
}

func (w *Web) unpin(c echo.Context, reason, author string) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	return w.admin.Unpin(c.Request().Context(), p.ID, reason, author)
}
