package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/lately"
	"github.com/stagebridge/stagebridge/store"
)

func queryOf(pairs []string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// overviewPage answers: is everything flowing, and how is the funnel?
type overviewPage struct {
	Plan        string
	PlanVersion int64
	People      int64
	Stages      []stageRow
	Segments    []segmentBody
	Connections []light
	Recent      []store.InboxRow
	Failed      int64
	// Days are compared with as many before, as of AsOf; Compared is false while
	// that is not known.
	Days     int
	Compared bool
	AsOf     lifecycle.Instant
	Formula  string
}

// stageRow is a bar of the funnel. Width is 0 to 100 and Step the place in the
// ramp of colours.
type stageRow struct {
	Name   string
	Side   bool
	When   string
	People int64
	Share  int64 // of everybody, in percent
	Width  int64
	Step   int
	Link   string
	// Trend tells that Is, the last days, and Was, as many before, are known;
	// Change is how many more entered. Last is the end of the path, from which
	// nobody goes on.
	Trend, Last bool
	Is, Was     trendCell
	Change      string
}

// light is a connection at a glance. Colour is ok, wait, bad or none, and Word
// says the same without colour.
type light struct {
	ID, Connector string
	Colour, Word  string
	Last          lifecycle.Instant
	Seen          bool // something has come in, perhaps longer ago than Last reaches
	Pending       int64
	Failed        int64
	Rejected      int64
	InStep        int64
	Waiting       int64
	NotArrived    int64
	Pushes        bool
	Paused        bool
}

func (w *Web) overview(c echo.Context) error {
	body, err := w.overviewOf(c.Request().Context())
	if err != nil {
		return err
	}
	return w.render(c, http.StatusOK, "overview", "Overview", body)
}

func (w *Web) overviewOf(ctx context.Context) (overviewPage, error) {
	s, err := w.summarize(ctx)
	if err != nil {
		return overviewPage{}, err
	}
	recent, err := w.store.Inbox(ctx, store.InboxFilter{Limit: 12})
	if err != nil {
		return overviewPage{}, err
	}
	cfg := w.registry.Config()
	body := overviewPage{Plan: cfg.Plan.Name(), PlanVersion: cfg.Plan.Version(), Stages: funnel(cfg.Plan, s), Segments: segmentsOf(cfg.Plan, s),
		Connections: w.lights(cfg, s), Recent: recent.Rows}
	for _, row := range body.Stages {
		body.People += row.People
	}
	body.Days, body.Formula = trendDays, lately.Formula
	// Without the comparison the rest is worth showing all the same.
	if c, err := w.trend(ctx); err == nil && c != nil {
		trendOf(body.Stages, c)
		body.Compared, body.AsOf = true, c.AsOf
	}
	for _, l := range body.Connections {
		body.Failed += l.Failed
	}
	return body, nil
}

func funnel(plan *lifecycle.Plan, s *summary) []stageRow {
	var rows []stageRow
	var total, most int64
	for _, n := range s.Stages {
		total += n
		most = max(most, n)
	}
	step := 0
	for _, st := range plan.Stages() {
		row := stageRow{Name: string(st.Name), Side: st.Side, When: st.When, People: s.Stages[string(st.Name)], Link: link("/people", "stage", string(st.Name))}
		if !st.Side {
			step = min(step+1, 8)
			row.Step = step
		}
		if total > 0 && row.People > 0 {
			row.Share, row.Width = row.People*100/total, max(row.People*100/most, 1)
		}
		rows = append(rows, row)
	}
	// A stage that an older plan had may still hold people while they are
	// derived anew.
	for name, n := range s.Stages {
		if n > 0 && !slices.ContainsFunc(rows, func(r stageRow) bool { return r.Name == name }) {
			label := name
			if label == "" {
				label = "no stage yet"
			}
			rows = append(rows, stageRow{Name: label, Side: true, People: n, Share: n * 100 / total, Width: max(n*100/most, 1), Link: link("/people", "stage", name)})
		}
	}
	slices.SortStableFunc(rows, func(a, b stageRow) int {
		if a.Side == b.Side {
			return 0
		}
		if a.Side {
			return 1
		}
		return -1
	})
	return rows
}

func (w *Web) lights(cfg *jobs.Config, s *summary) []light {
	var all []light
	for _, id := range w.registry.IDs() {
		if conn := cfg.Connections[id]; conn != nil {
			all = append(all, lightOf(conn, s))
		}
	}
	return all
}

func lightOf(conn *jobs.Conn, s *summary) light {
	l := light{ID: conn.ID, Connector: conn.Connector, Last: s.Last[conn.ID].Received, Pushes: conn.Push.Enabled, Paused: conn.Paused}
	if x := s.Inbox[conn.ID]; x != nil {
		l.Pending, l.Failed, l.Rejected = x.Pending, x.Failed+x.Quarantined, x.Rejected
		l.Seen = l.Last != 0 || x.Done+x.Ignored+x.Duplicates+l.Failed+l.Pending > 0
	}
	states := s.Sync[conn.ID]
	l.InStep, l.Waiting = states[store.SyncSynced], states[store.SyncPending]+states[store.SyncSubmitted]+states[store.SyncUnconfirmed]
	l.NotArrived = states[store.SyncFailed]
	switch {
	case conn.Err != nil, conn.RulesErr != nil:
		l.Colour, l.Word = "bad", "not working"
	case conn.Paused:
		l.Colour, l.Word = "none", "paused"
	case l.Failed > 0 || l.NotArrived > 0:
		l.Colour, l.Word = "bad", "has failures"
	case !l.Seen && l.InStep+l.Waiting == 0:
		l.Colour, l.Word = "none", "no event yet"
	case l.Pending > 0 || l.Waiting > 0:
		l.Colour, l.Word = "wait", "working"
	default:
		l.Colour, l.Word = "ok", "in step"
	}
	return l
}
