package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Life of a session: it ends when it was not used for a while, and in any case
// after a longer one.
const (
	sessionIdle = 7 * 24 * time.Hour
	sessionMost = 30 * 24 * time.Hour
	// sessionSeen is how often its use is written down.
	sessionSeen = time.Minute
)

// userKey is where the name of the logged-in user stands in a request.
const userKey = "user"

func (w *Web) cookieName() string {
	if w.secure {
		return "__Host-stagebridge" // browsers take it over https for this host only
	}
	return "stagebridge"
}

func (w *Web) cookie(value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: w.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: w.secure, SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second)}
	if life <= 0 {
		c.MaxAge = -1
	}
	return c
}

// startSession logs a user in on this browser.
func (w *Web) startSession(c echo.Context, name string) error {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	expired := lifecycle.At(w.now().Add(-sessionIdle))
	if err := w.store.StartSession(c.Request().Context(), hashToken(token), name, expired); err != nil {
		return err
	}
	c.SetCookie(w.cookie(token, sessionIdle))
	return nil
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// user gives the name of the user whose session a request carries; "" for none.
func (w *Web) user(c echo.Context) (string, error) {
	cookie, err := c.Cookie(w.cookieName())
	if err != nil || cookie.Value == "" || len(cookie.Value) > 100 {
		return "", nil
	}
	ctx := c.Request().Context()
	hash := hashToken(cookie.Value)
	s, err := w.store.Session(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	now := w.now()
	if now.Sub(s.Seen.Time()) > sessionIdle || now.Sub(s.Created.Time()) > sessionMost {
		return "", w.store.EndSession(context.WithoutCancel(ctx), hash)
	}
	if now.Sub(s.Seen.Time()) > sessionSeen {
		if err := w.store.SeeSession(ctx, hash); err != nil {
			return "", err
		}
		c.SetCookie(w.cookie(cookie.Value, sessionIdle))
	}
	return s.Name, nil
}

// loggedIn lets logged-in users through and sends others to the login page,
// which leads back to where they wanted to go.
func (w *Web) loggedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		name, err := w.user(c)
		if err != nil {
			return err
		}
		if name != "" {
			c.Set(userKey, name)
			return next(c)
		}
		r := c.Request()
		if r.Method != http.MethodGet || !strings.Contains(r.Header.Get(echo.HeaderAccept), "text/html") {
			return &Problem{Status: http.StatusUnauthorized, Title: "Not logged in", Detail: "log in and repeat it; nothing was changed"}
		}
		to := "/login"
		if back := r.URL.RequestURI(); back != "/" {
			to += "?next=" + url.QueryEscape(back)
		}
		return c.Redirect(http.StatusSeeOther, to)
	}
}

// localPath keeps a redirect on this site.
func localPath(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}
