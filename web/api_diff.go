package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
)

// differenceBody is one place at which two texts differ in meaning.
type differenceBody struct {
	Change string `json:"change"`
	Path   string `json:"path"`
	Was    string `json:"was,omitempty"`
	Is     string `json:"is,omitempty"`
}

// diffBody is what differs between two versions.
type diffBody struct {
	From    int64            `json:"from"`
	To      int64            `json:"to"`
	Changes []differenceBody `json:"changes"`
	Lines   []string         `json:"lines"`
}

func diffOf(from, to int64, d jobs.TextDiff) diffBody {
	b := diffBody{From: from, To: to, Changes: []differenceBody{}, Lines: append([]string{}, d.Lines...)}
	for _, x := range d.Changes {
		b.Changes = append(b.Changes, differenceBody{string(x.Change), strings.Join(x.Path, " / "), x.Was, x.Is})
	}
	return b
}

// versionsIn reads the two versions out of the path. What is no number cannot
// be a version.
func versionsIn(c echo.Context) (from, to int64, err error) {
	if from, err = strconv.ParseInt(c.Param("from"), 10, 64); err != nil || from < 0 {
		return 0, 0, badRequest("from", "is %q, want the number of a version", c.Param("from"))
	}
	if to, err = strconv.ParseInt(c.Param("to"), 10, 64); err != nil || to < 0 {
		return 0, 0, badRequest("to", "is %q, want the number of a version", c.Param("to"))
	}
	return from, to, nil
}

// apiDiffPlan compares two versions of the plan.
func (w *Web) apiDiffPlan(c echo.Context) error {
	from, to, err := versionsIn(c)
	if err != nil {
		return err
	}
	d, err := w.admin.DiffPlan(c.Request().Context(), from, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, diffOf(from, to, d))
}

// apiDiffRules compares two versions of a connection's rules.
func (w *Web) apiDiffRules(c echo.Context) error {
	from, to, err := versionsIn(c)
	if err != nil {
		return err
	}
	d, err := w.admin.DiffRules(c.Request().Context(), c.Param("id"), from, to)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, diffOf(from, to, d))
}
