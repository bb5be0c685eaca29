package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// jobBody is a piece of long work as the API shows it.
type jobBody struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	State string `json:"state"`
	// About says what it is about, such as a plan's version or a connection.
	About  string `json:"about,omitempty"`
	Author string `json:"author"`
	Reason string `json:"reason,omitempty"`
	Unit   string `json:"unit"`
	Done   int64  `json:"done"`
	// Total is 0 while it is not known.
	Total       int64           `json:"total"`
	Rate        float64         `json:"rate_per_second"`
	SecondsLeft *float64        `json:"seconds_left"`
	Canceling   bool            `json:"canceling,omitempty"`
	Attempts    int64           `json:"attempts,omitempty"`
	Error       string          `json:"error,omitempty"`
	CreatedAt   string          `json:"created_at"`
	StartedAt   string          `json:"started_at,omitempty"`
	UpdatedAt   string          `json:"updated_at"`
	FinishedAt  string          `json:"finished_at,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"`
}

func (w *Web) jobOf(one *store.Work, whole bool) jobBody {
	b := jobBody{
		ID: number(one.ID), Kind: one.Kind, State: string(one.State), About: one.Subject, Author: one.Author, Reason: one.Reason,
		Unit: w.admin.Works.Unit(one.Kind), Done: one.Done, Total: one.Total, Rate: one.Rate, Canceling: one.Cancel && one.State.Live(),
		Attempts: one.Attempts, Error: one.Error, CreatedAt: when(one.Created), StartedAt: when(one.Started), UpdatedAt: when(one.Updated),
		FinishedAt: when(one.Finished),
	}
	if left, known := jobs.Remaining(one); known {
		seconds := left.Seconds()
		b.SecondsLeft = &seconds
	}
	if whole && one.Result != "" {
		b.Result = jobResult(one)
	}
	return b
}

// accepted answers that long work was begun, and where to look for it.
func (w *Web) accepted(c echo.Context, one *store.Work) error {
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+number(one.ID))
	return c.JSON(http.StatusAccepted, w.jobOf(one, true))
}

// apiJobs lists long work, newest first; ?kind= and ?state= narrow it.
func (w *Web) apiJobs(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	f := store.WorkFilter{Kind: c.QueryParam("kind"), State: store.WorkState(c.QueryParam("state")), Limit: limit}
	if text := c.QueryParam("next"); text != "" {
		if f.Before, err = strconv.ParseInt(text, 10, 64); err != nil || f.Before <= 0 {
			return store.ErrCursor
		}
	}
	all, err := w.store.Works(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items, next := make([]jobBody, len(all)), ""
	for i := range all {
		items[i] = w.jobOf(&all[i], false)
	}
	if len(all) == limit {
		next = number(all[len(all)-1].ID)
	}
	return c.JSON(http.StatusOK, list(items, next))
}

// apiJob gives one, with what came of it.
func (w *Web) apiJob(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	one, err := w.store.WorkByID(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, w.jobOf(&one, true))
}

// apiCancelJob asks for one to be ended. The answer is the record as it stands:
// what is under way ends within a second or two.
func (w *Web) apiCancelJob(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	one, err := w.admin.Works.Cancel(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if !one.State.Live() && one.State != store.WorkCanceled {
		return &Problem{Status: http.StatusConflict, Title: "Over already", Detail: "this work is " + string(one.State) + "; nothing was changed"}
	}
	return c.JSON(http.StatusAccepted, w.jobOf(&one, true))
}
