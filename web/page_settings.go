package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// settingsPage answers: who may do what?
type settingsPage struct {
	Users  []store.User
	Tokens []store.Token
	Roles  []access.Role
	Me     string
	// Notices: somebody can be told. Kept and Blocked say what is kept how long, and which values identify nobody.
	Notices bool
	Kept    []Kept
	Blocked blockedValues
	// Link is a link or token that is shown this once, and LinkOf whose it is.
	Link, LinkOf string
	Note, Error  string
}

// auditPage answers: who changed what?
type auditPage struct {
	Author, Action, Subject string
	Rows                    []store.AuditEntry
	Next                    string
}

// auditRows is how many lines of the log a page shows.
const auditRows = 50

func (w *Web) settingsPage(c echo.Context) error {
	return w.showSettings(c, http.StatusOK, settingsPage{})
}

func (w *Web) showSettings(c echo.Context, status int, body settingsPage) error {
	ctx := c.Request().Context()
	var err error
	if body.Users, err = w.store.Users(ctx); err != nil {
		return err
	}
	if body.Tokens, err = w.store.Tokens(ctx); err != nil {
		return err
	}
	body.Roles, body.Me = []access.Role{access.Viewer, access.Editor, access.Admin}, author(c)
	body.Notices, body.Kept, body.Blocked = w.notices != nil, w.kept, blockedOf(w.registry.Config().Plan)
	return w.render(c, status, "settings", "Settings", body)
}

// changeUsers does what a form about a user asks for.
func (w *Web) changeUsers(c echo.Context) error {
	ctx, name, role := c.Request().Context(), c.FormValue("name"), access.Role(c.FormValue("role"))
	var body settingsPage
	var err error
	link := func(l access.Link) {
		body.Link, body.LinkOf = cmp.Or(w.public, "http://"+c.Request().Host)+linkOf(name, l).Path, name
	}
	switch c.FormValue("act") {
	case "add":
		var l access.Link
		if l, err = w.access.AddUser(ctx, name, role); err == nil {
			link(l)
		}
	case "link":
		var l access.Link
		if l, err = w.access.NewLink(ctx, name); err == nil {
			link(l)
		}
	case "role":
		err = w.access.SetRole(ctx, name, role)
		body.Note = fmt.Sprintf("%s has the role %s now, and logs in again.", name, role)
	case "remove":
		err = w.store.RemoveUser(ctx, name)
		body.Note = name + " is taken away and logged out everywhere."
	default:
		return echo.ErrNotFound
	}
	return w.changedSettings(c, body, err)
}

// changeTokens makes an API token or ends one.
func (w *Web) changeTokens(c echo.Context) error {
	ctx, id := c.Request().Context(), c.FormValue("id")
	var body settingsPage
	var err error
	switch c.FormValue("act") {
	case "add":
		days, wrong := strconv.Atoi(cmp.Or(c.FormValue("days"), "0"))
		if wrong != nil || days < 0 || days > 36500 {
			err = badRequest("days", "is %q, want 0 (no end) to 36500", c.FormValue("days"))
			break
		}
		text, _, adding := w.access.AddToken(ctx, access.TokenInput{ID: id, Role: access.Role(c.FormValue("role")), Life: time.Duration(days) * 24 * time.Hour, Author: author(c)})
		if err = adding; err == nil {
			body.Link, body.LinkOf = text.Reveal(), id
		}
	case "remove":
		err = w.store.RemoveToken(ctx, id)
		body.Note = "The token " + id + " opens nothing any more."
	default:
		return echo.ErrNotFound
	}
	return w.changedSettings(c, body, err)
}

// changedSettings shows the page again, with what is wrong where something is.
func (w *Web) changedSettings(c echo.Context, body settingsPage, err error) error {
	if err == nil {
		return w.showSettings(c, http.StatusOK, body)
	}
	p := problemOf(accessError(err))
	if p.Status >= http.StatusInternalServerError || errors.Is(err, store.ErrNotFound) {
		return err
	}
	wrong := p.Detail
	for _, m := range p.Mistakes {
		wrong = m.Field + " " + m.Detail
	}
	return w.showSettings(c, p.Status, settingsPage{Error: wrong})
}

func (w *Web) auditPage(c echo.Context) error {
	place, err := auditPlace(c.QueryParam("next"))
	if err != nil {
		return err
	}
	body := auditPage{Author: c.QueryParam("author"), Action: c.QueryParam("action"), Subject: c.QueryParam("subject")}
	if body.Rows, err = w.store.AuditLog(c.Request().Context(), store.AuditFilter{
		Subject: body.Subject, Author: body.Author, Action: body.Action, Before: place, Limit: auditRows + 1,
	}); err != nil {
		return err
	}
	if len(body.Rows) > auditRows {
		body.Rows = body.Rows[:auditRows]
		last := body.Rows[auditRows-1]
		body.Next = link("/settings/audit", "author", body.Author, "action", body.Action, "subject", body.Subject, "next", fmt.Sprintf("%d-%s", last.At, last.ID))
	}
	return w.render(c, http.StatusOK, "audit", "Audit log", body)
}
