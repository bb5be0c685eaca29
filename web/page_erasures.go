package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// erasuresPath is where requests for erasure are.
const erasuresPath = "/people/erasures"

// erasuresPage answers: who asked to be erased, and was it done?
type erasuresPage struct {
	State  string
	States []string
	Rows   []erasureRow
	Next   string
}

// erasureRow is a request, and how many vendors have done with it.
type erasureRow struct {
	store.Erasure
	Vendors, Settled int64
}

// erasurePage is one request: what it would take away, how far it is, or what
// was done, with the certificates of the vendors.
type erasurePage struct {
	store.Erasure
	// Plan says what confirming would do; nil unless the request is open.
	Plan *jobs.ErasurePlan
	// Work carries it out; nil while nobody does.
	Work         *store.Work
	Width        int64
	Removed      jobs.Removed
	Certificates []store.Certificate
	// Failed: a vendor can be asked again. Live: the page is to follow.
	Failed, Live bool
	Note         string
}

var erasureStates = [...]string{store.ErasureOpen, store.ErasureConfirmed, store.ErasureDone, store.ErasureRejected}

func (w *Web) erasuresPage(c echo.Context) error {
	ctx := c.Request().Context()
	f := store.ErasureFilter{State: c.QueryParam("state"), Limit: store.DefaultPage}
	if f.State != "" && !slices.Contains(erasureStates[:], f.State) {
		return badRequest("state", "is %q, want open, confirmed, done or rejected", f.State)
	}
	if text := c.QueryParam("next"); text != "" {
		var err error
		if f.Before, err = strconv.ParseInt(text, 10, 64); err != nil || f.Before <= 0 {
			return store.ErrCursor
		}
	}
	all, err := w.store.Erasures(ctx, f)
	if err != nil {
		return err
	}
	ids := make([]int64, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	certificates, err := w.store.Certificates(ctx, ids)
	if err != nil {
		return err
	}
	body := erasuresPage{State: f.State, States: erasureStates[:]}
	for _, e := range all {
		row := erasureRow{Erasure: e}
		for _, x := range certificates[e.ID] {
			row.Vendors++
			if x.State != store.CertificateWaiting && x.State != store.CertificateFailed {
				row.Settled++
			}
		}
		body.Rows = append(body.Rows, row)
	}
	if len(all) == f.Limit {
		body.Next = link(erasuresPath, "state", f.State, "next", number(all[len(all)-1].ID))
	}
	return w.render(c, http.StatusOK, "erasures", "Requests for erasure", body)
}

func (w *Web) erasurePage(c echo.Context) error { return w.showErasurePage(c, "") }

func (w *Web) showErasurePage(c echo.Context, note string) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	body, err := w.erasureOf(c.Request().Context(), id)
	if err != nil {
		return err
	}
	body.Note = note
	return w.render(c, http.StatusOK, "erasure", "Request for erasure "+number(id), body)
}

func (w *Web) liveErasure(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	return w.stream(c, "erasure", func() (any, error) { return w.erasureOf(c.Request().Context(), id) })
}

// erasureOf reads a request with what its state has to show.
func (w *Web) erasureOf(ctx context.Context, id int64) (erasurePage, error) {
	var body erasurePage
	e, err := w.store.Erasure(ctx, id)
	if err != nil {
		return body, err
	}
	body.Erasure = *e
	if e.State == store.ErasureOpen {
		if body.Plan, err = w.admin.ErasurePlan(ctx, e.Person); isNotFound(err) {
			err = nil // whoever it was about is gone; it can be rejected
		}
		return body, err
	}
	certificates, err := w.store.Certificates(ctx, []int64{id})
	if err != nil {
		return body, err
	}
	body.Certificates = certificates[id]
	for _, x := range body.Certificates {
		body.Failed = body.Failed || x.State == store.CertificateFailed
		body.Live = body.Live || x.State == store.CertificateWaiting
	}
	if e.Result != "" {
		_ = json.Unmarshal([]byte(e.Result), &body.Removed) // written by jobs.Eraser
	}
	if e.State != store.ErasureConfirmed {
		return body, nil
	}
	body.Live = true
	works, err := w.store.Works(ctx, store.WorkFilter{Kind: jobs.WorkErase, Limit: 1})
	if err != nil || len(works) == 0 || !works[0].State.Live() {
		return body, err
	}
	body.Work = &works[0]
	if body.Work.Total > 0 {
		body.Width = min(100, body.Work.Done*100/body.Work.Total)
	}
	return body, nil
}

// openErasureForm opens a request; what it would take away is shown before
// anybody confirms it.
func (w *Web) openErasureForm(c echo.Context) error {
	person, err := strconv.ParseInt(c.FormValue("person"), 10, 64)
	if err != nil || person <= 0 {
		return badRequest("person", "is %q, want the number of a person", c.FormValue("person"))
	}
	e, _, err := w.admin.OpenErasure(c.Request().Context(), lifecycle.ProfileID(person), c.FormValue("reason"), author(c))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, erasuresPath+"/"+number(e.ID))
}

// decideErasureForm confirms a request, rejects it, or has vendors asked again.
func (w *Web) decideErasureForm(c echo.Context) error {
	ctx := c.Request().Context()
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	switch c.Param("action") {
	case "confirm":
		var e *store.Erasure
		if e, err = w.store.Erasure(ctx, id); err != nil {
			return err
		}
		if person := number(int64(e.Person)); c.FormValue("confirm") != person {
			return badRequest("confirm", "must be the number of the person, %s; nothing was erased", person)
		}
		_, err = w.admin.ConfirmErasure(ctx, id, author(c))
	case "reject":
		err = w.admin.RejectErasure(ctx, id, author(c))
	case "retry":
		var asked []string
		if asked, err = w.admin.RetryErasure(ctx, id); err == nil {
			return w.showErasurePage(c, counted(int64(len(asked)), "vendor is", "vendors are")+" asked again.")
		}
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, erasuresPath+"/"+number(id))
}
