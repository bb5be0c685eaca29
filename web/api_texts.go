package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// Rules and plan: YAML with a version.

func (w *Web) apiRules(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	if text := c.QueryParam("version"); text != "" && text != "0" {
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return badRequest("version", "is %q, want a number", text)
		}
		v, err := w.store.Rules(ctx, id, version)
		if err != nil {
			return err
		}
		return yamlAnswer(c, v)
	}
	v, err := w.admin.Rules(ctx, id)
	if err != nil {
		return err
	}
	return yamlAnswer(c, v)
}

// apiPutRules publishes; ?replay=all, or a status, processes the raw events of
// the connection again under what was published.
func (w *Web) apiPutRules(c echo.Context) error {
	ctx, id := c.Request().Context(), c.Param("id")
	source, err := text(c)
	if err != nil {
		return err
	}
	if c.QueryParam("dry_run") == "true" {
		_, err := w.admin.CheckRules(ctx, id, []byte(source))
		return checked(c, err)
	}
	replay, err := replayQuery(c)
	if err != nil {
		return err
	}
	return w.publishRules(c, &publishRulesInput{Rules: source, Note: c.QueryParam("note"), Replay: replay})
}

// validBody answers a dry run of a text without mistakes.
type validBody struct {
	Valid bool `json:"valid"`
}

// checked answers a dry run: mistakes come as a problem.
func checked(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, validBody{true})
}

func (w *Web) apiRulesVersions(c echo.Context) error {
	all, err := w.admin.RulesVersions(c.Request().Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, versionsOf(all))
}

func (w *Web) apiRollbackRules(c echo.Context) error {
	to, note, err := rollbackTo(c)
	if err != nil {
		return err
	}
	version, err := w.admin.RollbackRules(c.Request().Context(), c.Param("id"), to, author(c), note)
	return published(c, version, err)
}

// mappedBody is what rules make of one raw event.
type mappedBody struct {
	Status string      `json:"status"`
	Step   string      `json:"step,omitempty"`
	Reason string      `json:"reason,omitempty"`
	Detail string      `json:"detail,omitempty"`
	Rule   string      `json:"rule,omitempty"`
	Events []eventBody `json:"events"`
}

func mappedOf(m *jobs.Mapped) mappedBody {
	o := m.Outcome
	b := mappedBody{Status: store.StatusName(o.Status), Step: o.Step, Reason: o.Reason, Detail: o.Detail, Rule: o.Rule, Events: []eventBody{}}
	for i := range m.Events {
		b.Events = append(b.Events, eventOf(&m.Events[i]))
	}
	return b
}

// previewBody is what one raw event gives under the rules in force and under
// the draft.
type previewBody struct {
	ID         string     `json:"id"`
	Type       string     `json:"type"`
	ReceivedAt string     `json:"received_at"`
	Now        mappedBody `json:"now"`
	Draft      mappedBody `json:"draft"`
	Changed    bool       `json:"changed"`
}

// rulesPreviewBody is what a draft would do with the newest raw events.
type rulesPreviewBody struct {
	listBody[previewBody]
	// Changed counts those that it would change.
	Changed int `json:"changed"`
}

// apiPreviewRules maps the newest raw events by draft rules. The body is the
// YAML; ?limit= says how many. With ?all=true every raw event that fits
// ?status=, type=, since= and until= is compared with what it gave, as long
// work.
func (w *Web) apiPreviewRules(c echo.Context) error {
	source, err := text(c)
	if err != nil {
		return err
	}
	if c.QueryParam("all") == "true" {
		return w.previewAllRules(c, source)
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	all, err := w.admin.PreviewRules(c.Request().Context(), c.Param("id"), []byte(source), limit)
	if err != nil {
		return err
	}
	items, changed := make([]previewBody, len(all)), 0
	for i := range all {
		p := &all[i]
		items[i] = previewBody{number(p.Row.ID), p.Row.Type, when(p.Row.Received), mappedOf(&p.Now), mappedOf(&p.Draft), p.Changed}
		if p.Changed {
			changed++
		}
	}
	return c.JSON(http.StatusOK, rulesPreviewBody{list(items, ""), changed})
}

func (w *Web) apiPlan(c echo.Context) error {
	v, err := w.admin.Plan(c.Request().Context())
	if err != nil {
		return err
	}
	return yamlAnswer(c, v)
}
