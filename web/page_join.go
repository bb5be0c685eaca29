package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// joinPage answers: what would become of two people as one?
type joinPage struct {
	*jobs.JoinPreview
	// Person was asked about, and joins with the owner of Key.
	Person           *store.Person
	Key, Reason      string
	Stage            lifecycle.Stage
	Segments         []lifecycle.Segment
	Traits           map[string]any
	Written, Records int64 // connections that would be told, records left behind
}

// previewJoinForm shows what joining the person with the owner of a key would
// do, with the button that does it. It is a form, and not a link, since finding
// out locks those people for a moment.
func (w *Web) previewJoinForm(c echo.Context) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	body := joinPage{Person: p, Key: c.FormValue("join"), Reason: c.FormValue("reason")}
	key, err := keyOf("join", body.Key)
	if err != nil {
		return err
	}
	if body.JoinPreview, err = w.admin.PreviewJoin(c.Request().Context(), p.ID, key); err != nil {
		return err
	}
	body.Stage, body.Segments, body.Traits = body.Profile.Stage, body.Profile.SegmentNames(), body.Profile.Values()
	for _, r := range body.Reach {
		if r.Written {
			body.Written++
		}
		body.Records += int64(len(r.Left))
	}
	return w.render(c, http.StatusOK, "join", "Join two people", body)
}
