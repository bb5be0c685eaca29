package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/lately"
	"github.com/stagebridge/stagebridge/store"
)

// trendCell is what happened at a stage within some days. The links lead to
// the people behind the numbers.
type trendCell struct {
	lately.Counts
	EnteredLink, ThereLink, ForwardLink string
}

// Percent is the share that went on; empty where nobody was there.
func (c trendCell) Percent() string {
	if !c.Rate.Known {
		return ""
	}
	return percentage(c.Rate.Value)
}

// Within is the interval of that share, in words.
func (c trendCell) Within() string { return within(&c.Rate) }

func within(r *reports.Rate) string {
	if !r.Known {
		return ""
	}
	return "95 % interval " + percentage(r.Low) + " to " + percentage(r.High)
}

// trendOf puts the comparison beside the stages of a funnel. Side stages and
// stages of another plan have none.
func trendOf(rows []stageRow, c *lately.Comparison) {
	for i := range rows {
		at := slices.IndexFunc(c.Steps, func(s lately.Step) bool { return string(s.Stage) == rows[i].Name })
		if at < 0 || rows[i].Side {
			continue
		}
		step, last := c.Steps[at], at == len(c.Steps)-1
		rows[i].Trend, rows[i].Last = true, last
		rows[i].Is, rows[i].Was = cellOf(step.Stage, step.Is, c.Is), cellOf(step.Stage, step.Was, c.Was)
		rows[i].Change = change(step.Is.Entered, step.Was.Entered)
	}
}

func cellOf(stage lifecycle.Stage, n lately.Counts, in lately.Period) trendCell {
	to := func(what lately.What) string {
		return link("/funnel", "stage", string(stage), "who", string(what), "from", micros(in.From), "to", micros(in.To))
	}
	return trendCell{n, to(lately.Entered), to(lately.There), to(lately.Forward)}
}

func micros(i lifecycle.Instant) string { return i.Time().Format(time.RFC3339Nano) }

// change says how much more or less is one number than another; empty where
// that cannot be said.
func change(is, was int64) string {
	if was == 0 || is == was {
		return ""
	}
	text := strconv.FormatInt((is-was)*100/was, 10) + " %"
	if is > was {
		return "+" + text
	}
	return "\u2212" + text[1:]
}

// funnelPage answers: who are the people behind a number of the funnel?
type funnelPage struct {
	Stage    string
	Who      string // in words
	From, To lifecycle.Instant
	Rows     []*store.Person
	Next     string
	Formula  string
}

// funnelPeople is how many a page lists.
const funnelPeople = 50

// funnelPage lists them. Without parameters they are those who were in the
// first stage within the last days.
func (w *Web) funnelPage(c echo.Context) error {
	ctx := c.Request().Context()
	cfg := w.registry.Config()
	body := funnelPage{Stage: c.QueryParam("stage"), Formula: lately.Formula}
	if body.Stage == "" {
		body.Stage = string(cfg.Plan.StageNames()[0])
	}
	what := lately.What(cmp.Or(c.QueryParam("who"), string(lately.There)))
	said := map[lately.What]string{lately.Entered: "came into", lately.There: "were in", lately.Forward: "went on from"}
	if body.Who = said[what]; body.Who == "" {
		return badRequest("who", "is %q, want entered, there or forward", string(what))
	}
	var err error
	if body.From, err = instantOf("from", c.QueryParam("from")); err != nil {
		return err
	}
	if body.To, err = instantOf("to", c.QueryParam("to")); err != nil {
		return err
	}
	if is, _ := lately.Periods(lifecycle.At(w.now()).Add(time.Microsecond), trendDays); body.From == 0 && body.To == 0 {
		body.From, body.To = is.From, is.To
	}
	after := int64(0)
	if text := c.QueryParam("next"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after <= 0 {
			return store.ErrCursor
		}
	}
	end, err := w.reports.take(ctx, reportWait)
	if err != nil {
		return err
	}
	defer end()
	ids, more, err := lately.Who(ctx, w.store, cfg.Plan, cfg.PlanOf, lifecycle.At(w.now()).Add(time.Microsecond),
		lately.Period{From: body.From, To: body.To}, lifecycle.Stage(body.Stage), what, lifecycle.ProfileID(after), funnelPeople)
	if err != nil {
		return err
	}
	found, err := w.store.PeopleOf(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if p := found[id]; p != nil {
			body.Rows = append(body.Rows, p)
		}
	}
	if more {
		body.Next = link("/funnel", "stage", body.Stage, "who", string(what), "from", micros(body.From), "to", micros(body.To), "next", number(int64(ids[len(ids)-1])))
	}
	return w.render(c, http.StatusOK, "funnel", body.Stage+": people", body)
}
