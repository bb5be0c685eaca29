package web

import (
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Kept says how long one class of data is kept.
type Kept struct {
	// What goes then, and the Setting that says so.
	What, Setting string
	// Days; zero: it is kept.
	Days int
}

// blockedValues are the values that identify nobody because the plan says so,
// as its text has them: values, and expressions between slashes. Usual counts
// those that every plan blocks.
type blockedValues struct {
	Values []string
	Usual  int64
}

func blockedOf(plan *lifecycle.Plan) blockedValues {
	g, usual := plan.Guards(), lifecycle.DefaultGuards()
	b := blockedValues{Usual: int64(len(usual.Blocked) + len(usual.BlockedLocals) + len(usual.BlockedDomains))}
	for _, value := range slices.Sorted(maps.Keys(g.Blocked)) {
		if !usual.Blocked[value] {
			b.Values = append(b.Values, value)
		}
	}
	for _, p := range g.Patterns {
		text := "/" + p.Match.String() + "/"
		if p.Namespace != "" {
			text = p.Namespace + ":" + text
		}
		b.Values = append(b.Values, text)
	}
	return b
}

// erasedFile gives the list of what was erased as a file, to be kept beside the
// backups.
func (w *Web) erasedFile(c echo.Context) error {
	all, err := w.admin.Erased(c.Request().Context())
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="erased.json"`)
	return c.JSON(http.StatusOK, list(all, ""))
}
