package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// erasureBody is a request for erasure; certificates are told of one only.
type erasureBody struct {
	ID      string `json:"id"`
	Profile string `json:"profile"`
	State   string `json:"state"` // open, confirmed, done, rejected
	// Connection and Event tell where the request came from.
	Connection   string            `json:"connection,omitempty"`
	Event        string            `json:"event,omitempty"`
	Inbox        string            `json:"inbox,omitempty"`
	Author       string            `json:"author"`
	Reason       string            `json:"reason,omitempty"`
	OpenedAt     string            `json:"opened_at"`
	DecidedBy    string            `json:"decided_by,omitempty"`
	DecidedAt    string            `json:"decided_at,omitempty"`
	DoneAt       string            `json:"done_at,omitempty"`
	Removed      json.RawMessage   `json:"removed,omitempty"`
	Certificates []certificateBody `json:"certificates,omitempty"`
	Job          string            `json:"job,omitempty"`
}

// certificateBody is what one vendor did.
type certificateBody struct {
	Connection string `json:"connection"`
	Connector  string `json:"connector"`
	State      string `json:"state"`
	Proof      string `json:"proof,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Message    string `json:"message,omitempty"`
	Attempts   int64  `json:"attempts,omitempty"`
	NextTry    string `json:"next_try,omitempty"`
	At         string `json:"at"`
}

func erasureOf(e *store.Erasure) erasureBody {
	b := erasureBody{ID: number(e.ID), Profile: number(int64(e.Person)), State: e.State, Connection: e.Connection, Inbox: number(e.Inbox), Author: e.Author, Reason: e.Reason,
		OpenedAt: when(e.Opened), DecidedBy: e.DecidedBy, DecidedAt: when(e.Decided), DoneAt: when(e.Done)}
	if e.Event != (lifecycle.EventID{}) {
		b.Event = e.Event.String()
	}
	if e.Result != "" {
		b.Removed = json.RawMessage(e.Result)
	}
	return b
}

// apiErasures lists requests, newest first; ?state= narrows them.
func (w *Web) apiErasures(c echo.Context) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	f := store.ErasureFilter{State: c.QueryParam("state"), Limit: limit}
	if text := c.QueryParam("next"); text != "" {
		if f.Before, err = strconv.ParseInt(text, 10, 64); err != nil || f.Before <= 0 {
			return store.ErrCursor
		}
	}
	all, err := w.store.Erasures(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items, next := make([]erasureBody, len(all)), ""
	for i := range all {
		items[i] = erasureOf(&all[i])
	}
	if len(all) == limit {
		next = items[limit-1].ID
	}
	return c.JSON(http.StatusOK, list(items, next))
}

// apiErasure gives one request with its certificates.
func (w *Web) apiErasure(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	return w.showErasure(c, http.StatusOK, id, "")
}

func (w *Web) showErasure(c echo.Context, status int, id int64, job string) error {
	ctx := c.Request().Context()
	e, err := w.store.Erasure(ctx, id)
	if err != nil {
		return err
	}
	certificates, err := w.store.Certificates(ctx, []int64{id})
	if err != nil {
		return err
	}
	b := erasureOf(e)
	b.Job = job
	for _, x := range certificates[id] {
		b.Certificates = append(b.Certificates, certificateBody{x.Connection, x.Connector, x.State, x.Proof, x.Reason, x.Message, x.Attempts, when(x.Due), when(x.At)})
	}
	return c.JSON(status, b)
}

// erasureInput names whose erasure is asked for: by a key or by the number of a
// profile, one of the two.
type erasureInput struct {
	Key     string `json:"key"`
	Profile string `json:"profile"`
	Reason  string `json:"reason"`
}

// apiOpenErasure opens a request for whoever has a key or a number.
func (w *Web) apiOpenErasure(c echo.Context) error {
	var body erasureInput
	if err := decode(c, &body); err != nil {
		return err
	}
	var id lifecycle.ProfileID
	switch {
	case (body.Key == "") == (body.Profile == ""):
		return badRequest("key, profile", "name one of the two")
	case body.Key != "":
		p, err := w.store.PersonByKey(c.Request().Context(), normalKey(body.Key))
		if err != nil {
			return err
		}
		id = p.ID
	default:
		n, err := strconv.ParseInt(body.Profile, 10, 64)
		if err != nil || n <= 0 {
			return badRequest("profile", "is %q, want the number of a profile", body.Profile)
		}
		id = lifecycle.ProfileID(n)
	}
	return w.openErasure(c, id, body.Reason)
}

// apiEraseProfile opens a request for a profile. Nothing is erased before
// somebody confirms it.
func (w *Web) apiEraseProfile(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	return w.openErasure(c, lifecycle.ProfileID(id), "")
}

func (w *Web) openErasure(c echo.Context, id lifecycle.ProfileID, reason string) error {
	e, _, err := w.admin.OpenErasure(c.Request().Context(), id, reason, author(c))
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/erasures/"+number(e.ID))
	return w.showErasure(c, http.StatusAccepted, e.ID, "")
}

// apiConfirmErasure has a request carried out; the answer names the job.
func (w *Web) apiConfirmErasure(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	one, err := w.admin.ConfirmErasure(c.Request().Context(), id, author(c))
	if err != nil {
		return err
	}
	return w.showErasure(c, http.StatusAccepted, id, number(one.ID))
}

func (w *Web) apiRejectErasure(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	if err := w.admin.RejectErasure(c.Request().Context(), id, author(c)); err != nil {
		return err
	}
	return w.showErasure(c, http.StatusOK, id, "")
}

// apiRetryErasure asks the vendors again that refused or were away too long.
func (w *Web) apiRetryErasure(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	if _, err := w.admin.RetryErasure(c.Request().Context(), id); err != nil {
		return err
	}
	return w.showErasure(c, http.StatusAccepted, id, "")
}

// apiErased gives the list of what was erased, to be kept beside the backups.
func (w *Web) apiErased(c echo.Context) error {
	all, err := w.admin.Erased(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list(all, ""))
}

// erasedInput is a list of what was erased, as it was given.
type erasedInput struct {
	Items []jobs.ErasedEntry `json:"items"`
	Next  string             `json:"next"`
}

// appliedBody says how many entries of such a list were held against the store.
type appliedBody struct {
	Applied int `json:"applied"`
}

// apiApplyErased holds what is stored against such a list.
func (w *Web) apiApplyErased(c echo.Context) error {
	var body erasedInput
	if err := decode(c, &body); err != nil {
		return err
	}
	n, err := w.admin.ApplyErased(c.Request().Context(), body.Items)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, appliedBody{n})
}

// apiExportProfile gives all that is held about a person.
func (w *Web) apiExportProfile(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := w.store.NoteAudit(ctx, "person.export", "person:"+number(int64(p.ID)), nil, nil); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="person-`+number(int64(p.ID))+`.json"`)
	return w.admin.ExportPerson(ctx, p.ID, c.Response())
}
