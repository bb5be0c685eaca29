package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
)

// reviewsPage answers: who may be one person, and who says so?
type reviewsPage struct {
	State  string
	States []string
	Rows   []reviewRow
	Next   string
}

// reviewRow is two keys that were kept apart. Owner has With, Other has Key;
// nil where nobody does.
type reviewRow struct {
	store.Review
	ID           string
	Owner, Other *store.Person
}

// reviewStates are what the list can be narrowed to.
func reviewStates() []string {
	return []string{store.ReviewOpen, store.ReviewRejected, "all", stateDoubtful}
}

func (w *Web) reviewsPage(c echo.Context) error {
	if c.QueryParam("state") == stateDoubtful {
		return w.doubtsPage(c)
	}
	f, err := reviewFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.Reviews(c.Request().Context(), f)
	if err != nil {
		return err
	}
	people, err := w.reviewPeople(c.Request().Context(), page.Items)
	if err != nil {
		return err
	}
	body := reviewsPage{State: c.QueryParam("state"), States: reviewStates()}
	for i := range page.Items {
		r := page.Items[i]
		body.Rows = append(body.Rows, reviewRow{Review: r, ID: reviewID(&r), Owner: people[r.Person], Other: people[r.Other]})
	}
	if page.Next != "" {
		body.Next = link("/people/reviews", "state", body.State, "next", page.Next)
	}
	return w.render(c, http.StatusOK, "reviews", "Review list", body)
}

// decideReviewForm joins what a review names, or keeps it apart for good.
func (w *Web) decideReviewForm(c echo.Context) error {
	event, key, err := parseReviewID(c.Param("id"))
	if err != nil {
		return err
	}
	ctx, reason := c.Request().Context(), c.FormValue("reason")
	switch c.Param("action") {
	case "approve":
		id, err := w.admin.Approve(ctx, event, key, reason, author(c))
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/people/"+number(int64(id)))
	case "reject":
		if err := w.admin.Reject(ctx, event, key, reason, author(c)); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/people/reviews")
	}
	return echo.ErrNotFound
}
