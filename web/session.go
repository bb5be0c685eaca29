package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// Life of a session: it ends when it was not used for a while, and in any case
// after a longer one.
const (
	sessionIdle = 7 * 24 * time.Hour
	sessionMost = 30 * 24 * time.Hour
	// sessionSeen is how often its use is written down.
	sessionSeen = time.Minute
	// sessionTurn is after how long a session that is used gets another token,
	// and sessionGrace how long the one before goes on, for requests under way.
	sessionTurn  = 12 * time.Hour
	sessionGrace = 2 * time.Minute
)

// holderKey is where it stands in a request who it comes from.
const holderKey = "holder"

// author gives the name under which what a request changes is written down.
func author(c echo.Context) string {
	holder, _ := c.Get(holderKey).(access.Holder)
	return holder.Name
}

// authored gives the request's context with who it comes from, for the audit log.
func (w *Web) authored(c echo.Context, name string) context.Context {
	return store.WithAuthor(c.Request().Context(), store.Author{Name: name, Address: c.RealIP(), Request: c.Response().Header().Get(headerRequestID), Agent: c.Request().UserAgent()})
}

// may goes on when the role is enough for the route.
func (w *Web) may(c echo.Context, holder access.Holder, next echo.HandlerFunc) error {
	r := c.Request()
	c.Set(holderKey, holder)
	c.SetRequest(r.WithContext(w.authored(c, holder.Name)))
	route := c.Path()
	if least := access.Least(r.Method, route); !holder.Role.May(least) {
		return &Problem{Status: http.StatusForbidden, Title: "Not allowed", Detail: "this asks for the role " + string(least) + ", and " + holder.Name + " has the role " + string(holder.Role) + "; nothing was changed"}
	}
	area, _, _ := strings.Cut(strings.TrimPrefix(route, "/api/v1/"), "/")
	if !holder.Reaches(area) {
		return &Problem{Status: http.StatusForbidden, Title: "Not allowed", Detail: holder.Name + " was not made for " + area + "; nothing was changed"}
	}
	return next(c)
}

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

func newSessionToken() (string, error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// startSession logs a user in on this browser, always with a token that nobody
// can have known before. A session that the browser brought along ends.
func (w *Web) startSession(c echo.Context, name string) error {
	token, err := newSessionToken()
	if err != nil {
		return err
	}
	ctx := w.authored(c, name)
	if cookie, err := c.Cookie(w.cookieName()); err == nil && cookie.Value != "" {
		if err := w.store.EndSession(ctx, access.Hash(cookie.Value)); err != nil {
			return err
		}
	}
	if err := w.store.StartSession(ctx, access.Hash(token), name, w.alive()); err != nil {
		return err
	}
	c.SetCookie(w.cookie(token, sessionIdle))
	return nil
}

// turn gives a session another token. When another request of the browser was
// faster, that one brings it.
func (w *Web) turn(c echo.Context, hash []byte) error {
	token, err := newSessionToken()
	if err != nil {
		return err
	}
	turned, err := w.store.TurnSession(c.Request().Context(), hash, access.Hash(token), lifecycle.At(w.now().Add(sessionGrace)))
	if turned {
		c.SetCookie(w.cookie(token, sessionIdle))
	}
	return err
}

// user gives the user whose session a request carries; no name for none.
func (w *Web) user(c echo.Context) (access.Holder, error) {
	var none access.Holder
	cookie, err := c.Cookie(w.cookieName())
	if err != nil || cookie.Value == "" || len(cookie.Value) > 100 {
		return none, nil
	}
	ctx := c.Request().Context()
	hash := access.Hash(cookie.Value)
	s, err := w.store.Session(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	now := w.now()
	if now.Sub(s.Seen.Time()) > sessionIdle || now.Sub(s.Created.Time()) > sessionMost {
		return none, w.store.EndSession(context.WithoutCancel(ctx), hash)
	}
	before := !bytes.Equal(s.Hash, hash) // the token before, which another request has turned
	switch {
	case before:
	case now.Sub(s.Turned.Time()) > sessionTurn:
		if err := w.turn(c, hash); err != nil {
			return none, err
		}
	case now.Sub(s.Seen.Time()) > sessionSeen:
		if err := w.store.SeeSession(ctx, hash); err != nil {
			return none, err
		}
		c.SetCookie(w.cookie(cookie.Value, sessionIdle))
	}
	return access.Holder{Name: s.Name, Role: access.Role(s.Role)}, nil
}

// loggedIn lets logged-in users through and sends others to the login page,
// which leads back to where they wanted to go.
func (w *Web) loggedIn(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		holder, err := w.user(c)
		if err != nil {
			return err
		}
		if holder.Name != "" {
			return w.may(c, holder, next)
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
