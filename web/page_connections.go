package web

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// connectionsPage answers: what is connected, and is it healthy?
type connectionsPage struct {
	Rows       []light
	Connectors []*connectors.Descriptor
}

// connectionPage is one connection.
type connectionPage struct {
	light
	Body       connectionBody
	Name       string
	Guide      string
	Note       string // what an action just did
	Rejections []rejectionRow
	Reasons    []reasonCount
	Recent     []store.InboxRow
	Failures   []store.Sync
	Samples    []string // types that a sample can be sent of
	CanCheck   bool
	CanRegister,
	CanPush,
	CanList bool
	Works []connectionWork
}

type rejectionRow struct {
	store.Rejection
	Cause string
}

type reasonCount struct {
	Reason, Cause string
	Count         int64
}

// likelyCause says what is most often behind a reason of rejections.
func likelyCause(reason string) string {
	switch reason {
	case connectors.ErrSignature.Error():
		return "The secret differs from the vendor's, or a proxy changed the address or the body. Compare both secrets and PUBLIC_URL."
	case connectors.ErrUnsigned.Error():
		return "The sender does not sign: signing is off at the vendor, or this was not the vendor."
	case connectors.ErrStale.Error():
		return "The clocks differ, or an old request was sent again. Check this machine's time."
	case connectors.ErrMalformed.Error():
		return "The request is cut off or in another format than this vendor sends."
	case connectors.ErrUnsupported.Error():
		return "The method or content type is not one of this vendor's; perhaps somebody tried the address."
	case connectors.ErrUnconfigured.Error():
		return "The connection has no secret to verify with yet. Enter it below Edit."
	case "rate_limit":
		return "More requests came than the limits allow. Vendors send again; raise the limit if this is ordinary traffic."
	case "too_large":
		return "The body is larger than MAX_BODY_BYTES."
	}
	return ""
}

func (w *Web) connectionsPage(c echo.Context) error {
	s, err := w.summarize(c.Request().Context())
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "connections", "Connections", connectionsPage{w.lights(w.registry.Config(), s), w.descriptors()})
}

func (w *Web) descriptors() []*connectors.Descriptor {
	var all []*connectors.Descriptor
	for _, v := range w.registry.Catalog() {
		all = append(all, v.Descriptor)
	}
	return all
}

func (w *Web) connectionPage(c echo.Context) error {
	conn, err := w.registry.Find(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return w.showConnectionPage(c, http.StatusOK, conn, "")
}

func (w *Web) showConnectionPage(c echo.Context, status int, conn *jobs.Conn, note string) error {
	body, err := w.connectionPageOf(c.Request().Context(), conn)
	if err != nil {
		return err
	}
	body.Note = note
	return w.render(c, status, "connection", conn.ID, body)
}

func (w *Web) connectionPageOf(ctx context.Context, conn *jobs.Conn) (connectionPage, error) {
	var none connectionPage
	s, err := w.summarize(ctx)
	if err != nil {
		return none, err
	}
	body := connectionPage{light: lightOf(conn, s), Body: w.connectionOf(conn), Name: conn.Connector}
	if d := conn.Vendor.Descriptor; d != nil {
		body.Name, body.Guide = d.Name, string(d.Guide)
	}
	if w.samples != nil {
		body.Samples = w.samples.Types(conn.Connector)
	}
	_, body.CanCheck = conn.Open.(connectors.Checker)
	_, body.CanRegister = conn.Open.(connectors.Registrar)
	_, body.CanPush = conn.Open.(connectors.Destination)
	_, body.CanList = conn.Open.(connectors.Lister)
	facts, err := w.store.Rejections(ctx, conn.ID)
	if err != nil {
		return none, err
	}
	for _, f := range facts {
		body.Rejections = append(body.Rejections, rejectionRow{f, likelyCause(f.Reason)})
	}
	if x := s.Inbox[conn.ID]; x != nil {
		for _, reason := range slices.Sorted(maps.Keys(x.Rejections)) {
			body.Reasons = append(body.Reasons, reasonCount{reason, likelyCause(reason), x.Rejections[reason]})
		}
	}
	recent, err := w.store.Inbox(ctx, store.InboxFilter{Connection: conn.ID, Limit: 10})
	if err != nil {
		return none, err
	}
	body.Recent = recent.Rows
	failures, err := w.store.SyncList(ctx, store.SyncFilter{Connections: []string{conn.ID}, State: store.SyncFailed, Limit: 10})
	if err != nil {
		return none, err
	}
	body.Failures = failures.Rows
	body.Works, err = w.worksOf(ctx, conn.ID)
	return body, err
}

// actOnConnection does what a button of the connection's page asks for and
// shows the page again with a sentence about it.
func (w *Web) actOnConnection(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	user := author(c)
	note := ""
	var err error
	switch c.Param("action") {
	case "check":
		note, err = w.admin.Check(ctx, id)
		note = "The vendor took the credentials. " + note
	case "register":
		_, err = w.admin.Register(ctx, id, nil, user)
		note = "The vendor now calls this connection's address."
	case "pause":
		_, err = w.admin.Pause(ctx, id, true)
		note = "Paused: what comes in is kept, nothing is pushed."
	case "resume":
		_, err = w.admin.Pause(ctx, id, false)
		note = "Going on."
	case "resync":
		var n int64
		n, err = w.admin.Resync(ctx, id)
		note = counted(n, "person", "people") + " will be sent in full."
	case "pull":
		_, err = w.admin.Pull(ctx, id, user)
		note = "Everybody there is being listed; who is new or changed comes in as an event."
	case "forget":
		_, err = w.admin.Update(ctx, jobs.ConnectionInput{ID: id, ForgetPrevious: true, Author: user})
		note = "Only the current secrets are accepted now."
	case "delete":
		if c.FormValue("confirm") != id {
			err = badRequest("confirm", "must be the connection's id, %s; nothing was removed", id)
			break
		}
		if err = w.admin.Delete(ctx, id); err == nil {
			return c.Redirect(http.StatusSeeOther, "/connections")
		}
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	conn, err := w.registry.Find(ctx, id)
	if err != nil {
		return err
	}
	return w.showConnectionPage(c, http.StatusOK, conn, note)
}
