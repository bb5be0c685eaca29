package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// previewTime is how long the API and the page look at most; they say so when
// that was not enough for everybody. The program's own command looks at all.
const previewTime = 25 * time.Second

// flowBody are people who would move from one stage to another.
type flowBody struct {
	// Lifecycle that it is about; missing: the main one.
	Lifecycle string   `json:"lifecycle,omitempty"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	People    int64    `json:"people"`
	Sample    []string `json:"sample"`
}

// segmentFlowBody are people who would enter and leave a segment.
type segmentFlowBody struct {
	Segment string   `json:"segment"`
	Gained  int64    `json:"gained"`
	Lost    int64    `json:"lost"`
	Enter   []string `json:"sample_gained"`
	Leave   []string `json:"sample_lost"`
}

// planPreviewBody is what publishing a plan would do.
type planPreviewBody struct {
	Version int64 `json:"version"`
	People  int64 `json:"people"`
	Total   int64 `json:"total"`
	Whole   bool  `json:"whole"`
	// Decided by facts alone; Events were read of the others.
	Decided  int64             `json:"decided_by_facts"`
	Events   int64             `json:"events"`
	Changed  int64             `json:"changed"`
	Flows    []flowBody        `json:"flows"`
	Segments []segmentFlowBody `json:"segments"`
	Pushes   map[string]int64  `json:"pushes"`
	// Accounts is null where no plan is about them.
	Accounts *accountsPreviewBody `json:"accounts"`
	Seconds  float64              `json:"seconds"`
	// PublishSeconds is how long publishing takes at the rate measured the last
	// time; null where it was not measured yet.
	PublishSeconds *float64 `json:"publish_seconds"`
	// AtLeast is how many seconds looking at all people takes at the pace of this
	// preview; publishing takes longer, since it writes as well.
	AtLeast float64 `json:"publish_seconds_at_least"`
	// Beyond is what the figures above do not count; null where that is nothing.
	Beyond *planBeyondBody `json:"beyond"`
}

func planPreviewOf(p *jobs.PlanPreview) planPreviewBody {
	b := planPreviewBody{
		Version: p.Version, People: p.People, Total: p.Total, Whole: p.Whole, Decided: p.Decided, Events: p.Events, Changed: p.Changed, Seconds: p.Took.Seconds(),
		Accounts: accountsPreviewOf(p.Accounts), Flows: []flowBody{}, Segments: []segmentFlowBody{}, Pushes: map[string]int64{},
	}
	b.AtLeast, b.Beyond = p.AtLeast().Seconds(), planBeyondOf(p.Beyond)
	if left := p.PublishTime(); left > 0 {
		seconds := left.Seconds()
		b.PublishSeconds = &seconds
	}
	for _, f := range p.Flows {
		b.Flows = append(b.Flows, flowBody{f.Lifecycle, string(f.From), string(f.To), f.People, idsOf(f.Sample)})
	}
	for _, s := range p.Segments {
		b.Segments = append(b.Segments, segmentFlowBody{string(s.Segment), s.Gained, s.Lost, idsOf(s.GainedSample), idsOf(s.LostSample)})
	}
	for _, x := range p.Pushes {
		b.Pushes[x.Connection] = x.People
	}
	return b
}

func idsOf(ids []lifecycle.ProfileID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = number(int64(id))
	}
	return texts
}

// apiPreviewPlan derives everybody, or with ?percent= a share of all people,
// under the plan in the body and writes nothing. With ?all=true it is long work
// that looks at everybody, however long that takes.
func (w *Web) apiPreviewPlan(c echo.Context) error {
	source, err := text(c)
	if err != nil {
		return err
	}
	share, err := percentOf(c)
	if err != nil {
		return err
	}
	if c.QueryParam("all") == "true" {
		return w.previewPlanAsWork(c, source, share)
	}
	p, err := w.admin.PreviewPlan(c.Request().Context(), []byte(source), jobs.PreviewOptions{Share: share, Limit: previewTime})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, planPreviewOf(p))
}

func (w *Web) previewPlanAsWork(c echo.Context, source string, share int64) error {
	if w.admin.Works == nil {
		return &Problem{Status: http.StatusNotImplemented, Title: "Not offered", Detail: "this process does no long work"}
	}
	one, err := w.admin.StartPlanPreview(c.Request().Context(), jobs.PlanPreviewArgs{Plan: source, Share: share}, author(c))
	if err != nil {
		return err
	}
	return w.accepted(c, &one)
}

// jobResult gives what came of work as the API shows it: a dry run of a plan
// looks as one that was answered at once.
func jobResult(one *store.Work) json.RawMessage {
	if p, ok := resultOf[jobs.PlanPreview](one); ok && one.Kind == jobs.WorkPlanPreview {
		if body, err := json.Marshal(planPreviewOf(&p)); err == nil {
			return body
		}
	}
	return json.RawMessage(one.Result)
}
