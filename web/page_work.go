package web

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// workPage answers: how far is what takes long?
type workPage struct {
	Rows []workRow
	Next string
}

// workRow is a piece of long work. Width is how far it is, of 100.
type workRow struct {
	store.Work
	Unit  string
	Width int64
	Left  string // "about 5 min", where it is known
	Live  bool
	// Said is what came of it, in a sentence, and Page where the whole of it can
	// be looked at; empty where there is none.
	Said, Page string
}

// workRows is how many a page shows.
const workRows = 30

func (w *Web) workPage(c echo.Context) error {
	body, err := w.workOf(c.Request().Context())
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "work", "Long work", body)
}

func (w *Web) liveWork(c echo.Context) error {
	return w.stream(c, "work", func() (any, error) { return w.workOf(c.Request().Context()) })
}

func (w *Web) workOf(ctx context.Context) (workPage, error) {
	all, err := w.store.Works(ctx, store.WorkFilter{Limit: workRows})
	var body workPage
	for i := range all {
		body.Rows = append(body.Rows, w.workRow(&all[i]))
	}
	return body, err
}

func (w *Web) workRow(one *store.Work) workRow {
	row := workRow{Work: *one, Live: one.State.Live(), Said: said(one), Page: pageOfWork(one)}
	if w.admin.Works != nil {
		row.Unit = w.admin.Works.Unit(one.Kind)
	}
	if row.Total > 0 {
		row.Width = min(100, row.Done*100/row.Total)
	}
	if left, known := jobs.Remaining(one); known {
		row.Left = roughly(left)
	}
	return row
}

// roughly says a time that is still to come.
func roughly(d time.Duration) string {
	if d < time.Second {
		return "done in a moment"
	}
	return "about " + ago(-d)[len("in "):] + " left"
}

// cancelWork asks for work to be ended.
func (w *Web) cancelWork(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	if _, err := w.admin.Works.Cancel(c.Request().Context(), id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/work")
}
