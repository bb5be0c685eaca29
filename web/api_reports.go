package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
)

// reportTime bounds a report by the API; the program's own command takes as
// long as it takes.
const reportTime = 60 * time.Second

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
// first, that is long work, and the answer says where to look for it.
func (w *Web) apiReport(c echo.Context) error {
	o, err := live.ParseOptions(c.QueryParam)
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
	ctx, cancel := context.WithTimeout(c.Request().Context(), reportTime)
	defer cancel()
	r, err := live.Run(ctx, w.store, cfg.Plan, c.Param("name"), o)
	switch {
	case errors.As(err, &wrong):
		return badRequest(wrong.Field, "%s", wrong.Detail)
	case errors.Is(err, live.ErrUnknown):
		return &Problem{Status: http.StatusNotFound, Title: "No such report", Detail: "GET /api/v1/reports lists them"}
	case errors.Is(err, live.ErrNotBuilt) && w.admin.Works != nil:
		one, err := w.admin.Works.StartSummaries(c.Request().Context(), author(c))
		if err != nil {
			return err
		}
		return w.accepted(c, &one)
	case err != nil && ctx.Err() != nil && c.Request().Context().Err() == nil:
		return &Problem{Status: http.StatusGatewayTimeout, Title: "Too much for one request", Detail: "the report was not done within a minute; run stagebridge report on the server"}
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, r)
}
