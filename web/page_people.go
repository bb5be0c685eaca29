package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// peoplePage answers: who is this? It lists people by key, stage or segment.
type peoplePage struct {
	Query, Stage, Segment string
	Stages                []lifecycle.Stage
	Segments              []lifecycle.SegmentInfo
	Rows                  []*store.Person
	Next                  string
}

// personPage answers: who is this, and why are they here?
type personPage struct {
	Profile  profileBody
	Since    lifecycle.Instant
	First    lifecycle.Instant
	Last     lifecycle.Instant
	Explain  lifecycle.Explanation
	Sync     []store.Sync
	Timeline []store.TimelineItem
	Older    string
	// Stages can be pinned; Pinned says whether one is.
	Stages []lifecycle.Stage
	Pinned bool
	// Erasure is the request to erase them that is open or being carried out; zero for none.
	Erasure int64
	// More is what folds.
	More personMore
	// Merged names the id that was asked for where it is a merged one.
	Merged string
}

func (w *Web) peoplePage(c echo.Context) error {
	plan := w.registry.Config().Plan
	body := peoplePage{Query: c.QueryParam("q"), Stage: c.QueryParam("stage"), Segment: c.QueryParam("segment"), Stages: plan.StageNames(), Segments: plan.Segments()}
	f, err := w.peopleFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.People(c.Request().Context(), f)
	if err != nil {
		return err
	}
	body.Rows = page.People
	if page.Next != "" {
		body.Next = link("/people", "q", body.Query, "stage", body.Stage, "segment", body.Segment, "next", page.Next)
	}
	return w.render(c, http.StatusOK, "people", "People", body)
}

func (w *Web) personPage(c echo.Context) error {
	ctx := c.Request().Context()
	p, prof, err := w.person(c)
	if err != nil {
		return err
	}
	sync, err := w.store.SyncOf(ctx, []lifecycle.ProfileID{p.ID})
	if err != nil {
		return err
	}
	body := personPage{
		Profile: w.profileOf(p, prof, nil), Since: prof.Since, First: prof.FirstSeen, Last: prof.LastSeen,
		Explain: w.registry.Config().PlanOf(p.ID).Explain(prof, lifecycle.At(w.now())), Sync: sync[p.ID],
	}
	body.Stages, body.Pinned = w.registry.Config().PlanOf(p.ID).StageNames(), body.Explain.Via == lifecycle.ViaPin
	if body.More, err = w.personMore(c, p, prof, &body.Explain); err != nil {
		return err
	}
	if id := number(int64(p.ID)); id != c.Param("id") {
		body.Merged = c.Param("id")
	}
	switch e, err := w.store.LiveErasure(ctx, p.ID); {
	case err == nil:
		body.Erasure = e.ID
	case !isNotFound(err):
		return err
	}
	var next string
	body.Timeline, next, err = w.store.Timeline(ctx, p.ID, c.QueryParam("next"), 40)
	if err != nil {
		return err
	}
	if next != "" {
		body.Older = link("/people/"+body.Profile.ID, "next", next)
	}
	return w.render(c, http.StatusOK, "person", "Person "+body.Profile.ID, body)
}
