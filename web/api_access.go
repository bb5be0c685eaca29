package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// userBody is somebody who may log in.
type userBody struct {
	Name      string `json:"name"`
	Role      string `json:"role"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"last_login"`
	// Waiting is when the link to set the first password ends; "" once there is one.
	Waiting string `json:"waiting_until"`
}

func userOf(u store.User) userBody {
	b := userBody{Name: u.Name, Role: u.Role, CreatedAt: when(u.Created), SeenAt: when(u.Seen)}
	if u.Password == "" {
		b.Waiting = when(u.InvitedUntil)
	}
	return b
}

func (w *Web) apiUsers(c echo.Context) error {
	all, err := w.store.Users(c.Request().Context())
	if err != nil {
		return err
	}
	items := make([]userBody, len(all))
	for i, u := range all {
		items[i] = userOf(u)
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

// setupLinkBody is a link to set a password. It is shown this once.
type setupLinkBody struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Until string `json:"until"`
}

func linkOf(name string, l access.Link) setupLinkBody {
	return setupLinkBody{name, "/setup?token=" + url.QueryEscape(l.Token.Reveal()), l.Until.UTC().Format(time.RFC3339)}
}

// userInput is a user to be made.
type userInput struct {
	Name string      `json:"name"`
	Role access.Role `json:"role"`
}

func (w *Web) apiAddUser(c echo.Context) error {
	var in userInput
	if err := decode(c, &in); err != nil {
		return err
	}
	l, err := w.access.AddUser(c.Request().Context(), in.Name, in.Role)
	if err != nil {
		return accessError(err)
	}
	return c.JSON(http.StatusCreated, linkOf(in.Name, l))
}

// roleInput is what a user may do from now on.
type roleInput struct {
	Role access.Role `json:"role"`
}

func (w *Web) apiSetRole(c echo.Context) error {
	var in roleInput
	if err := decode(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := w.access.SetRole(ctx, c.Param("name"), in.Role); err != nil {
		return accessError(err)
	}
	u, err := w.store.User(ctx, c.Param("name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, userOf(u))
}

func (w *Web) apiUserLink(c echo.Context) error {
	l, err := w.access.NewLink(c.Request().Context(), c.Param("name"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, linkOf(c.Param("name"), l))
}

func (w *Web) apiRemoveUser(c echo.Context) error {
	if err := w.store.RemoveUser(c.Request().Context(), c.Param("name")); err != nil {
		return accessError(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// tokenBody is an API token.
type tokenBody struct {
	ID        string   `json:"id"`
	Role      string   `json:"role"`
	Areas     []string `json:"areas"`
	Author    string   `json:"author"`
	CreatedAt string   `json:"created_at"`
	ExpiresAt string   `json:"expires_at"`
	SeenAt    string   `json:"last_used"`
	// Token is its text, once, when it is made.
	Token string `json:"token,omitempty"`
}

func tokenOf(x store.Token) tokenBody {
	b := tokenBody{ID: x.ID, Role: x.Role, Areas: x.Areas, Author: x.Author, CreatedAt: when(x.Created), ExpiresAt: when(x.Expires), SeenAt: when(x.Seen)}
	if b.Areas == nil {
		b.Areas = []string{}
	}
	return b
}

func (w *Web) apiTokens(c echo.Context) error {
	all, err := w.store.Tokens(c.Request().Context())
	if err != nil {
		return err
	}
	items := make([]tokenBody, len(all))
	for i, x := range all {
		items[i] = tokenOf(x)
	}
	return c.JSON(http.StatusOK, list(items, ""))
}

// tokenInput is a token to be made.
type tokenInput struct {
	// ID names it.
	ID   string      `json:"id"`
	Role access.Role `json:"role"`
	// Areas are the parts of the API that it opens, the first part of a path, such
	// as profiles; none: all.
	Areas []string `json:"areas"`
	// Days is how long it works; 0: until it is taken away.
	Days int `json:"days"`
}

func (w *Web) apiAddToken(c echo.Context) error {
	var in tokenInput
	if err := decode(c, &in); err != nil {
		return err
	}
	if in.Days < 0 || in.Days > 36500 {
		return badRequest("days", "is %d, want 0 (no end) to 36500", in.Days)
	}
	text, x, err := w.access.AddToken(c.Request().Context(), access.TokenInput{ID: in.ID, Role: in.Role, Areas: in.Areas, Life: time.Duration(in.Days) * 24 * time.Hour, Author: author(c)})
	if err != nil {
		return accessError(err)
	}
	b := tokenOf(x)
	b.Token = text.Reveal()
	return c.JSON(http.StatusCreated, b)
}

func (w *Web) apiRemoveToken(c echo.Context) error {
	if err := w.store.RemoveToken(c.Request().Context(), c.Param("id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// accessError says what is wrong with a change of access.
func accessError(err error) error {
	var field *access.FieldError
	switch {
	case errors.As(err, &field):
		return badRequest(field.Field, "%s", field.Detail)
	case errors.Is(err, store.ErrLastAdmin):
		return &Problem{Status: http.StatusConflict, Title: "The last admin", Detail: "nobody would be left who may change connections and access; make somebody else admin first. Nothing was changed"}
	}
	return err
}
