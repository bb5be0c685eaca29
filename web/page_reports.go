package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/web/chart"
)

// reportsPage answers: how well does the lifecycle work, and where to look?
type reportsPage struct {
	Groups []reportGroup
}

// reportGroup is some reports that answer one kind of question.
type reportGroup struct {
	Question string
	Reports  []live.Info
}

// reportPage is one report. Report is nil while it cannot be computed, and
// Notice says why.
type reportPage struct {
	Name, Summary string
	Notice        string
	// Computing: what is shown, or will be, is being computed beside the page.
	Computing bool
	Report    *live.Report
	AsOf      lifecycle.Instant
	Pictures  []chart.Picture
	CSV       string
	Form      reportForm
	Mistakes  []Mistake
	// Looked is at how many people the computing beside the page has looked, of
	// about Of; zero before the first thousands.
	Looked, Of int64
	// Width is the same in percent.
	Width int64
}

// questions group the reports; what is in none of them comes last.
func questions() []reportGroup {
	group := func(question string, names ...string) reportGroup {
		g := reportGroup{Question: question}
		for _, name := range names {
			g.Reports = append(g.Reports, live.Info{Name: name})
		}
		return g
	}
	return []reportGroup{
		group("How do people move?", "funnel", "conversion", "stay", "velocity", "cycle", "speed", "contact"),
		group("Who comes back, and who leaves?", "cohorts", "churn", "split", "stickiness", "contracts"),
		group("What are customers worth?", "concentration", "rfm", "clv", "mrr", "economics"),
		group("What works?", "attribution", "precedes", "lift", "content", "winrate"),
		group("Are they content?", "surveys", "tickets"),
	}
}

func (w *Web) reportsPage(c echo.Context) error {
	left := live.Reports()
	var body reportsPage
	for _, g := range questions() {
		found := reportGroup{Question: g.Question}
		for _, wanted := range g.Reports {
			if i := slices.IndexFunc(left, func(x live.Info) bool { return x.Name == wanted.Name }); i >= 0 {
				found.Reports = append(found.Reports, left[i])
				left = slices.Delete(left, i, i+1)
			}
		}
		body.Groups = append(body.Groups, found)
	}
	if len(left) > 0 {
		body.Groups = append(body.Groups, reportGroup{"Further", left})
	}
	return w.render(c, http.StatusOK, "reports", "Reports", body)
}

// reportPage shows one report with its pictures. Filters that cannot be read are
// told above the form, which keeps what was typed. With format=csv it gives the
// tables as a file.
func (w *Web) reportPage(c echo.Context) error {
	if c.QueryParam("format") == "csv" {
		return w.reportCSV(c)
	}
	body, status, err := w.reportOf(c, true)
	if err != nil {
		return err
	}
	if body.Computing && body.Report == nil {
		c.Response().Header().Set("Refresh", "3") // without JavaScript, too
	}
	if body.Report != nil {
		body.Pictures = pictures(body.Report)
		q := c.QueryParams()
		q.Set("format", "csv")
		body.CSV = "/reports/" + body.Name + "?" + q.Encode()
	}
	return w.render(c, status, "report", "Report "+body.Name, *body)
}

// reportCSV gives the tables of the same report as a file.
func (w *Web) reportCSV(c echo.Context) error {
	body, _, err := w.reportOf(c, false)
	if err != nil {
		return err
	}
	if len(body.Mistakes) > 0 {
		return badRequest(body.Mistakes[0].Field, "%s", body.Mistakes[0].Detail)
	}
	if body.Report == nil {
		return &Problem{Status: http.StatusServiceUnavailable, Title: "Not yet", Detail: body.Notice, RetryAfter: 60}
	}
	var out bytes.Buffer
	if err := body.Report.WriteCSV(&out); err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+body.Name+`.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", out.Bytes())
}

// reportOf computes the report that a request asks for, for the page and the
// file. Where there are many people the page, which may not wait, gets what was
// computed beside it.
func (w *Web) reportOf(c echo.Context, page bool) (*reportPage, int, error) {
	all := live.Reports()
	i := slices.IndexFunc(all, func(x live.Info) bool { return x.Name == c.Param("name") })
	if i < 0 {
		return nil, 0, &Problem{Status: http.StatusNotFound, Title: "No such report", Detail: "The page of reports lists them."}
	}
	cfg := w.registry.Config()
	body := &reportPage{Name: all[i].Name, Summary: all[i].Summary, Form: w.reportForm(c, all[i].Name)}
	o, err := live.ParseOptions(c.QueryParam)
	if err != nil {
		return body.wrong(err)
	}
	o.Now = lifecycle.At(w.now()).Add(time.Microsecond) // what happens now is in it
	o.PlanOf = cfg.PlanOf
	if err := o.Check(body.Name); err != nil {
		return body.wrong(err)
	}
	last, err := w.store.LastPerson(c.Request().Context())
	if err != nil {
		return nil, 0, err
	}
	if page && last > besidePeople {
		k := w.keptReport(reportKey(body.Name, cfg.Plan.Version(), c.QueryParams()), func(ctx context.Context, told func(int64)) (*live.Report, error) {
			o.Progress = told
			return live.Run(ctx, w.store, cfg.Plan, body.Name, o)
		})
		body.Report, body.Computing = k.Report, k.Running
		body.Looked, body.Of, body.Width = k.Looked, int64(last), min(100*k.Looked/int64(last), 100)
		if k.Report == nil && k.Running {
			return body, http.StatusOK, nil
		}
		if k.Report != nil {
			k.Err = nil // what was computed before is shown in any case
		}
		return w.reported(c, body, k.Err)
	}
	end, err := w.reports.take(c.Request().Context(), reportWait)
	if err != nil {
		return nil, 0, err
	}
	defer end()
	ctx, cancel := context.WithTimeout(c.Request().Context(), reportTime)
	defer cancel()
	body.Report, err = live.Run(ctx, w.store, cfg.Plan, body.Name, o)
	if err != nil && ctx.Err() != nil && c.Request().Context().Err() == nil {
		err = errors.Join(errReportTime, err)
	}
	return w.reported(c, body, err)
}

// errReportTime: a page may not wait as long as the report takes.
var errReportTime = errors.New("web: the report takes longer than a page may wait")

// wrong says on the page what is wrong with the filters; another error goes on.
func (p *reportPage) wrong(err error) (*reportPage, int, error) {
	var field *live.FieldError
	if !errors.As(err, &field) {
		return nil, 0, err
	}
	p.Mistakes = []Mistake{{Field: field.Field, Detail: field.Detail}}
	return p, http.StatusBadRequest, nil
}

// reported says on the page what became of a report.
func (w *Web) reported(c echo.Context, body *reportPage, err error) (*reportPage, int, error) {
	switch {
	case errors.Is(err, live.ErrNotBuilt) && w.admin.Works != nil:
		if _, err := w.admin.Works.StartSummaries(c.Request().Context(), author(c)); err != nil {
			return nil, 0, err
		}
		body.Notice = "People are being summed up for the first time, which reports need. Load this page again in a while."
		return body, http.StatusOK, nil
	case errors.Is(err, errReportTime), errors.Is(err, context.DeadlineExceeded):
		body.Notice = "This takes longer than a page may wait. The API gives it as a job, and “stagebridge report " + body.Name + "” on the server has no such limit."
		return body, http.StatusOK, nil
	case err != nil:
		return body.wrong(err)
	}
	body.AsOf = lifecycle.At(body.Report.AsOf)
	return body, http.StatusOK, nil
}
