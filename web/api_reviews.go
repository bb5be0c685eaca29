package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// reviewBody is two keys that were seen together and kept apart.
type reviewBody struct {
	ID     string `json:"id"`
	State  string `json:"state"` // open, rejected
	Reason string `json:"reason"`
	Key    string `json:"key"`
	With   string `json:"with"`
	// Person has With; Other has Key, and is missing where nobody has.
	Person   *reviewPersonBody `json:"person,omitempty"`
	Other    *reviewPersonBody `json:"other,omitempty"`
	Evidence evidenceBody      `json:"evidence"`
	// Author said so at DecidedAt, and Note why.
	Author    string `json:"author,omitempty"`
	Note      string `json:"note,omitempty"`
	DecidedAt string `json:"decided_at,omitempty"`
}

// reviewPersonBody is one side of a review.
type reviewPersonBody struct {
	ID       string   `json:"id"`
	Keys     []string `json:"keys"`
	Stage    string   `json:"stage"`
	LastSeen string   `json:"last_seen"`
}

// reviewFilter reads the filter and the page out of the query; state is open
// (the default), rejected or all.
func reviewFilter(c echo.Context) (f store.ReviewFilter, err error) {
	f = store.ReviewFilter{Verdict: store.ReviewOpen, After: c.QueryParam("next")}
	switch state := c.QueryParam("state"); state {
	case "", store.ReviewOpen:
	case store.ReviewRejected:
		f.Verdict = store.ReviewRejected
	case "all":
		f.Verdict = ""
	default:
		return f, badRequest("state", "is %q, want open, rejected or all", state)
	}
	f.Limit, err = limitOf(c)
	return f, err
}

// reviewPeople gives who the reviews are about.
func (w *Web) reviewPeople(ctx context.Context, all []store.Review) (map[lifecycle.ProfileID]*store.Person, error) {
	var ids []lifecycle.ProfileID
	for i := range all {
		for _, id := range [2]lifecycle.ProfileID{all[i].Person, all[i].Other} {
			if id != 0 && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return w.store.PeopleOf(ctx, ids)
}

// apiReviews lists what the guards of identity kept apart.
func (w *Web) apiReviews(c echo.Context) error {
	f, err := reviewFilter(c)
	if err != nil {
		return err
	}
	page, err := w.store.Reviews(c.Request().Context(), f)
	if err != nil {
		return err
	}
	known, err := w.reviewPeople(c.Request().Context(), page.Items)
	if err != nil {
		return err
	}
	people := map[lifecycle.ProfileID]*reviewPersonBody{}
	for id, p := range known {
		people[id] = &reviewPersonBody{number(int64(p.ID)), append([]string{}, p.Keys...), string(p.Stage), when(p.LastSeen)}
	}
	items := make([]reviewBody, len(page.Items))
	for i := range page.Items {
		r := &page.Items[i]
		items[i] = reviewBody{
			ID: reviewID(r), State: r.Verdict, Reason: r.Reason, Key: r.Key, With: r.With, Person: people[r.Person], Other: people[r.Other],
			Evidence: evidenceBody{when(r.At), r.Event.String(), string(r.Name), r.Connection, number(r.Inbox)},
			Author:   r.Author, Note: r.Note, DecidedAt: when(r.Decided),
		}
	}
	return c.JSON(http.StatusOK, list(items, page.Next))
}

// reviewID names a review by its event and key.
func reviewID(r *store.Review) string {
	return base64.RawURLEncoding.EncodeToString(append(r.Event[:], r.Key...))
}

// review reads the id of the path and the reason of the body.
func (w *Web) review(c echo.Context) (event lifecycle.EventID, key lifecycle.Key, reason string, err error) {
	var body reviewInput
	if err := decode(c, &body); err != nil {
		return event, key, "", err
	}
	event, key, err = parseReviewID(c.Param("id"))
	return event, key, body.Reason, err
}

// parseReviewID is reviewID reversed; ErrNotFound for what is none.
func parseReviewID(id string) (event lifecycle.EventID, key lifecycle.Key, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(id)
	ok := false
	if err == nil && len(raw) > len(event) {
		copy(event[:], raw)
		key.Namespace, key.Value, ok = strings.Cut(string(raw[len(event):]), ":")
	}
	if !ok {
		return event, lifecycle.Key{}, store.ErrNotFound
	}
	return event, key, nil
}

// apiApprove joins what a review names; the answer is who has the keys then.
func (w *Web) apiApprove(c echo.Context) error {
	event, key, reason, err := w.review(c)
	if err != nil {
		return err
	}
	id, err := w.admin.Approve(c.Request().Context(), event, key, reason, author(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, personRefBody{number(int64(id))})
}

// apiReject keeps apart what a review names, for good.
func (w *Web) apiReject(c echo.Context) error {
	event, key, reason, err := w.review(c)
	if err != nil {
		return err
	}
	if err := w.admin.Reject(c.Request().Context(), event, key, reason, author(c)); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, reviewStateBody{store.ReviewRejected})
}

// joinPreviewBody is what joining two people would do.
type joinPreviewBody struct {
	ID          string          `json:"id"`
	Absorbed    string          `json:"absorbed"`
	Keys        []string        `json:"keys"`
	Stage       string          `json:"stage"`
	StageSince  string          `json:"stage_since"`
	Segments    []string        `json:"segments"`
	Traits      map[string]any  `json:"traits"`
	EventsMoved int64           `json:"events_moved"`
	Connections []joinReachBody `json:"connections"`
}

// joinReachBody is what one connection's vendor would see of it.
type joinReachBody struct {
	Connection string   `json:"connection"`
	Written    bool     `json:"written"`
	Record     string   `json:"record,omitempty"`
	Left       []string `json:"left"`
}

// apiPreviewJoin says what joining the person with the owner of a key would do.
func (w *Web) apiPreviewJoin(c echo.Context) error {
	var body joinPreviewInput
	if err := decode(c, &body); err != nil {
		return err
	}
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	key, err := keyOf("key", body.Key)
	if err != nil {
		return err
	}
	x, err := w.admin.PreviewJoin(c.Request().Context(), p.ID, key)
	if err != nil {
		return err
	}
	b := joinPreviewBody{
		ID: number(int64(x.Survivor)), Absorbed: number(int64(x.Absorbed)), Keys: []string{}, Stage: string(x.Profile.Stage), StageSince: when(x.Profile.Since),
		Segments: []string{}, Traits: x.Profile.Values(), EventsMoved: x.Moved, Connections: []joinReachBody{},
	}
	for _, k := range x.Keys {
		b.Keys = append(b.Keys, k.String())
	}
	for _, name := range x.Profile.SegmentNames() {
		b.Segments = append(b.Segments, string(name))
	}
	for _, r := range x.Reach {
		b.Connections = append(b.Connections, joinReachBody{r.Connection, r.Written, r.Record, append([]string{}, r.Left...)})
	}
	return c.JSON(http.StatusOK, b)
}
