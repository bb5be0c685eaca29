package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
)

// reportTime bounds a report by the API; one that takes longer becomes long
// work, and the program's own command takes as long as it takes.
const reportTime = 20 * time.Second

// reportInfoBody is a report that there is.
type reportInfoBody struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
}

func (w *Web) apiReports(c echo.Context) error {
	var items []reportInfoBody
	for _, r := range live.Reports() {
		items = append(items, reportInfoBody{r.Name, r.Summary})
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

// apiReport computes a report over everybody; the query has its options, named
// as the command's flags. Where the summaries that reports read have to be made
// first, that is long work, and the answer says where to look for it; and so is
// the report itself where it takes too long, or somebody prefers that (RFC 7240,
// Prefer: respond-async).
func (w *Web) apiReport(c echo.Context) error {
	given := map[string]string{}
	o, err := live.ParseOptions(func(name string) string {
		if text := c.QueryParam(name); text != "" {
			given[name] = text
		}
		return c.QueryParam(name)
	})
	var wrong *live.FieldError
	if errors.As(err, &wrong) {
		return badRequest(wrong.Field, "%s", wrong.Detail)
	}
	if err != nil {
		return err
	}
	o.Now = lifecycle.At(w.now()).Add(time.Microsecond) // what happens now is in it
	cfg := w.registry.Config()
	o.PlanOf = cfg.PlanOf
	if err := o.Check(c.Param("name")); errors.Is(err, live.ErrUnknown) {
		return noReport()
	} else if errors.As(err, &wrong) {
		return badRequest(wrong.Field, "%s", wrong.Detail)
	}
	if w.admin.Works != nil && prefersAsync(c) {
		return w.reportLater(c, given)
	}
	end, err := w.reports.take(c.Request().Context(), reportWait)
	if err != nil {
		return err
	}
	defer end()
	ctx, cancel := context.WithTimeout(c.Request().Context(), reportTime)
	defer cancel()
	r, err := live.Run(ctx, w.store, cfg.Plan, c.Param("name"), o)
	switch {
	case errors.As(err, &wrong):
		return badRequest(wrong.Field, "%s", wrong.Detail)
	case errors.Is(err, live.ErrUnknown):
		return noReport()
	case errors.Is(err, live.ErrNotBuilt) && w.admin.Works != nil:
		one, err := w.admin.Works.StartSummaries(c.Request().Context(), author(c))
		if err != nil {
			return err
		}
		return w.accepted(c, &one)
	case err != nil && ctx.Err() != nil && c.Request().Context().Err() == nil && w.admin.Works != nil:
		return w.reportLater(c, given)
	case err != nil && ctx.Err() != nil && c.Request().Context().Err() == nil:
		return &Problem{Status: http.StatusGatewayTimeout, Title: "Too much for one request", Detail: "the report was not done in time; run stagebridge report on the server"}
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, r)
}

func noReport() error {
	return &Problem{Status: http.StatusNotFound, Title: "No such report", Detail: "GET /api/v1/reports lists them"}
}

// prefersAsync tells whether somebody would rather look for the answer later.
func prefersAsync(c echo.Context) bool {
	for _, line := range c.Request().Header.Values("Prefer") {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), "respond-async") {
				return true
			}
		}
	}
	return false
}

// reportLater begins the report as long work.
func (w *Web) reportLater(c echo.Context, given map[string]string) error {
	one, err := w.admin.Works.StartReport(c.Request().Context(), c.Param("name"), given, author(c))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}
