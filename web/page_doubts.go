package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// stateDoubtful asks the review list for joins that were made and rest on
// weaker evidence than others.
const stateDoubtful = "doubtful"

// doubtsPage answers: which of the joins that were made may be wrong?
type doubtsPage struct {
	State  string
	States []string
	Rows   []jobs.Doubt
	Next   string
}

// doubtsPage shows a page of doubtful joins. A page may be empty and not the
// last: a bounded number of people is looked at for each.
func (w *Web) doubtsPage(c echo.Context) error {
	after := int64(0)
	if text := c.QueryParam("next"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after <= 0 {
			return store.ErrCursor
		}
	}
	doubts, next, err := w.admin.Doubts(c.Request().Context(), lifecycle.ProfileID(after), true)
	if err != nil {
		return err
	}
	body := doubtsPage{State: stateDoubtful, States: reviewStates(), Rows: doubts}
	if next != 0 {
		body.Next = link("/people/reviews", "state", stateDoubtful, "next", number(int64(next)))
	}
	return w.render(c, http.StatusOK, "doubts", "Review list", body)
}

// confirmJoinForm says that a doubtful join is right.
func (w *Web) confirmJoinForm(c echo.Context) error {
	key, err := keyOf("key", c.FormValue("key"))
	if err != nil {
		return err
	}
	with, err := keyOf("with", c.FormValue("with"))
	if err != nil {
		return err
	}
	if err := w.admin.ConfirmJoin(c.Request().Context(), key, with, c.FormValue("reason"), author(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, link("/people/reviews", "state", stateDoubtful))
}
