package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// pinBody is a decision that a person has a stage.
type pinBody struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
	// Until ends it, RFC 3339; empty: until it is released.
	Until string `json:"until"`
	// Lifecycle is the further lifecycle that Stage is of; empty: the main one.
	Lifecycle string `json:"lifecycle"`
}

// apiPin pins the person, and gives them as they are then.
func (w *Web) apiPin(c echo.Context) error {
	var body pinBody
	if err := decode(c, &body); err != nil {
		return err
	}
	if err := w.pin(c, body, author(c)); err != nil {
		return err
	}
	return w.apiProfile(c)
}

// unpinInput says why a stage set by hand is released, and of which lifecycle;
// empty: of the main one.
type unpinInput struct {
	Reason    string `json:"reason"`
	Lifecycle string `json:"lifecycle"`
}

// joinInput names whom a person is joined with, by a key, and says why.
type joinInput struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// personRefBody is the number of a person.
type personRefBody struct {
	ID string `json:"id"`
}

// reviewInput says why a review is decided so.
type reviewInput struct {
	Reason string `json:"reason"`
}

// reviewStateBody is how a review was decided.
type reviewStateBody struct {
	State string `json:"state"`
}

// joinPreviewInput names whom a person would be joined with, by a key.
type joinPreviewInput struct {
	Key string `json:"key"`
}

// partedBody are the numbers of a person and of who was parted from them.
type partedBody struct {
	ID     string `json:"id"`
	Parted string `json:"parted"`
}

func (w *Web) apiUnpin(c echo.Context) error {
	var body unpinInput
	if err := decode(c, &body); err != nil {
		return err
	}
	if err := w.unpin(c, body.Lifecycle, body.Reason, author(c)); err != nil {
		return err
	}
	return w.apiProfile(c)
}

// pinForm is the same by the page's form; its day ends at midnight UTC.
func (w *Web) pinForm(c echo.Context) error {
	user := author(c)
	var err error
	if c.FormValue("release") != "" {
		err = w.unpin(c, c.FormValue("lifecycle"), c.FormValue("reason"), user)
	} else {
		until := c.FormValue("until")
		if until != "" {
			until += "T23:59:59Z"
		}
		err = w.pin(c, pinBody{Stage: c.FormValue("stage"), Reason: c.FormValue("reason"), Until: until, Lifecycle: c.FormValue("lifecycle")}, user)
	}
	if err != nil {
		return err
	}
	at := "/people/" + c.Param("id")
	if c.FormValue("lifecycle") != "" {
		at += "#lifecycles"
	}
	return c.Redirect(http.StatusSeeOther, at)
}

func (w *Web) pin(c echo.Context, body pinBody, author string) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	in := jobs.PinInput{Stage: lifecycle.Stage(body.Stage), Lifecycle: body.Lifecycle, Reason: body.Reason, Author: author}
	if body.Until != "" {
		if in.Until, err = time.Parse(time.RFC3339, body.Until); err != nil {
			return badRequest("until", "is %q, want a time such as 2027-01-31T12:00:00Z", body.Until)
		}
	}
	return w.admin.Pin(c.Request().Context(), p.ID, in)
}

func (w *Web) unpin(c echo.Context, of, reason, author string) error {
	p, _, err := w.person(c)
	if err != nil {
		return err
	}
	return w.admin.Unpin(c.Request().Context(), p.ID, of, reason, author)
}

// splitBody names the keys that are to be parted from a person.
type splitBody struct {
	Keys   []string `json:"keys"`
	Reason string   `json:"reason"`
}

// apiSplit parts keys from the person; the answer names both people.
func (w *Web) apiSplit(c echo.Context) error {
	var body splitBody
	if err := decode(c, &body); err != nil {
		return err
	}
	id, second, err := w.split(c, body, author(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, partedBody{number(int64(id)), number(int64(second))})
}

// apiJoin makes the person and the owner of a key one.
func (w *Web) apiJoin(c echo.Context) error {
	var body joinInput
	if err := decode(c, &body); err != nil {
		return err
	}
	id, err := w.join(c, body.Key, body.Reason, author(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, personRefBody{number(int64(id))})
}

// identityForm is both by the page's forms.
func (w *Web) identityForm(c echo.Context) error {
	user := author(c)
	if key := c.FormValue("join"); key != "" {
		id, err := w.join(c, key, c.FormValue("reason"), user)
		if err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/people/"+number(int64(id)))
	}
	form, err := c.FormParams()
	if err != nil {
		return badRequest("keys", "cannot be read")
	}
	id, _, err := w.split(c, splitBody{form["keys"], c.FormValue("reason")}, user)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/people/"+number(int64(id)))
}

func (w *Web) split(c echo.Context, body splitBody, author string) (lifecycle.ProfileID, lifecycle.ProfileID, error) {
	p, _, err := w.person(c)
	if err != nil {
		return 0, 0, err
	}
	var keys []lifecycle.Key
	for _, text := range body.Keys {
		key, err := keyOf("keys", text)
		if err != nil {
			return 0, 0, err
		}
		keys = append(keys, key)
	}
	second, err := w.admin.Split(c.Request().Context(), p.ID, keys, body.Reason, author)
	return p.ID, second, err
}

func (w *Web) join(c echo.Context, text, reason, author string) (lifecycle.ProfileID, error) {
	p, _, err := w.person(c)
	if err != nil {
		return 0, err
	}
	key, err := keyOf("key", text)
	if err != nil {
		return 0, err
	}
	return w.admin.Join(c.Request().Context(), p.ID, key, reason, author)
}

// keyOf reads namespace:value.
func keyOf(field, text string) (lifecycle.Key, error) {
	namespace, value, ok := strings.Cut(strings.TrimSpace(text), ":")
	if ok {
		var key lifecycle.Key
		if key, ok = lifecycle.NormaliseKey(namespace, value); ok {
			return key, nil
		}
	}
	return lifecycle.Key{}, badRequest(field, "holds %q, want namespace:value such as email:ann@example.com", text)
}
