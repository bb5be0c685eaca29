package web

import "github.com/labstack/echo/v4"

// apiScore begins to compute the scores of every customer, and says where to
// look for it. Where that is under way already, it is the answer.
func (w *Web) apiScore(c echo.Context) error {
	one, err := w.admin.Works.StartScores(c.Request().Context(), author(c))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}
