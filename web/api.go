package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web/access"
)

// apiAuthor stands as author of what is changed with the token of the settings.
const apiAuthor = "api"

// listBody is the shape of every list.
type listBody[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// list never gives null for an empty list.
func list[T any](items []T, next string) listBody[T] {
	return listBody[T]{some(items), next}
}

// some is a list that is not null in JSON, also when it is empty.
func some[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// authorized lets through who holds the token of the settings, or one that was
// made for what is asked.
func (w *Web) authorized(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		token, bearer := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
		if !bearer {
			return unauthorized(c)
		}
		if !w.apiToken.Empty() && w.apiToken.Equal(token) {
			return w.may(c, access.Holder{Name: apiAuthor, Role: access.Admin}, next)
		}
		holder, err := w.access.Holder(c.Request().Context(), token)
		switch {
		case err == nil:
			return w.may(c, holder, next)
		case !isNotFound(err):
			return err
		case !w.apiAttempts.may(c.RealIP()):
			return tooMany("too many wrong tokens from this address")
		}
		return unauthorized(c)
	}
}

func unauthorized(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="stagebridge"`)
	return &Problem{Status: http.StatusUnauthorized, Title: "Not authorized", Detail: "send the API token as Authorization: Bearer …"}
}

// decode reads a JSON body strictly: an unknown member is a mistake, since it
// is most often a misspelt one. An empty body is an empty object.
func decode(c echo.Context, into any) error {
	kind, _, _ := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if kind != "" && kind != "application/json" && kind != "application/x-www-form-urlencoded" { // curl's default
		return &Problem{Status: http.StatusUnsupportedMediaType, Title: "Not supported", Detail: "the body must be application/json"}
	}
	d := json.NewDecoder(c.Request().Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	return bodyError(err)
}

// bodyError says what is wrong with a JSON body.
func bodyError(err error) error {
	var large *http.MaxBytesError
	var kind *json.UnmarshalTypeError
	var problem *Problem
	switch {
	case err == nil, errors.As(err, &large), errors.As(err, &problem):
		return err
	case errors.As(err, &kind):
		return badRequest(kind.Field, "cannot be a %s", kind.Value)
	}
	return badRequest("body", "is not the JSON wanted: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// text reads a body that is YAML.
func text(c echo.Context) (string, error) {
	b, err := io.ReadAll(c.Request().Body)
	return string(b), err
}

// limitOf reads ?limit=.
func limitOf(c echo.Context) (int, error) {
	text := c.QueryParam("limit")
	if text == "" {
		return store.DefaultPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > store.MaxPage {
		return 0, badRequest("limit", "is %q, want 1 to %d", text, store.MaxPage)
	}
	return n, nil
}

// numberOf reads an id out of the path. What is no id cannot exist.
func numberOf(c echo.Context) (int64, error) {
	n, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || n <= 0 {
		return 0, store.ErrNotFound
	}
	return n, nil
}

// instantOf reads a moment in RFC 3339; "" is zero.
func instantOf(field, text string) (lifecycle.Instant, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, badRequest(field, "is %q, want a time such as 2026-11-21T10:00:00Z", text)
	}
	return lifecycle.At(t), nil
}

// when spells an instant as the API does; "" for zero.
func when(i lifecycle.Instant) string {
	if i == 0 || i == store.Behind {
		return ""
	}
	return i.Time().Format(time.RFC3339Nano)
}

// etag and matched carry the version of a text.
func etag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// basedOn reads If-Match: the version that a change is based on, or the one in
// force where the client names none.
func basedOn(c echo.Context, inForce int64) (int64, error) {
	match := strings.TrimPrefix(strings.TrimSpace(c.Request().Header.Get("If-Match")), "W/")
	if match == "" || match == "*" {
		return inForce, nil
	}
	text, ok := strings.CutPrefix(strings.Trim(match, `"`), "v")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return 0, store.ErrStale
	}
	return n, nil
}

// sameText answers a conditional GET.
func sameText(c echo.Context, version int64) bool {
	c.Response().Header().Set("ETag", etag(version))
	return c.Request().Header.Get("If-None-Match") == etag(version)
}

// wantsJSON reports whether a client asks for JSON where YAML is the default.
func wantsJSON(c echo.Context) bool {
	return strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "application/json")
}

// yamlAnswer sends a text with its version.
func yamlAnswer(c echo.Context, v store.Versioned) error {
	if sameText(c, v.Version) {
		return c.NoContent(http.StatusNotModified)
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusOK, versionOf(v, true))
	}
	return c.Blob(http.StatusOK, "application/yaml; charset=utf-8", []byte(v.Source))
}

// versionBody is a version of a text.
type versionBody struct {
	Version   int64  `json:"version"`
	Author    string `json:"author"`
	Note      string `json:"note"`
	CreatedAt string `json:"created_at"`
	// State of a plan's version: in force, rolling out, or empty.
	State  string `json:"state,omitempty"`
	Source string `json:"source,omitempty"`
}

func versionOf(v store.Versioned, whole bool) versionBody {
	b := versionBody{Version: v.Version, Author: v.Author, Note: v.Note, CreatedAt: when(v.Created)}
	if whole {
		b.Source = v.Source
	}
	return b
}

func versionsOf(all []store.Versioned) listBody[versionBody] {
	items := make([]versionBody, len(all))
	for i, v := range all {
		items[i] = versionOf(v, false)
	}
	return list(items, "")
}

// versionInput is the body of a rollback.
type versionInput struct {
	Version *int64 `json:"version"`
	// Note says why, for the list of versions.
	Note string `json:"note"`
}

func rollbackTo(c echo.Context) (version int64, note string, err error) {
	var in versionInput
	if err := decode(c, &in); err != nil {
		return 0, "", err
	}
	if in.Version == nil || *in.Version < 0 {
		return 0, "", badRequest("version", "is required; 0 is the default")
	}
	return *in.Version, in.Note, nil
}

// textVersionBody is the version that a text was given.
type textVersionBody struct {
	Version int64 `json:"version"`
}

// published answers a change of a text.
func published(c echo.Context, version int64, err error) error {
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(version))
	return c.JSON(http.StatusOK, textVersionBody{version})
}
