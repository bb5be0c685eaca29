package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// doubtBody is a join of two people that rests on weaker evidence than others.
type doubtBody struct {
	Person string `json:"person"`
	State  string `json:"state"`  // open, confirmed
	Reason string `json:"reason"` // weak, same_kind
	Key    string `json:"key"`
	With   string `json:"with"`
	Class  string `json:"class"` // medium, weak
	// Evidence is the event that named the two keys together.
	Evidence evidenceBody `json:"evidence"`
	// Apart are the keys that are the person's by this join alone, to be given to
	// the call that splits, and Events how many events hang on them.
	Apart  []string         `json:"apart"`
	Events int              `json:"events"`
	Reach  []doubtReachBody `json:"reach"`
	// Author confirmed it at DecidedAt, and Note why.
	Author    string `json:"author,omitempty"`
	Note      string `json:"note,omitempty"`
	DecidedAt string `json:"decided_at,omitempty"`
}

// doubtReachBody is where the person is known.
type doubtReachBody struct {
	Connection string `json:"connection"`
	State      string `json:"state"`
	Record     string `json:"record,omitempty"`
}

// confirmInput names a join by its two keys and says why it is right.
type confirmInput struct {
	Key    string `json:"key"`
	With   string `json:"with"`
	Reason string `json:"reason"`
}

// apiDoubts lists joins that may be wrong; state is open (the default) or all. A
// page may be empty and not the last.
func (w *Web) apiDoubts(c echo.Context) error {
	state := c.QueryParam("state")
	if state != "" && state != store.ReviewOpen && state != "all" {
		return badRequest("state", "is %q, want open or all", state)
	}
	after := int64(0)
	if text := c.QueryParam("next"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after <= 0 {
			return store.ErrCursor
		}
	}
	doubts, next, err := w.admin.Doubts(c.Request().Context(), lifecycle.ProfileID(after), state != "all")
	if err != nil {
		return err
	}
	items := make([]doubtBody, len(doubts))
	for i := range doubts {
		items[i] = doubtOf(&doubts[i])
	}
	cursor := ""
	if next != 0 {
		cursor = number(int64(next))
	}
	return c.JSON(http.StatusOK, list(items, cursor))
}

func doubtOf(d *jobs.Doubt) doubtBody {
	b := doubtBody{
		Person: number(int64(d.Person)), State: store.ReviewOpen, Reason: string(d.Reason), Key: d.Key.String(), With: d.With.String(),
		Class: string(d.Class), Evidence: evidenceOf(d.Event), Apart: []string{}, Events: d.Events, Reach: []doubtReachBody{},
	}
	for _, k := range d.Apart {
		b.Apart = append(b.Apart, k.String())
	}
	for _, x := range d.Reach {
		b.Reach = append(b.Reach, doubtReachBody{x.Connection, x.State, x.VendorID})
	}
	if d.Said != nil {
		b.State, b.Author, b.Note, b.DecidedAt = store.ReviewConfirmed, d.Said.Author, d.Said.Note, when(d.Said.At)
	}
	return b
}

// apiConfirmJoin says that a join is right: nobody is asked about it again.
func (w *Web) apiConfirmJoin(c echo.Context) error {
	var body confirmInput
	if err := decode(c, &body); err != nil {
		return err
	}
	key, err := keyOf("key", body.Key)
	if err != nil {
		return err
	}
	with, err := keyOf("with", body.With)
	if err != nil {
		return err
	}
	if err := w.admin.ConfirmJoin(c.Request().Context(), key, with, body.Reason, author(c)); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, reviewStateBody{store.ReviewConfirmed})
}
