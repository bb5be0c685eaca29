package web

import (
	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
)

// previewAllRules begins to compare what raw events gave with what they would
// give under draft rules.
func (w *Web) previewAllRules(c echo.Context, source string) error {
	if w.admin.Works == nil {
		return &Problem{Status: 501, Title: "Not offered", Detail: "this process does no long work"}
	}
	in := replayForm(c)
	if in.Status == "pending" {
		return badRequest("status", "is %q, want done, ignored, quarantined or failed", in.Status)
	}
	if in.Connection != "" && in.Connection != c.Param("id") {
		return badRequest("connection", "is %q, want %q or nothing", in.Connection, c.Param("id"))
	}
	ctx := c.Request().Context()
	f, err := w.filterOf(ctx, &in)
	if err != nil {
		return err
	}
	one, err := w.admin.StartRulesPreview(ctx, jobs.RulesPreviewArgs{Connection: c.Param("id"), Rules: source, Filter: f}, author(c))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}
