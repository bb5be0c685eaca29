package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/lint"
	"github.com/stagebridge/stagebridge/store"
)

// lintBody is what lint says of a plan.
type lintBody struct {
	listBody[lint.Finding]
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

func lintOf(found []lint.Finding) lintBody {
	errors := lint.Errors(found)
	return lintBody{list(found, ""), errors, len(found) - errors}
}

// apiLintPlan gives advice about the plan in force.
func (w *Web) apiLintPlan(c echo.Context) error {
	found, err := w.admin.LintPlan(c.Request().Context(), nil)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, lintOf(found))
}

// apiLintDraft gives advice about the plan in the body, which is YAML.
func (w *Web) apiLintDraft(c echo.Context) error {
	source, err := text(c)
	if err != nil {
		return err
	}
	found, err := w.admin.LintPlan(c.Request().Context(), []byte(source))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, lintOf(found))
}

// apiPlanDocs gives the plan in force as a page; ?format= is markdown or html,
// and without it a browser gets HTML.
func (w *Web) apiPlanDocs(c echo.Context) error {
	format := c.QueryParam("format")
	if format == "" {
		format = "markdown"
		if strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/html") {
			format = "html"
		}
	}
	if !slices.Contains(jobs.PlanFormats(), format) {
		return badRequest("format", "is %q, want %s", format, strings.Join(jobs.PlanFormats(), " or "))
	}
	var page bytes.Buffer
	if err := w.admin.WritePlanDocs(c.Request().Context(), &page, format); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/"+format+"; charset=utf-8", page.Bytes())
}

// violationBody is one way in which events do not fit the plan.
type violationBody struct {
	Connection string `json:"connection"`
	Class      string `json:"class"`
	Event      string `json:"event"`
	Property   string `json:"property"`
	Rule       string `json:"rule"`
	Action     string `json:"action"`
	Count      int64  `json:"count"`
	Replayed   int64  `json:"replayed"`
	FirstSeen  string `json:"first_seen"`
	LastSeen   string `json:"last_seen"`
	// Samples are ids of raw events: /api/v1/inbox/{id}.
	Samples []string `json:"samples"`
}

func violationOf(v *store.Violation) violationBody {
	b := violationBody{
		Connection: v.Connection, Class: string(v.Class), Event: string(v.Event), Property: v.Property, Rule: v.Rule, Action: string(v.Action),
		Count: v.Count, Replayed: v.Replayed, FirstSeen: when(v.First), LastSeen: when(v.Last), Samples: []string{},
	}
	for _, id := range v.Samples {
		b.Samples = append(b.Samples, number(id))
	}
	return b
}

// violationFilter reads connection, class and event.
func violationFilter(c echo.Context) (store.ViolationFilter, error) {
	f := store.ViolationFilter{Connection: c.QueryParam("connection"), Event: lifecycle.EventName(c.QueryParam("event"))}
	var err error
	f.Class, err = classOf(c.QueryParam("class"))
	return f, err
}

func classOf(text string) (lifecycle.ViolationClass, error) {
	class := lifecycle.ViolationClass(text)
	if text != "" && !slices.Contains(lifecycle.Classes(), class) {
		return "", badRequest("class", "is %q, want one of %v", text, lifecycle.Classes())
	}
	return class, nil
}

// apiViolations lists what does not fit the plan.
func (w *Web) apiViolations(c echo.Context) error {
	f, err := violationFilter(c)
	if err != nil {
		return err
	}
	f.After = c.QueryParam("next")
	if f.Limit, err = limitOf(c); err != nil {
		return err
	}
	all, next, err := w.admin.Violations(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items := make([]violationBody, len(all))
	for i := range all {
		items[i] = violationOf(&all[i])
	}
	return c.JSON(http.StatusOK, list(items, next))
}

// apiForgetViolations removes what was counted, so that what still does not fit
// is counted from the start.
func (w *Web) apiForgetViolations(c echo.Context) error {
	f, err := violationFilter(c)
	if err != nil {
		return err
	}
	n, err := w.admin.ForgetViolations(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, countBody{Count: int64(n)})
}

// releaseInput says which parked raw events to judge again.
type releaseInput struct {
	Connection string `json:"connection"`
	Class      string `json:"class"`
	DryRun     bool   `json:"dry_run"`
}

// apiReleaseViolations judges parked raw events again, as long work.
func (w *Web) apiReleaseViolations(c echo.Context) error {
	var in releaseInput
	if err := decode(c, &in); err != nil {
		return err
	}
	class, err := classOf(in.Class)
	if err != nil {
		return err
	}
	n, one, err := w.admin.Release(c.Request().Context(), jobs.ReleaseFilter{Connection: in.Connection, Class: class}, author(c), in.DryRun)
	if err != nil {
		return err
	}
	if in.DryRun {
		return c.JSON(http.StatusOK, countBody{int64(n), true})
	}
	return w.accepted(c, &one)
}
