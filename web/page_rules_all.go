package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// A form waits for long work that may be over soon, so that on a small
// installation the answer comes at once: takenWait for somebody to take it up,
// and then pageWait.
const (
	takenWait = 250 * time.Millisecond
	pageWait  = 1500 * time.Millisecond
)

// rulesWork is long work about the rules of a connection: what a draft would
// do to everything stored, or a replay.
type rulesWork struct {
	Row workRow
	// Preview is what came of a try; nil for a replay and until it is done.
	Preview *jobs.RulesPreview
	// Replay tells a replay from a try; Replayed is what came of it, nil until it
	// is done.
	Replay   bool
	Replayed *jobs.Replayed
}

// replayChoice is one answer to which raw events are processed again.
type replayChoice struct{ Value, Label string }

// replayChoices lists them, the usual one first.
func replayChoices() []replayChoice {
	return []replayChoice{
		{"all", "everything that is stored"},
		{"ignored", "what no rule took"},
		{"failed", "what failed"},
		{"quarantined", "what did not fit the plan"},
		{"done", "what gave events"},
	}
}

// replayAsked is a replay beside the publishing of rules, while a person
// decides about it.
type replayAsked struct {
	Which string
	// Count is how many raw events it takes; negative until that was asked.
	Count int64
}

// filter gives the raw events of the choice.
func (a replayAsked) filter(connection string) (store.InboxFilter, error) {
	f := store.InboxFilter{Connection: connection}
	if !slices.ContainsFunc(replayChoices(), func(c replayChoice) bool { return c.Value == a.Which }) {
		return f, badRequest("replay", "is %q, want all, ignored, failed, quarantined or done", a.Which)
	}
	if a.Which != "all" {
		f.Status = a.Which
	}
	return f, nil
}

// rulesWorkOf gives the work ?job= names, with what came of it; nil without one.
// store.ErrNotFound: it is about something else.
func (w *Web) rulesWorkOf(c echo.Context, id string) (*rulesWork, error) {
	if c.QueryParam("job") == "" {
		return nil, nil
	}
	one, err := w.jobAsked(c)
	if err != nil {
		return nil, err
	}
	if connectionOf(&one) != id {
		return nil, store.ErrNotFound
	}
	return w.rulesWork(&one)
}

// jobAsked gives the work that ?job= names.
func (w *Web) jobAsked(c echo.Context) (store.Work, error) {
	id, err := strconv.ParseInt(c.QueryParam("job"), 10, 64)
	if err != nil || id <= 0 {
		return store.Work{}, store.ErrNotFound
	}
	return w.store.WorkByID(c.Request().Context(), id)
}

func (w *Web) rulesWork(one *store.Work) (*rulesWork, error) {
	body := &rulesWork{Row: w.workRow(one)}
	switch one.Kind {
	case jobs.WorkReplay:
		body.Replay = true
		if r, ok := resultOf[jobs.Replayed](one); ok {
			body.Replayed = &r
		}
	case jobs.WorkRulesPreview:
		if r, ok := resultOf[jobs.RulesPreview](one); ok {
			body.Preview = &r
		}
	default:
		return nil, store.ErrNotFound
	}
	return body, nil
}

// draftOf gives the draft that a try was begun with; false for other work.
func draftOf(one *store.Work, now int64) (draft, bool) {
	args, ok := argsOf[jobs.RulesPreviewArgs](one)
	if !ok || one.Kind != jobs.WorkRulesPreview {
		return draft{}, false
	}
	d := draft{Source: args.Rules, Version: now}
	if args.Based != nil {
		d.Version = *args.Based
	}
	return d, true
}

// tryOnAll begins to compare what everything stored gave with what it would
// give by what was typed.
func (w *Web) tryOnAll(c echo.Context, d *draft) error {
	ctx, id := c.Request().Context(), c.Param("id")
	one, err := w.admin.StartRulesPreview(ctx, jobs.RulesPreviewArgs{Connection: id, Rules: d.Source, Based: &d.Version}, author(c))
	if err != nil {
		return err
	}
	if err := w.soon(ctx, &one); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, rulesJob(id, one.ID))
}

// publishAndReplay puts what was typed in force and has stored raw events
// processed again under it.
func (w *Web) publishAndReplay(c echo.Context, d *draft, asked replayAsked) error {
	ctx, id := c.Request().Context(), c.Param("id")
	f, err := asked.filter(id)
	if err != nil {
		return err
	}
	done, err := w.admin.PublishRulesAndReplay(ctx, id, d.Version, store.Versioned{Source: d.Source, Author: author(c), Note: d.Why}, f)
	if err != nil {
		return err
	}
	if err := w.soon(ctx, &done.Work); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, rulesJob(id, done.Work.ID))
}

// countReplay checks what was typed and says how many raw events would be
// processed again under it.
func (w *Web) countReplay(c echo.Context, d *draft, asked *replayAsked) error {
	ctx, id := c.Request().Context(), c.Param("id")
	f, err := asked.filter(id)
	if err != nil {
		return err
	}
	if _, err := w.admin.CheckRules(ctx, id, []byte(d.Source)); err != nil {
		return err
	}
	asked.Count, _, err = w.admin.Replay(ctx, f, author(c), true)
	return err
}

// liveJob keeps the part of a page up to date that shows long work.
func (w *Web) liveJob(c echo.Context) error {
	id, err := numberOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	one, err := w.store.WorkByID(ctx, id)
	if err != nil {
		return err
	}
	view := "rules"
	body := func(one *store.Work) (any, error) { return w.rulesWork(one) }
	if one.Kind == jobs.WorkPlanPreview || one.Kind == jobs.WorkPublish {
		view, body = "plan", func(one *store.Work) (any, error) { return w.planWork(one) }
	}
	if _, err := body(&one); err != nil {
		return err // before the stream begins
	}
	return w.stream(c, view, func() (any, error) {
		one, err := w.store.WorkByID(ctx, id)
		if err != nil {
			return nil, err
		}
		return body(&one)
	})
}

// soon waits for work that may be over in a moment; not for work that nobody
// takes up.
func (w *Web) soon(ctx context.Context, one *store.Work) error {
	if _, err := w.settled(ctx, one, takenWait); err != nil {
		return err
	}
	if one.State == store.WorkQueued {
		return nil
	}
	_, err := w.settled(ctx, one, pageWait)
	return err
}
