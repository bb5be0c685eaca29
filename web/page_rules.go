package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

const (
	// triedEvents is how many of the newest raw events a draft is tried on, and
	// shownEvents how many of them the page shows in full.
	triedEvents, shownEvents = 500, 12
	// shownPayload is how much of a body the page shows beside its events.
	shownPayload = 4 << 10
	// mostWords bounds what the editor offers to complete.
	mostWords = 400
)

// rulesPage answers: what does this payload become?
type rulesPage struct {
	draft
	ID    string
	Trial trialBody
	// Words are names the editor completes: members seen in payloads, events
	// and traits of the plan.
	Words string
	// Works tells that this process begins long work, such as Work; nil: none is
	// asked for.
	Works   bool
	Work    *rulesWork
	Choices []replayChoice
	Replay  replayAsked
}

// trialBody is what typed rules make of the newest raw events.
type trialBody struct {
	Mistakes  []Mistake
	Rules     []jobs.TriedRule
	Sampled   int
	Changed   int
	Events    []triedEvent
	Unmatched []jobs.Unmatched
}

// triedEvent is one raw event beside what it becomes.
type triedEvent struct {
	jobs.Previewed
	// Payload and Record are what rules read as body and record, a member a line.
	Payload, Record string
	Rules           []mapping.RuleExplanation
}

// rulesPage shows the rules in force; with ?job= how far long work about them
// is, and for a try on everything its draft instead.
func (w *Web) rulesPage(c echo.Context) error {
	v, err := w.admin.Rules(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	body := rulesPage{draft: draft{Source: v.Source, Version: v.Version}}
	if body.Work, err = w.rulesWorkOf(c, c.Param("id")); err != nil {
		return err
	}
	if body.Work != nil {
		if d, ok := draftOf(&body.Work.Row.Work, v.Version); ok {
			body.draft = d
		}
	}
	return w.showRules(c, http.StatusOK, body)
}

func (w *Web) showRules(c echo.Context, status int, body rulesPage) error {
	ctx := c.Request().Context()
	body.ID, body.Works, body.Choices = c.Param("id"), w.admin.Works != nil, replayChoices()
	if len(body.Mistakes) == 0 {
		trial, err := w.admin.TryRules(ctx, body.ID, []byte(body.Source), triedEvents, shownEvents)
		if err != nil {
			// Rules in force may be broken by a newer version of the program.
			if err = body.refused(err); err != nil {
				return err
			}
		} else {
			body.Trial = trialOf(trial)
			body.Words = words(trial, w.registry.Config().Plan)
		}
	}
	body.Trial.Mistakes = body.Mistakes
	if c.FormValue("fragment") != "" {
		// Mistakes while somebody types are no failure of the request.
		return w.renderPart(c, http.StatusOK, "rules", "trial", body.Trial)
	}
	var err error
	if body.Versions, err = w.admin.RulesVersions(ctx, body.ID); err != nil {
		return err
	}
	return w.render(c, status, "rules", "Rules of "+body.ID, body)
}

func trialOf(t *jobs.Trial) trialBody {
	b := trialBody{Rules: t.Rules, Sampled: t.Sampled, Changed: t.Changed, Unmatched: t.Unmatched}
	for _, e := range t.Shown {
		b.Events = append(b.Events, triedEvent{Previewed: e.Previewed, Payload: payload(bodyFormat(&e.Row), e.Row.Body), Record: payload("", e.Row.Record), Rules: e.Why.Rules})
	}
	return b
}

// editRules tries what was typed, on the newest events or on everything, or
// publishes it, with a replay or without.
func (w *Web) editRules(c echo.Context) error {
	d, err := typed(c)
	if err != nil {
		return err
	}
	body := rulesPage{draft: d, Replay: replayAsked{Which: c.FormValue("replay"), Count: -1}}
	if err := w.actOnRules(c, &body); err != nil {
		if err := body.refused(err); err != nil {
			return err
		}
		return w.showRules(c, http.StatusUnprocessableEntity, body)
	}
	if c.Response().Committed {
		return nil
	}
	return w.showRules(c, http.StatusOK, body)
}

// actOnRules does what the button asked for; it may have answered already.
func (w *Web) actOnRules(c echo.Context, body *rulesPage) error {
	ctx, id := c.Request().Context(), c.Param("id")
	act := c.FormValue("publish")
	if w.admin.Works == nil && (act == "count" || act == "replay" || c.FormValue("all") != "") {
		return &Problem{Status: http.StatusNotImplemented, Title: "Not offered", Detail: "this process does no long work; nothing was published"}
	}
	switch {
	case act == "count":
		return w.countReplay(c, &body.draft, &body.Replay)
	case act == "replay":
		return w.publishAndReplay(c, &body.draft, body.Replay)
	case c.FormValue("all") != "":
		return w.tryOnAll(c, &body.draft)
	case act != "":
		version, err := publishTyped(&body.draft, func(v store.Versioned) (int64, error) {
			return w.admin.PublishRules(ctx, id, body.Version, v)
		}, author(c))
		body.Version = version
		return err
	}
	_, err := w.admin.CheckRules(ctx, id, []byte(body.Source))
	body.Checked = err == nil
	return err
}
