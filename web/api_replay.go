package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// replayInput is the body of a replay: the filters of the list of raw events.
type replayInput struct {
	Connection string `json:"connection"`
	Status     string `json:"status"`
	Type       string `json:"type"`
	Step       string `json:"step"`
	Reason     string `json:"reason"`
	Rule       string `json:"rule"`
	// Person is a number or a key, such as email:ann@example.com.
	Person string `json:"person"`
	Since  string `json:"since"`
	Until  string `json:"until"`
	DryRun bool   `json:"dry_run"`
}

// replayForm reads the same out of a query or a form.
func replayForm(c echo.Context) replayInput {
	return replayInput{Connection: c.FormValue("connection"), Status: c.FormValue("status"), Type: c.FormValue("type"),
		Step: c.FormValue("step"), Reason: c.FormValue("reason"), Rule: c.FormValue("rule"), Person: c.FormValue("person"),
		Since: c.FormValue("since"), Until: c.FormValue("until")}
}

// inboxFilter reads the filter and the page out of the query.
func (w *Web) inboxFilter(c echo.Context) (store.InboxFilter, error) {
	in := replayForm(c)
	f, err := w.filterOf(c.Request().Context(), &in)
	if err != nil {
		return f, err
	}
	f.After = c.QueryParam("next")
	f.Limit, err = limitOf(c)
	return f, err
}

func (w *Web) filterOf(ctx context.Context, in *replayInput) (store.InboxFilter, error) {
	f := store.InboxFilter{Connection: in.Connection, Status: in.Status, Type: in.Type, Step: in.Step, Reason: in.Reason, Rule: in.Rule}
	if _, ok := store.StatusNumber(in.Status); in.Status != "" && !ok {
		return f, badRequest("status", "is %q, want pending, done, ignored, quarantined or failed", in.Status)
	}
	var err error
	if f.Person, err = w.personOf(ctx, in.Person); err != nil {
		return f, err
	}
	if f.Since, err = instantOf("since", in.Since); err != nil {
		return f, err
	}
	f.Until, err = instantOf("until", in.Until)
	return f, err
}

// personOf reads a person's number or key; "" is zero. Somebody who was merged
// answers with the survivor.
func (w *Web) personOf(ctx context.Context, text string) (lifecycle.ProfileID, error) {
	if text == "" {
		return 0, nil
	}
	var p *store.Person
	var err error
	if id, number := strconv.ParseInt(text, 10, 64); number == nil {
		p, err = w.store.Person(ctx, lifecycle.ProfileID(id))
	} else {
		namespace, value, _ := strings.Cut(text, ":")
		key, ok := lifecycle.NormaliseKey(namespace, value)
		if !ok {
			return 0, badRequest("person", "is %q, want a number or a key such as email:ann@example.com", text)
		}
		p, err = w.store.PersonByKey(ctx, key.String())
	}
	if isNotFound(err) {
		return 0, badRequest("person", "%q is nobody", text)
	}
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// replayBody answers a replay: how many raw events it takes and, unless it only
// counted, the work that processes them.
type replayBody struct {
	countBody
	Job *jobBody `json:"job,omitempty"`
}

// A small replay is waited for, so that its answer says what came of it.
const (
	smallReplay  = 1000
	replayWait   = 2 * time.Second
	replayLook   = 25 * time.Millisecond
	maxReplayRun = 25 * time.Second
)

// apiReplay processes the raw events of a filter again; with dry_run it only
// counts them. The answer to a small one comes when it is done, where that
// takes no more than ?wait= seconds, 2 without it.
func (w *Web) apiReplay(c echo.Context) error {
	if w.admin.Works == nil {
		return &Problem{Status: http.StatusNotImplemented, Title: "Not offered", Detail: "this process does not replay"}
	}
	var in replayInput
	if err := decode(c, &in); err != nil {
		return err
	}
	f, err := w.filterOf(c.Request().Context(), &in)
	if err != nil {
		return err
	}
	n, one, err := w.admin.Replay(c.Request().Context(), f, author(c), in.DryRun)
	if err != nil {
		return err
	}
	body := replayBody{countBody: countBody{n, in.DryRun}}
	if !in.DryRun {
		if body.Job, err = w.replayJob(c, n, &one); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, body)
}

// replayJob waits for a replay that may be over soon.
func (w *Web) replayJob(c echo.Context, n int64, one *store.Work) (*jobBody, error) {
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/jobs/"+number(one.ID))
	wait := time.Duration(0)
	if n <= smallReplay {
		wait = replayWait
	}
	if text := c.QueryParam("wait"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= maxReplayRun.Seconds()) {
			return nil, badRequest("wait", "is %q, want 0 to %v seconds", text, maxReplayRun.Seconds())
		}
		wait = time.Duration(seconds * float64(time.Second))
	}
	over, err := w.settled(c.Request().Context(), one, wait)
	if err != nil {
		return nil, err
	}
	job := w.jobOf(&over, true)
	return &job, nil
}

// settled gives work as it stands when it is over, or after a time.
func (w *Web) settled(ctx context.Context, one *store.Work, wait time.Duration) (store.Work, error) {
	until := time.Now().Add(wait)
	tick := time.NewTicker(replayLook)
	defer tick.Stop()
	for one.State.Live() && time.Now().Before(until) {
		select {
		case <-ctx.Done():
			return *one, ctx.Err()
		case <-tick.C:
		}
		now, err := w.store.WorkByID(ctx, one.ID)
		if err != nil {
			return *one, err
		}
		*one = now
	}
	return *one, nil
}

// publishRulesInput is the body of a publishing with its replay.
type publishRulesInput struct {
	Rules string `json:"rules"`
	Note  string `json:"note"`
	// Replay is what to process again under the rules, its connection being
	// theirs; without it nothing is.
	Replay *replayInput `json:"replay"`
}

// publishedBody answers a publishing.
type publishedBody struct {
	Version int64 `json:"version"`
	replayBody
}

// apiPublishRules puts rules in force and processes raw events of the
// connection again under them, in one step.
func (w *Web) apiPublishRules(c echo.Context) error {
	var in publishRulesInput
	if err := decode(c, &in); err != nil {
		return err
	}
	return w.publishRules(c, &in)
}

// replayQuery reads ?replay= of a PUT of rules: a status, or all; nil without it.
func replayQuery(c echo.Context) (*replayInput, error) {
	text := c.QueryParam("replay")
	switch _, ok := store.StatusNumber(text); {
	case text == "":
		return nil, nil
	case text == "all":
		return &replayInput{}, nil
	case ok && text != "pending":
		return &replayInput{Status: text}, nil
	}
	return nil, badRequest("replay", "is %q, want all, done, ignored, quarantined or failed", text)
}

func (w *Web) publishRules(c echo.Context, in *publishRulesInput) error {
	ctx, id := c.Request().Context(), c.Param("id")
	now, err := w.admin.Rules(ctx, id)
	if err != nil {
		return err
	}
	was, err := basedOn(c, now.Version)
	if err != nil {
		return err
	}
	v := store.Versioned{Source: in.Rules, Author: author(c), Note: in.Note}
	if in.Replay == nil {
		version, err := w.admin.PublishRules(ctx, id, was, v)
		return published(c, version, err)
	}
	if w.admin.Works == nil {
		return &Problem{Status: http.StatusNotImplemented, Title: "Not offered", Detail: "this process does not replay; nothing was published"}
	}
	if in.Replay.DryRun {
		return badRequest("replay.dry_run", "is for POST /rules/preview?all=true, which writes nothing")
	}
	if in.Replay.Connection != "" && in.Replay.Connection != id {
		return badRequest("replay.connection", "is %q, want %q or nothing", in.Replay.Connection, id)
	}
	f, err := w.filterOf(ctx, in.Replay)
	if err != nil {
		return err
	}
	done, err := w.admin.PublishRulesAndReplay(ctx, id, was, v, f)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(done.Version))
	body := publishedBody{done.Version, replayBody{countBody: countBody{done.Count, false}}}
	if body.Job, err = w.replayJob(c, done.Count, &done.Work); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, body)
}
