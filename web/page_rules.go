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

func (w *Web) rulesPage(c echo.Context) error {
	v, err := w.admin.Rules(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return w.showRules(c, http.StatusOK, rulesPage{draft: draft{Source: v.Source, Version: v.Version}})
}

func (w *Web) showRules(c echo.Context, status int, body rulesPage) error {
	ctx := c.Request().Context()
	body.ID = c.Param("id")
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

// editRules tries what was typed, or publishes it.
func (w *Web) editRules(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	user := author(c)
	d, err := typed(c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if c.FormValue("publish") != "" {
		d.Version, err = publishTyped(&d, func(v store.Versioned) (int64, error) {
			v.Note = c.FormValue("note")
			return w.admin.PublishRules(ctx, id, d.Version, v)
		}, user)
	} else if _, err = w.admin.CheckRules(ctx, id, []byte(d.Source)); err == nil {
		d.Checked = true
	}
	if err != nil {
		status = http.StatusUnprocessableEntity
		if err := d.refused(err); err != nil {
			return err
		}
	}
	return w.showRules(c, status, rulesPage{draft: d})
}
