package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// setupNote holds the token of the first link until it was used.
const setupNote = "setup_token"

// adminName is the user whom the first link and ADMIN_PASSWORD are for.
const (
	adminName = "admin"
	adminRole = string(access.Admin)
)

type loginPage struct {
	Name, Next, Error string
	SignOn            bool // there is an identity provider
}

type setupPage struct {
	Name, Token, Error string
	Least              int
}

// prepareLogin gives the admin the password of the settings, or makes the
// token of the link that sets the first one. The token is the same for all
// replicas and after a restart, until it was used.
func (w *Web) prepareLogin(ctx context.Context, password secret.Text) error {
	user, err := w.store.User(ctx, adminName)
	missing := errors.Is(err, store.ErrNotFound)
	if err != nil && !missing {
		return fmt.Errorf("web: login: %w", err)
	}
	if !password.Empty() {
		return w.overridePassword(ctx, user, missing, password)
	}
	if there, err := w.hasAdmin(ctx); err != nil || there || !missing {
		return err
	}
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return fmt.Errorf("web: login: %w", err)
	}
	if w.setupToken, err = w.store.Setting(ctx, setupNote, base64.RawURLEncoding.EncodeToString(raw)); err != nil {
		return fmt.Errorf("web: login: %w", err)
	}
	return nil
}

// hasAdmin tells whether somebody can log in who may everything. Then the first
// link opens nothing, whatever became of the user admin.
func (w *Web) hasAdmin(ctx context.Context) (bool, error) {
	all, err := w.store.Users(ctx)
	if err != nil {
		return false, fmt.Errorf("web: login: %w", err)
	}
	return slices.ContainsFunc(all, func(u store.User) bool { return u.Role == adminRole && (u.Password != "" || u.Subject != "") }), nil
}

func (w *Web) overridePassword(ctx context.Context, user store.User, missing bool, password secret.Text) error {
	same, err := w.passwords.matches(ctx, user.Password, password.Reveal())
	if err != nil || same {
		return err
	}
	hash, err := w.passwords.hash(ctx, password.Reveal())
	if err == nil && missing {
		err = w.store.AddUser(ctx, store.User{Name: adminName, Password: hash, Role: adminRole})
		if errors.Is(err, store.ErrExists) { // another replica was faster
			missing, err = false, nil
		}
	}
	if err == nil && !missing {
		err = w.store.SetPassword(ctx, adminName, hash)
	}
	if err != nil {
		return fmt.Errorf("web: login: %w", err)
	}
	return nil
}

// SetupPath is the one-time address, below the public one, that sets the first
// password; "" once there is one.
func (w *Web) SetupPath() string {
	if w.setupToken == "" {
		return ""
	}
	return "/setup?token=" + url.QueryEscape(w.setupToken)
}

func (w *Web) loginPage(c echo.Context) error {
	holder, err := w.user(c)
	if err != nil {
		return err
	}
	next := localPath(c.QueryParam("next"))
	if holder.Name != "" {
		return c.Redirect(http.StatusSeeOther, next)
	}
	return w.render(c, http.StatusOK, "login", "Log in", loginPage{Name: adminName, Next: next, SignOn: w.oidc != nil})
}

func (w *Web) login(c echo.Context) error {
	ctx := c.Request().Context()
	body := loginPage{Name: c.FormValue("name"), Next: localPath(c.FormValue("next")), SignOn: w.oidc != nil}
	password := c.FormValue("password")
	address := c.RealIP()
	if !w.attempts.may(address) || !w.accounts.may(body.Name, address) {
		body.Error = "Too many attempts. Wait a minute and try again."
		c.Response().Header().Set(echo.HeaderRetryAfter, "60")
		return w.render(c, http.StatusTooManyRequests, "login", "Log in", body)
	}
	user, err := w.store.User(ctx, body.Name)
	if err != nil && !isNotFound(err) {
		return err
	}
	ok := len(password) <= maxPassword
	if ok {
		// Also for a user who does not exist, so that the time tells nothing.
		if ok, err = w.passwords.matches(ctx, user.Password, password); err != nil {
			return err
		}
	}
	if !ok {
		w.log.Warn("login refused", "address", address)
		if user.Name != "" { // never what was typed, which may be a password
			if err := w.store.NoteAudit(w.authored(c, ""), "user.login.refused", "user:"+user.Name, nil, nil); err != nil {
				return err
			}
		}
		body.Error = "Name and password do not belong together."
		return w.render(c, http.StatusUnauthorized, "login", "Log in", body)
	}
	w.attempts.forgive(address)
	w.accounts.letIn(user.Name, address)
	if err := w.startSession(c, user.Name); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, body.Next)
}

func (w *Web) logout(c echo.Context) error {
	x, err := w.session(c)
	if err == nil {
		err = w.store.EndSession(w.authored(c, x.Name), x.Hash)
	}
	if err != nil && !isNotFound(err) {
		return err
	}
	c.SetCookie(w.cookie("", 0))
	return c.Redirect(http.StatusSeeOther, "/login")
}

// linked gives the name of the user whose password a one-time link sets, and
// whether the user is still to be made. A link opens nothing once it was used.
func (w *Web) linked(c echo.Context, token string) (name string, first bool, err error) {
	ctx := c.Request().Context()
	used := &Problem{Status: http.StatusNotFound, Title: "This link is used up", Detail: "the password is set already, or the link has ended or is not whole; log in, or ask for a new link. For the first one, set STAGEBRIDGE_ADMIN_PASSWORD and start again"}
	if w.setupToken != "" && secret.New(w.setupToken).Equal(token) {
		there, err := w.hasAdmin(ctx)
		if err == nil && there {
			err = used
		}
		return adminName, true, err
	}
	user, err := w.access.Invited(ctx, token)
	if isNotFound(err) {
		return "", false, used
	}
	return user.Name, false, err
}

func (w *Web) setupPage(c echo.Context) error {
	token := c.QueryParam("token")
	name, _, err := w.linked(c, token)
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "setup", "Set the password", setupPage{Name: name, Token: token, Least: minPassword})
}

func (w *Web) setup(c echo.Context) error {
	ctx := c.Request().Context()
	token := c.FormValue("token")
	name, first, err := w.linked(c, token)
	if err != nil {
		return err
	}
	body := setupPage{Name: name, Token: token, Least: minPassword}
	password := c.FormValue("password")
	switch {
	case len(password) < minPassword || len(password) > maxPassword:
		body.Error = fmt.Sprintf("The password must have %d characters or more.", minPassword)
	case password != c.FormValue("again"):
		body.Error = "The two are not the same."
	}
	if body.Error != "" {
		return w.render(c, http.StatusUnprocessableEntity, "setup", "Set the password", body)
	}
	hash, err := w.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	ctx = w.authored(c, name)
	if first {
		if err = w.store.AddUser(ctx, store.User{Name: name, Password: hash, Role: adminRole}); err == nil {
			err = w.store.DropNote(ctx, setupNote)
		}
	} else {
		err = w.store.SetPassword(ctx, name, hash)
	}
	if err != nil {
		return err
	}
	if err := w.startSession(c, name); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
