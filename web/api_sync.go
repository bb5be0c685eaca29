package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// syncBody is a person at a connection.
type syncBody struct {
	Connection string `json:"connection"`
	Profile    string `json:"profile"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Attempts   int64  `json:"attempts"`
	NextTry    string `json:"next_try"`
	PushedAt   string `json:"pushed_at"`
	VendorID   string `json:"vendor_id"`
}

func syncOf(x *store.Sync) syncBody {
	return syncBody{x.Connection, number(int64(x.Person)), x.State, x.Reason, x.Message, x.Attempts, when(x.Due), when(x.Pushed), x.VendorID}
}

var syncStates = [...]string{store.SyncPending, store.SyncSubmitted, store.SyncUnconfirmed, store.SyncSynced, store.SyncFailed, store.SyncSkipped}

// syncInput is the filter of list and retry.
type syncInput struct {
	Connection string `json:"connection"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
	// Message is the form of the vendor's words: what differs from person to person is … there.
	Message string `json:"message"`
	Profile string `json:"profile"`
	DryRun  bool   `json:"dry_run"`
}

func (w *Web) syncFilter(in *syncInput) (store.SyncFilter, error) {
	f := store.SyncFilter{Connections: w.registry.IDs(), State: in.State, Reason: in.Reason, Message: store.MessageForm(in.Message)}
	if in.Connection != "" {
		f.Connections = []string{in.Connection}
	}
	if in.State != "" && !slices.Contains(syncStates[:], in.State) {
		return f, badRequest("state", "is %q, want pending, submitted, unconfirmed, synced, failed or skipped", in.State)
	}
	if in.Profile != "" {
		id, err := strconv.ParseInt(in.Profile, 10, 64)
		if err != nil || id <= 0 {
			return f, badRequest("profile", "is %q, want an id", in.Profile)
		}
		f.Person = lifecycle.ProfileID(id)
	}
	return f, nil
}

func (w *Web) apiSync(c echo.Context) error {
	f, err := w.syncFilter(&syncInput{Connection: c.QueryParam("connection"), State: c.QueryParam("state"), Reason: c.QueryParam("reason"), Message: c.QueryParam("message"), Profile: c.QueryParam("profile")})
	if err != nil {
		return err
	}
	f.After = c.QueryParam("next")
	if f.Limit, err = limitOf(c); err != nil {
		return err
	}
	page, err := w.store.SyncList(c.Request().Context(), f)
	if err != nil {
		return err
	}
	items := make([]syncBody, len(page.Rows))
	for i := range page.Rows {
		items[i] = syncOf(&page.Rows[i])
	}
	return c.JSON(http.StatusOK, list(items, page.Next))
}

// apiRetrySync makes failed people due again.
func (w *Web) apiRetrySync(c echo.Context) error {
	var in syncInput
	if err := decode(c, &in); err != nil {
		return err
	}
	f, err := w.syncFilter(&in)
	if err != nil {
		return err
	}
	n, err := w.admin.RetrySync(c.Request().Context(), f, in.DryRun)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, countBody{n, in.DryRun})
}

// segmentBody is a segment of the plan in force.
type segmentBody struct {
	Name   string `json:"name"`
	When   string `json:"when"`
	People int64  `json:"people"`
}

func (w *Web) apiSegments(c echo.Context) error {
	s, err := w.summarize(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list(segmentsOf(w.registry.Config().Plan, s), ""))
}
