package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// planPreviewView is a dry run as a person reads it.
type planPreviewView struct {
	People, Total, Changed int64
	// Version of the plan in force that the draft was compared with.
	Version int64
	Whole   bool
	// Decided by their facts alone; Events were read of the others.
	Decided, Events int64
	// Matrices are one for each lifecycle, the main one first.
	Matrices []flowMatrix
	Segments []jobs.SegmentFlow
	Pushes   []jobs.PushFlow
	// Took, Publish and AtLeast are times as people say them. Publish is empty where
	// no publishing was measured yet; it takes longer than AtLeast then.
	Took, Publish, AtLeast string
	Accounts               *accountsView
	// Beyond is what the figures do not count; nil where that is nothing.
	Beyond *jobs.PlanBeyond
}

// accountsView is what would become of accounts.
type accountsView struct {
	*jobs.AccountsPreview
	Matrix flowMatrix
}

// flowMatrix counts from stage to stage. Each row has a cell per column.
type flowMatrix struct {
	// Of is the further lifecycle; empty: the main one.
	Of string
	// People tells counts of people from those of accounts.
	People  bool
	Columns []string
	Rows    []flowRow
}

// flowRow is where those who are in a stage now would be.
type flowRow struct {
	From  string
	Total int64
	Cells []flowCell
}

// flowCell counts who would go one way. Sample holds some of them.
type flowCell struct {
	To     string
	Count  int64
	Stays  bool
	Sample []string
}

// noStage names the place of those who are in no stage.
const noStage = "no stage"

func previewView(p *jobs.PlanPreview, inForce, draft *lifecycle.Plan) *planPreviewView {
	v := &planPreviewView{People: p.People, Total: p.Total, Changed: p.Changed, Version: p.Version, Whole: p.Whole, Decided: p.Decided, Events: p.Events,
		Segments: p.Segments, Pushes: p.Pushes, Took: lasting(p.Took), AtLeast: lasting(p.AtLeast()), Beyond: p.Beyond}
	if t := p.PublishTime(); t > 0 {
		v.Publish = lasting(t)
	}
	for len(p.Flows) > 0 || len(v.Matrices) == 0 {
		of, n := "", 0
		if len(p.Flows) > 0 {
			of = p.Flows[0].Lifecycle
			if n = slices.IndexFunc(p.Flows, func(f jobs.Flow) bool { return f.Lifecycle != of }); n < 0 {
				n = len(p.Flows)
			}
		}
		m := newMatrix(of, inForce.StageNamesOf(of), draft.StageNamesOf(of))
		for _, f := range p.Flows[:n] {
			m.add(f.From, f.To, f.People, idsOf(f.Sample))
		}
		m.People = true
		v.Matrices = append(v.Matrices, m.trimmed())
		p.Flows = p.Flows[n:]
	}
	if p.Accounts != nil {
		m := newMatrix("", accountStages(inForce), accountStages(draft))
		for _, f := range p.Accounts.Flows {
			m.add(f.From, f.To, f.Accounts, f.Sample)
		}
		v.Accounts = &accountsView{p.Accounts, m.trimmed()}
	}
	return v
}

func accountStages(plan *lifecycle.Plan) []lifecycle.Stage {
	var names []lifecycle.Stage
	for _, s := range plan.AccountStages() {
		names = append(names, lifecycle.Stage(s.Name))
	}
	return names
}

// newMatrix has the stages in the order of the plans, those of the draft alone
// behind the one in force.
func newMatrix(of string, lists ...[]lifecycle.Stage) flowMatrix {
	m := flowMatrix{Of: of, Columns: []string{noStage}}
	for _, names := range lists {
		for _, name := range names {
			m.column(name)
		}
	}
	return m
}

// column finds the place of a stage, and makes one for a stage of neither plan.
func (m *flowMatrix) column(name lifecycle.Stage) int {
	text := string(name)
	if text == "" {
		return 0
	}
	at := slices.Index(m.Columns[1:], text) + 1
	if at == 0 {
		m.Columns = append(m.Columns, text)
		at = len(m.Columns) - 1
	}
	return at
}

func (m *flowMatrix) add(from, to lifecycle.Stage, n int64, sample []string) {
	f, t := m.column(from), m.column(to)
	for len(m.Rows) < len(m.Columns) {
		m.Rows = append(m.Rows, flowRow{})
	}
	row := &m.Rows[f]
	for len(row.Cells) < len(m.Columns) {
		row.Cells = append(row.Cells, flowCell{})
	}
	row.Total += n
	row.Cells[t] = flowCell{Count: n, Sample: sample}
}

// trimmed leaves out the rows and columns in which nobody is.
func (m *flowMatrix) trimmed() flowMatrix {
	out := flowMatrix{Of: m.Of, People: m.People}
	used := make([]bool, len(m.Columns))
	for _, row := range m.Rows {
		for i := range row.Cells {
			used[i] = used[i] || row.Cells[i].Count > 0
		}
	}
	for i, name := range m.Columns {
		if used[i] {
			out.Columns = append(out.Columns, name)
		}
	}
	for f, row := range m.Rows {
		if row.Total == 0 {
			continue
		}
		kept := flowRow{From: m.Columns[f], Total: row.Total}
		for i, name := range m.Columns {
			if !used[i] {
				continue
			}
			cell := flowCell{To: name, Stays: i == f}
			if i < len(row.Cells) {
				cell.Count, cell.Sample = row.Cells[i].Count, row.Cells[i].Sample
			}
			kept.Cells = append(kept.Cells, cell)
		}
		out.Rows = append(out.Rows, kept)
	}
	return out
}

// lasting says how long something takes, in one unit.
func lasting(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return strings.TrimPrefix(ago(-d), "in ")
}

// dryRun begins to look at everybody under what was typed. A process that does
// no long work looks for a while instead, and says how far it came.
func (w *Web) dryRun(c echo.Context, body *planPage) error {
	ctx := c.Request().Context()
	share, err := typedShare(body.Percent)
	if err != nil {
		return err
	}
	if w.admin.Works == nil {
		p, err := w.admin.PreviewPlan(ctx, []byte(body.Source), jobs.PreviewOptions{Share: share, Limit: previewTime})
		if err != nil {
			return err
		}
		draft, err := w.admin.CheckPlan([]byte(body.Source))
		if err == nil {
			body.Work = &planWork{Preview: previewView(p, w.registry.Config().Plan, draft)}
		}
		return err
	}
	one, err := w.admin.StartPlanPreview(ctx, jobs.PlanPreviewArgs{Plan: body.Source, Share: share, Based: &body.Version}, author(c))
	if err != nil {
		return err
	}
	if err := w.soon(ctx, &one); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, link("/plan", "job", number(one.ID))+"#edit")
}

// dryRunAsked puts the dry run that ?job= names, and its draft, on the page.
func (w *Web) dryRunAsked(c echo.Context, body *planPage) error {
	one, err := w.jobAsked(c)
	if err != nil {
		return err
	}
	args, ok := argsOf[jobs.PlanPreviewArgs](&one)
	if !ok || one.Kind != jobs.WorkPlanPreview {
		return store.ErrNotFound
	}
	body.Source = args.Plan
	if args.Based != nil {
		body.Version = *args.Based
	}
	if args.Share != 0 && args.Share != store.WholeShare {
		body.Percent = strings.TrimSuffix(shareText(args.Share), " %")
	}
	body.Work, err = w.planWork(&one)
	return err
}

// planWork gives a dry run with what came of it, or a publishing.
func (w *Web) planWork(one *store.Work) (*planWork, error) {
	work := &planWork{Row: w.workRow(one)}
	p, ok := resultOf[jobs.PlanPreview](one)
	args, known := argsOf[jobs.PlanPreviewArgs](one)
	if one.Kind != jobs.WorkPlanPreview || !ok || !known {
		return work, nil
	}
	draft, err := w.admin.CheckPlan([]byte(args.Plan))
	if err != nil {
		return nil, err
	}
	work.Preview = previewView(&p, w.registry.Config().Plan, draft)
	return work, nil
}
