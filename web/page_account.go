package web

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// accountPage is what a user is shown of the own account.
type accountPage struct {
	Name, Role string
	// Password tells that the user has one here, and does not come from an
	// identity provider.
	Password    bool
	Note, Error string
	Least       int
	Sessions    []sessionRow
}

type sessionRow struct {
	store.Session
	Own bool // the one that asks
}

// session gives the session that a request carries; store.ErrNotFound for none.
func (w *Web) session(c echo.Context) (store.Session, error) {
	cookie, err := c.Cookie(w.cookieName())
	if err != nil {
		return store.Session{}, store.ErrNotFound
	}
	return w.store.Session(c.Request().Context(), access.Hash(cookie.Value))
}

// alive is since when a session must have been seen not to have ended.
func (w *Web) alive() lifecycle.Instant { return lifecycle.At(w.now().Add(-sessionIdle)) }

func (w *Web) accountPage(c echo.Context) error { return w.showAccount(c, http.StatusOK, "", "") }

func (w *Web) showAccount(c echo.Context, status int, note, wrong string) error {
	ctx := c.Request().Context()
	own, err := w.session(c)
	if err != nil {
		return err
	}
	u, err := w.store.User(ctx, own.Name)
	if err != nil {
		return err
	}
	all, err := w.store.SessionsOf(ctx, u.Name, w.alive())
	if err != nil {
		return err
	}
	p := accountPage{Name: u.Name, Role: u.Role, Password: u.Password != "", Note: note, Error: wrong, Least: minPassword}
	for _, x := range all {
		p.Sessions = append(p.Sessions, sessionRow{x, x.ID == own.ID})
	}
	return w.render(c, status, "account", "Account", p)
}

// endSessions logs the user out of one other browser, or of all others.
func (w *Web) endSessions(c echo.Context) error {
	own, err := w.session(c)
	if err != nil {
		return err
	}
	n, err := w.store.EndSessionsOf(c.Request().Context(), own.Name, c.FormValue("id"), own.ID)
	if err != nil {
		return err
	}
	return w.showAccount(c, http.StatusOK, counted(n, "session", "sessions")+" ended.", "")
}

// changePassword asks for the password so far, ends every session and begins a
// new one on this browser.
func (w *Web) changePassword(c echo.Context) error {
	ctx := c.Request().Context()
	name, password := author(c), c.FormValue("password")
	u, err := w.store.User(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case u.Password == "":
		return w.showAccount(c, http.StatusConflict, "", "You log in through an identity provider; change the password there.")
	case len(password) < minPassword || len(password) > maxPassword:
		return w.showAccount(c, http.StatusUnprocessableEntity, "", fmt.Sprintf("The password must have %d characters or more.", minPassword))
	case password != c.FormValue("again"):
		return w.showAccount(c, http.StatusUnprocessableEntity, "", "The two are not the same.")
	case !w.attempts.may(c.RealIP()):
		return tooMany("too many attempts; wait a minute")
	}
	ok, err := w.passwords.matches(ctx, u.Password, c.FormValue("old"))
	if err != nil {
		return err
	}
	if !ok {
		return w.showAccount(c, http.StatusUnprocessableEntity, "", "The old password is another one.")
	}
	w.attempts.forgive(c.RealIP())
	hash, err := w.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := w.store.SetPassword(ctx, name, hash); err != nil {
		return err
	}
	if err := w.startSession(c, name); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account")
}
