package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// versionPage answers: what was published then, and what differs from now?
type versionPage struct {
	// Of is "the plan" or the connection, Back the page of its editor and Action
	// where the form that puts it in force again goes.
	Of, Back, Action string
	Version          store.Versioned
	Current          int64
	Lines            []diffLine
}

// diffLine is a line of a diff; Kind is add, del or empty.
type diffLine struct{ Kind, Text string }

func diffLines(d jobs.TextDiff) []diffLine {
	all := make([]diffLine, len(d.Lines))
	for i, text := range d.Lines {
		all[i].Text = text
		if text != "" {
			all[i].Kind = map[byte]string{'+': "add", '-': "del"}[text[0]]
		}
	}
	return all
}

func versionIn(c echo.Context) (int64, error) {
	v, err := strconv.ParseInt(c.Param("version"), 10, 64)
	if err != nil || v < 1 {
		return 0, badRequest("version", "is %q, want the number of a version", c.Param("version"))
	}
	return v, nil
}

// rulesVersionPage shows a version of a connection's rules.
func (w *Web) rulesVersionPage(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	version, err := versionIn(c)
	if err != nil {
		return err
	}
	now, err := w.admin.Rules(ctx, id)
	if err != nil {
		return err
	}
	body := versionPage{Of: "the rules of " + id, Back: "/connections/" + id + "/rules", Current: now.Version}
	body.Action = body.Back + "/" + number(version)
	if body.Version, err = w.store.Rules(ctx, id, version); err != nil {
		return err
	}
	d, err := w.admin.DiffRules(ctx, id, version, now.Version)
	if err != nil {
		return err
	}
	body.Lines = diffLines(d)
	return w.render(c, http.StatusOK, "version", "Version "+number(version)+" of the rules of "+id, body)
}

// rollbackRulesForm puts a version of a connection's rules in force again.
func (w *Web) rollbackRulesForm(c echo.Context) error {
	version, err := versionIn(c)
	if err != nil {
		return err
	}
	if _, err := w.admin.RollbackRules(c.Request().Context(), c.Param("id"), version, author(c), c.FormValue("reason")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/connections/"+c.Param("id")+"/rules")
}

// planVersionPage shows a version of the plan.
func (w *Web) planVersionPage(c echo.Context) error {
	ctx := c.Request().Context()
	version, err := versionIn(c)
	if err != nil {
		return err
	}
	now, err := w.admin.Plan(ctx)
	if err != nil {
		return err
	}
	body := versionPage{Of: "the plan", Back: "/plan", Action: "/plan/versions/" + number(version), Current: now.Version}
	if body.Version, err = w.store.PlanVersion(ctx, version); err != nil {
		return err
	}
	d, err := w.admin.DiffPlan(ctx, version, now.Version)
	if err != nil {
		return err
	}
	body.Lines = diffLines(d)
	return w.render(c, http.StatusOK, "version", "Version "+number(version)+" of the plan", body)
}

// rollbackPlanForm puts a version of the plan in force again.
func (w *Web) rollbackPlanForm(c echo.Context) error {
	version, err := versionIn(c)
	if err != nil {
		return err
	}
	if _, _, err := w.admin.RollBack(c.Request().Context(), version, author(c), c.FormValue("reason")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/plan")
}
