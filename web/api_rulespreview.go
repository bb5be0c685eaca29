package web

import (
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// previewAllRules begins to compare what raw events gave with what they would
// give under draft rules.
func (w *Web) previewAllRules(c echo.Context, source string) error {
	if w.admin.Works == nil {
		return &Problem{Status: 501, Title: "Not offered", Detail: "this process does no long work"}
	}
	f := store.InboxFilter{Status: c.QueryParam("status"), Type: c.QueryParam("type")}
	if f.Status != "" && !slices.Contains([]string{"done", "ignored", "quarantined", "failed"}, f.Status) {
		return badRequest("status", "is %q, want done, ignored, quarantined or failed", f.Status)
	}
	var err error
	if f.Since, err = instantOf("since", c.QueryParam("since")); err != nil {
		return err
	}
	if f.Until, err = instantOf("until", c.QueryParam("until")); err != nil {
		return err
	}
	one, err := w.admin.StartRulesPreview(c.Request().Context(), jobs.RulesPreviewArgs{Connection: c.Param("id"), Rules: source, Filter: f}, apiAuthor)
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}
