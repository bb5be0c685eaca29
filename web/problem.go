package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/store"
)

// Problem is an answer that is not a success, in the form of RFC 9457. It is
// an error, so that handlers return it.
type Problem struct {
	Status int
	// Title names the kind of problem, Detail says what happened, what was kept
	// and what to do. Both are shown.
	Title, Detail string
	// RetryAfter in seconds; zero sends no header.
	RetryAfter int
	// Mistakes lists what is wrong with an input.
	Mistakes []Mistake
	// Err is the cause. It is logged, never shown.
	Err error
}

// Mistake is one thing that is wrong with an input. Line and Column count from
// 1 and are zero where there is no text.
type Mistake struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Error names title, detail and cause; it is for logs.
func (p *Problem) Error() string {
	s := p.Title + ": " + p.Detail
	if p.Err != nil {
		s += ": " + p.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

// problemOf is the one place where an error becomes an answer. What it does
// not know is a 500 that tells nothing.
func problemOf(err error) *Problem {
	var ready *Problem
	var routing *echo.HTTPError
	var invalid *jobs.Invalid
	var vendor *connectors.PushError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &large):
		return &Problem{Status: http.StatusRequestEntityTooLarge, Title: "Too large", Detail: fmt.Sprintf("the body may have %d bytes", large.Limit)}
	case errors.As(err, &invalid):
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "Not valid", Detail: "nothing was changed; see errors", Mistakes: mistakes(invalid)}
	case errors.Is(err, store.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Title: "Not found", Detail: "there is nothing under this name or id"}
	case errors.Is(err, store.ErrExists):
		return &Problem{Status: http.StatusConflict, Title: "Exists already", Detail: "something of this name is there already; nothing was changed"}
	case errors.Is(err, store.ErrStale):
		return &Problem{Status: http.StatusPreconditionFailed, Title: "Changed meanwhile", Detail: "somebody else changed this since you read it; nothing was changed, read it again"}
	case errors.Is(err, store.ErrRollout):
		return &Problem{Status: http.StatusConflict, Title: "A plan is being rolled out", Detail: "finish or withdraw it first; nothing was changed"}
	case errors.Is(err, store.ErrCursor):
		return badRequest("next", "is not a cursor of this list")
	case errors.Is(err, store.ErrAway):
		return &Problem{Status: http.StatusServiceUnavailable, Title: "Database away", Detail: "the database cannot be reached; nothing was changed, try again", RetryAfter: 5, Err: err}
	case errors.Is(err, jobs.ErrCannot):
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "Not possible", Detail: jobs.ErrCannot.Error()}
	case errors.As(err, &vendor):
		return &Problem{Status: http.StatusBadGateway, Title: "The vendor did not take it", Detail: vendor.Error(), Err: vendor.Err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Problem{Status: http.StatusServiceUnavailable, Title: "Too slow", Detail: "the request ended before its answer", RetryAfter: 1, Err: err}
	case errors.As(err, &routing):
		return &Problem{Status: routing.Code, Title: http.StatusText(routing.Code), Detail: detailOf(routing.Code), Err: err}
	}
	return &Problem{Status: http.StatusInternalServerError, Title: "Internal error", Detail: "this is a mistake in the program; the log tells more under the request's id", Err: err}
}

func detailOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "there is nothing at this address"
	case http.StatusMethodNotAllowed:
		return "this address does not take that method"
	}
	return strings.ToLower(http.StatusText(status))
}

// badRequest is a 400 about one field or parameter.
func badRequest(field, format string, args ...any) *Problem {
	m := Mistake{Field: field, Detail: fmt.Sprintf(format, args...)}
	return &Problem{Status: http.StatusBadRequest, Title: "Not understood", Detail: strings.TrimSpace(field + " " + m.Detail), Mistakes: []Mistake{m}}
}

// mistakes turns what checks found into what is shown. The texts are written
// for whoever made the input and hold no secrets.
func mistakes(err error) []Mistake {
	var setting *connectors.SettingError
	var place document.Error
	switch joined, many := err.(interface{ Unwrap() []error }); {
	case many:
		var all []Mistake
		for _, one := range joined.Unwrap() {
			all = append(all, mistakes(one)...)
		}
		return all
	case errors.As(err, &setting):
		return []Mistake{{Field: setting.Field, Detail: setting.Detail}}
	case errors.As(err, &place):
		return []Mistake{{Field: place.Field, Detail: place.Message, File: place.File, Line: place.Line, Column: place.Column}}
	}
	return []Mistake{{Detail: err.Error()}}
}

// problemBody is RFC 9457's document.
type problemBody struct {
	Type      string    `json:"type"`
	Title     string    `json:"title"`
	Status    int       `json:"status"`
	Detail    string    `json:"detail,omitempty"`
	Errors    []Mistake `json:"errors,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
}

// fail is Echo's error handler: a page for people, a problem document for
// everything else.
func (w *Web) fail(err error, c echo.Context) {
	p := problemOf(err)
	id := c.Response().Header().Get(headerRequestID)
	if p.Status >= 500 && c.Request().Context().Err() == nil && (p.Status != http.StatusServiceUnavailable || w.complained.may(w.now())) {
		w.log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "status", p.Status, "request_id", id, "error", err)
	}
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	if p.RetryAfter > 0 {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(p.RetryAfter))
	}
	if isPage(c) {
		w.setHeaders(h)
		if w.render(c, p.Status, "problem", p.Title, problemPage{Detail: p.Detail, Mistakes: p.Mistakes, RequestID: id}) == nil {
			return
		}
	}
	body, _ := json.Marshal(problemBody{Type: "about:blank", Title: p.Title, Status: p.Status, Detail: p.Detail, Errors: p.Mistakes, RequestID: id}) // texts always encode
	h.Set(echo.HeaderContentType, "application/problem+json")
	c.Response().WriteHeader(p.Status)
	if c.Request().Method != http.MethodHead {
		_, _ = c.Response().Write(body) // the client may have gone; nothing is left to tell it
	}
}

// isPage reports whether a person's browser is to be shown an answer.
func isPage(c echo.Context) bool {
	path := c.Request().URL.Path
	return !strings.HasPrefix(path, apiRoot+"/") && !strings.HasPrefix(path, "/hooks/") &&
		strings.Contains(c.Request().Header.Get(echo.HeaderAccept), "text/html")
}

// problemPage is the body of templates/problem.html.
type problemPage struct {
	Detail    string
	Mistakes  []Mistake
	RequestID string
}
