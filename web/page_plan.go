package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/store"
)

// planPage answers: how do people move?
type planPage struct {
	draft
	// Advice is about what the editor holds; nil: there are mistakes to mend first.
	Advice *planAdvice
	// Words are names the editor completes.
	Words string
	Name  string
	planPicture
	// Percent is the share of people that was typed to publish to; empty: all.
	Percent string
	// Templates are the ready-made plans to start from, Template the one that the
	// editor holds; empty for none.
	Templates []string
	Template  string
	// Works tells that this process begins long work, such as Work: the dry run
	// of the draft that the editor holds; nil: none was asked for.
	Works bool
	Work  *planWork
	// Publishing is the newest bringing of people to a plan; nil: never yet.
	Publishing *workRow
	Rollout    *rolloutView
	// Back is the version that a step back leads to; negative: there is none.
	Back int64
}

// planWork is the dry run of a draft, or the publishing of a plan. Preview is
// what came of a dry run; nil until it is done.
type planWork struct {
	Row     workRow
	Preview *planPreviewView
}

// planPage shows the plan in force. ?job= shows a dry run with its draft,
// ?template= a ready-made plan in the editor, ?published= what was just done.
func (w *Web) planPage(c echo.Context) error {
	ctx := c.Request().Context()
	v, err := w.admin.Plan(ctx)
	if err != nil {
		return err
	}
	body := planPage{draft: draft{Source: v.Source, Version: v.Version}}
	if name := c.QueryParam("template"); name != "" {
		source, ok := plans.Source(name)
		if !ok {
			return store.ErrNotFound
		}
		body.Template, body.Source = name, string(source)
	}
	if c.QueryParam("job") != "" {
		if err := w.dryRunAsked(c, &body); err != nil {
			return err
		}
	}
	return w.showPlan(c, http.StatusOK, body)
}

func (w *Web) showPlan(c echo.Context, status int, body planPage) error {
	ctx := c.Request().Context()
	typing := c.FormValue("fragment") != ""
	if err := w.advise(ctx, &body, typing); err != nil {
		return err
	}
	if typing {
		return w.renderPart(c, http.StatusOK, "plan", "checked", body)
	}
	s, err := w.summarize(ctx)
	if err != nil {
		return err
	}
	if body.Versions, err = w.admin.PlanVersions(ctx); err != nil {
		return err
	}
	cfg := w.registry.Config()
	published := c.QueryParam("published")
	if slices.ContainsFunc(body.Versions, func(v store.Versioned) bool { return number(v.Version) == published }) {
		body.Note = "Published as version " + published + "."
	}
	body.Words, body.Name, body.Templates, body.Works = planWords(cfg.Plan), cfg.Plan.Name(), plans.Names(), w.admin.Works != nil
	body.planPicture = pictureOf(cfg.Plan, s)
	if err := w.showPublishing(ctx, cfg, s, &body); err != nil {
		return err
	}
	return w.render(c, status, "plan", "Plan", body)
}

// showPublishing adds how far people are on their way, and what can be done
// about it.
func (w *Web) showPublishing(ctx context.Context, cfg *jobs.Config, s *summary, body *planPage) error {
	body.Back = -1
	if body.Works {
		last, err := w.store.Works(ctx, store.WorkFilter{Kind: jobs.WorkPublish, Limit: 1})
		if err != nil {
			return err
		}
		if len(last) > 0 {
			row := w.workRow(&last[0])
			body.Publishing = &row
		}
	}
	if cfg.Rollout != nil {
		body.Rollout = rolloutOf(cfg, s)
		return nil
	}
	back, err := w.admin.Previous(ctx)
	if isNotFound(err) {
		return nil
	}
	body.Back = back
	return err
}

// editPlan checks what was typed, tries it on everybody, or publishes it, to
// everybody or to a share of all people.
func (w *Web) editPlan(c echo.Context) error {
	d, err := typed(c)
	if err != nil {
		return err
	}
	body := planPage{draft: d, Percent: c.FormValue("percent")}
	err = w.actOnPlan(c, &body)
	switch {
	case err == nil && c.Response().Committed:
		return nil
	case err == nil:
		return w.showPlan(c, http.StatusOK, body)
	}
	if err := body.refused(err); err != nil {
		return err
	}
	return w.showPlan(c, http.StatusUnprocessableEntity, body)
}

// actOnPlan does what the button asked for; it may have answered already.
func (w *Web) actOnPlan(c echo.Context, body *planPage) error {
	ctx := c.Request().Context()
	switch {
	case c.FormValue("publish") != "":
		share, err := typedShare(body.Percent)
		if err != nil {
			return err
		}
		v := store.Versioned{Source: body.Source, Author: author(c), Note: body.Why}
		version, one, err := w.admin.RollOutPlan(ctx, body.Version, v, share)
		if err != nil {
			return err
		}
		if one.ID != 0 {
			if err := w.soon(ctx, &one); err != nil {
				return err
			}
		}
		return c.Redirect(http.StatusSeeOther, link("/plan", "published", number(version)))
	case c.FormValue("preview") != "":
		return w.dryRun(c, body)
	}
	_, err := w.admin.CheckPlan([]byte(body.Source))
	body.Checked = err == nil
	return err
}

// typedShare reads a percentage out of a form as a share of all people; empty
// is everybody.
func typedShare(text string) (int64, error) {
	if text == "" {
		return store.WholeShare, nil
	}
	percent, err := strconv.ParseFloat(text, 64)
	if err != nil {
		percent = -1
	}
	share, err := shareOf("percent", percent)
	if err != nil {
		return 0, &Problem{Status: http.StatusUnprocessableEntity, Title: "Not understood", Detail: "the percentage is no number from 0.01 to 100",
			Mistakes: []Mistake{{Field: "percent", Detail: "is " + strconv.Quote(text) + ", want 0.01 to 100"}}}
	}
	return share, nil
}
