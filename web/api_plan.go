package web

import (
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
)

// shareOf reads a percentage, 0.01 to 100, as a share of people.
func shareOf(field string, percent float64) (int64, error) {
	if !(percent >= 0.01 && percent <= 100) {
		return 0, badRequest(field, "is %v, want 0.01 to 100", percent)
	}
	return int64(math.Round(percent * store.WholeShare / 100)), nil
}

// percentOf is shareOf for ?percent=; everybody where it is missing.
func percentOf(c echo.Context) (int64, error) {
	text := c.QueryParam("percent")
	if text == "" {
		return store.WholeShare, nil
	}
	percent, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, badRequest("percent", "is %q, want 0.01 to 100", text)
	}
	return shareOf("percent", percent)
}

func percentText(share int64) float64 { return float64(share) * 100 / store.WholeShare }

// apiPutPlan publishes a plan: to everybody, or with ?percent= to a share of
// all people, the others staying under the version before.
func (w *Web) apiPutPlan(c echo.Context) error {
	ctx := c.Request().Context()
	source, err := text(c)
	if err != nil {
		return err
	}
	if c.QueryParam("dry_run") == "true" {
		_, err := w.admin.CheckPlan([]byte(source))
		return checked(c, err)
	}
	share, err := percentOf(c)
	if err != nil {
		return err
	}
	now, err := w.admin.Plan(ctx)
	if err != nil {
		return err
	}
	was, err := basedOn(c, now.Version)
	if err != nil {
		return err
	}
	version, one, err := w.admin.RollOutPlan(ctx, was, store.Versioned{Source: source, Author: author(c), Note: c.QueryParam("note")}, share)
	return w.publishedPlan(c, version, &one, err)
}

// planChangeBody says which version a change was about and which long work
// brings people there.
type planChangeBody struct {
	Version int64  `json:"version"`
	Job     string `json:"job,omitempty"`
}

func (w *Web) publishedPlan(c echo.Context, version int64, one *store.Work, err error) error {
	if err != nil {
		return err
	}
	b := planChangeBody{Version: version}
	if one.ID != 0 {
		b.Job = number(one.ID)
		c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+b.Job)
	}
	c.Response().Header().Set("ETag", etag(version))
	return c.JSON(http.StatusOK, b)
}

func (w *Web) apiPlanVersions(c echo.Context) error {
	all, err := w.admin.PlanVersions(c.Request().Context())
	if err != nil {
		return err
	}
	body := versionsOf(all)
	for i, v := range all {
		body.Items[i].State = string(w.registry.Config().PlanState(v))
	}
	return c.JSON(http.StatusOK, body)
}

// rolloutBody is a version that a share of all people is under.
type rolloutBody struct {
	Version int64   `json:"version"`
	Percent float64 `json:"percent"`
	// Base is the version that the others are under.
	Base   int64  `json:"base"`
	Author string `json:"author"`
	Note   string `json:"note"`
}

// apiRollout gives the version being rolled out; 404 where there is none.
func (w *Web) apiRollout(c echo.Context) error {
	r, err := w.admin.Rollout(c.Request().Context())
	if err != nil {
		return err
	}
	if r == nil {
		return store.ErrNotFound
	}
	return c.JSON(http.StatusOK, rolloutBody{r.Source.Version, percentText(r.Share), w.registry.Config().PlanSource.Version, r.Source.Author, r.Source.Note})
}

// rolloutInput says for how many of all people the version is to be in force.
type rolloutInput struct {
	// Percent is 0.01 to 100.
	Percent float64 `json:"percent"`
	Note    string  `json:"note"`
}

// apiShareRollout widens or narrows the rollout; 100 finishes it.
func (w *Web) apiShareRollout(c echo.Context) error {
	var in rolloutInput
	if err := decode(c, &in); err != nil {
		return err
	}
	share, err := shareOf("percent", in.Percent)
	if err != nil {
		return err
	}
	one, err := w.admin.ShareRollout(c.Request().Context(), share, author(c), in.Note)
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}

// apiWithdrawRollout puts everybody back under the version before.
func (w *Web) apiWithdrawRollout(c echo.Context) error {
	one, err := w.admin.WithdrawRollout(c.Request().Context(), author(c), c.QueryParam("note"))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}

// planRollbackInput names the version to go back to; 0 is the default, and
// without one it is the version before the one in force.
type planRollbackInput struct {
	Version *int64 `json:"version"`
	Note    string `json:"note"`
}

// apiRollbackPlan publishes an earlier text again; without a version the one
// before the one in force.
func (w *Web) apiRollbackPlan(c echo.Context) error {
	ctx := c.Request().Context()
	var in planRollbackInput
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Version == nil {
		previous, err := w.admin.Previous(ctx)
		if err != nil {
			return err
		}
		in.Version = &previous
	}
	if *in.Version < 0 {
		return badRequest("version", "is %d; 0 is the default", *in.Version)
	}
	version, one, err := w.admin.RollBack(ctx, *in.Version, author(c), in.Note)
	return w.publishedPlan(c, version, &one, err)
}
