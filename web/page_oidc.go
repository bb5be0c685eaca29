package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// oidcLife is how long a person may take at the identity provider.
const oidcLife = 10 * time.Minute

// OIDCPath is where the identity provider sends people back to.
const OIDCPath = "/login/oidc/callback"

func (w *Web) oidcCookie(value string, life time.Duration) *http.Cookie {
	c := w.cookie(value, life)
	// Lax lets it come along when the provider sends the browser back.
	c.Name += "-login"
	return c
}

func (w *Web) beginOIDC(c echo.Context) error {
	address, kept, err := w.oidc.Begin(c.Request().Context())
	if err != nil {
		w.log.Warn("single sign-on", "error", err)
		return &Problem{Status: http.StatusBadGateway, Title: "The identity provider is away", Detail: "try again in a moment; a user with a password can log in meanwhile", Err: err}
	}
	c.SetCookie(w.oidcCookie(base64.RawURLEncoding.EncodeToString([]byte(kept)), oidcLife))
	return c.Redirect(http.StatusSeeOther, address)
}

func (w *Web) finishOIDC(c echo.Context) error {
	ctx := c.Request().Context()
	kept := ""
	if cookie, err := c.Cookie(w.oidcCookie("", 0).Name); err == nil {
		if b, err := base64.RawURLEncoding.DecodeString(cookie.Value); err == nil {
			kept = string(b)
		}
	}
	c.SetCookie(w.oidcCookie("", 0))
	if c.QueryParam("error") != "" {
		return &Problem{Status: http.StatusUnauthorized, Title: "Not logged in", Detail: "the identity provider refused it; begin again from the login page"}
	}
	user, err := w.oidc.Finish(ctx, kept, c.QueryParam("state"), c.QueryParam("code"))
	if err == nil {
		user, err = w.store.ProviderUser(w.authored(c, user.Name), user)
	}
	var refused *access.LoginError
	switch {
	case errors.Is(err, store.ErrExists):
		return &Problem{Status: http.StatusConflict, Title: "Not logged in", Detail: "there is a user of that name with a password; log in with it, or have that user removed first"}
	case errors.As(err, &refused):
		w.log.Warn("login refused", "address", c.RealIP(), "error", err)
		return &Problem{Status: http.StatusUnauthorized, Title: "Not logged in", Detail: refused.Detail, Err: err}
	case err != nil:
		return err
	}
	if err := w.startSession(c, user.Name); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/")
}
