package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// rolloutView is a version that a share of all people is under.
type rolloutView struct {
	Version, Base int64
	Percent       string
	Author, Note  string
	// People under it, about: shares follow from ids.
	People, Total int64
}

func rolloutOf(cfg *jobs.Config, s *summary) *rolloutView {
	r := cfg.Rollout
	v := &rolloutView{Version: r.Source.Version, Base: cfg.PlanSource.Version, Percent: strconv.FormatFloat(percentText(r.Share), 'f', -1, 64),
		Author: r.Source.Author, Note: r.Source.Note}
	for _, n := range s.Stages {
		v.Total += n
	}
	v.People = v.Total * r.Share / store.WholeShare
	return v
}

// changeRollout widens or narrows the share of people who are under the version
// being rolled out, finishes it, or puts everybody back.
func (w *Web) changeRollout(c echo.Context) error {
	ctx, user, why := c.Request().Context(), author(c), c.FormValue("note")
	var one store.Work
	var err error
	switch act := c.FormValue("act"); act {
	case "share":
		var share int64
		if share, err = typedShare(c.FormValue("percent")); err == nil {
			one, err = w.admin.ShareRollout(ctx, share, user, why)
		}
	case "finish":
		one, err = w.admin.ShareRollout(ctx, store.WholeShare, user, why)
	case "withdraw":
		one, err = w.admin.WithdrawRollout(ctx, user, why)
	default:
		err = badRequest("act", "is %q, want share, finish or withdraw", act)
	}
	if err == nil && one.ID != 0 {
		err = w.soon(ctx, &one)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/plan")
}

// stepBack puts the version before the one in force in force again.
func (w *Web) stepBack(c echo.Context) error {
	ctx := c.Request().Context()
	to, err := strconv.ParseInt(c.FormValue("version"), 10, 64)
	if err != nil || to < 0 {
		return badRequest("version", "is missing from the form; open the page again")
	}
	version, one, err := w.admin.RollBack(ctx, to, author(c), c.FormValue("note"))
	if err == nil && one.ID != 0 {
		err = w.soon(ctx, &one)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, link("/plan", "published", number(version)))
}
