package web

import (
	"encoding/csv"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
)

// segmentsPage answers: who is in it, and where does it go?
type segmentsPage struct {
	Rows []segmentRow
	// Whole is false where only some of those who are not in step were looked at.
	Whole bool
}

// segmentRow is a segment, how many are and were in it, and the connections
// that are told of it.
type segmentRow struct {
	segmentBody
	Size sizeLine
	Told []toldRow
}

// toldRow is a connection that is told of a segment. Behind is how many members
// it does not hold as it should.
type toldRow struct {
	light
	Behind int64
}

func (w *Web) segmentsPage(c echo.Context) error {
	ctx := c.Request().Context()
	s, err := w.summarize(ctx)
	if err != nil {
		return err
	}
	sizes, err := w.admin.Sizes(ctx)
	if err != nil {
		return err
	}
	cfg := w.registry.Config()
	var body segmentsPage
	told := map[string]bool{}
	var names []lifecycle.Segment
	for _, x := range segmentsOf(cfg.Plan, s) {
		row := segmentRow{segmentBody: x, Size: sizeLineOf(x.Name, sizes, x.People, w.now())}
		for _, id := range w.registry.IDs() {
			if conn := cfg.Connections[id]; conn != nil && conn.Push.Enabled && jobs.Pushes(&conn.Push, x.Name) {
				row.Told = append(row.Told, toldRow{light: lightOf(conn, s)})
				told[id] = true
			}
		}
		names = append(names, lifecycle.Segment(x.Name))
		body.Rows = append(body.Rows, row)
	}
	behind, whole, err := w.store.SegmentsBehind(ctx, slices.Sorted(maps.Keys(told)), names)
	if err != nil {
		return err
	}
	body.Whole = whole
	for i := range body.Rows {
		for j := range body.Rows[i].Told {
			to := &body.Rows[i].Told[j]
			to.Behind = behind[lifecycle.Segment(body.Rows[i].Name)][to.ID]
		}
	}
	return w.render(c, http.StatusOK, "segments", "Segments", body)
}

// membersPerRead is how many people of a download are read at once.
const membersPerRead = 500

// segmentMembers sends everybody in a segment as CSV, a row each, while they
// are read: a segment may hold millions.
func (w *Web) segmentMembers(c echo.Context) error {
	ctx, name := c.Request().Context(), c.Param("name")
	f := store.PeopleFilter{Segment: lifecycle.Segment(name), Limit: membersPerRead}
	page, err := w.store.People(ctx, f) // before the first byte, so that an error can be told
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="segment.csv"`)
	out := csv.NewWriter(c.Response())
	_ = out.Write([]string{"id", "keys", "stage", "stage_since", "last_seen"}) // what fails is told by Flush
	for {
		for _, p := range page.People {
			_ = out.Write([]string{number(int64(p.ID)), live.Inert(strings.Join(p.Keys, " ")), live.Inert(string(p.Stage)), when(p.Since), when(p.LastSeen)})
		}
		out.Flush()
		if f.After = page.Next; out.Error() != nil || f.After == "" {
			return out.Error()
		}
		if page, err = w.store.People(ctx, f); err != nil {
			return err // the answer breaks off: it must not look whole
		}
	}
}
