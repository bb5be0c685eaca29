package live

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const (
	// funnelShown is how many cohorts the table has, maxFunnels how many the data.
	funnelShown = 24
	maxFunnels  = 400
)

// funnelCounter counts how far people came.
type funnelCounter struct {
	o      *Options
	path   []lifecycle.Stage
	counts []reports.StageCount
	// cohorts are the same by the period of the first stage, where asked for.
	unit    stats.Unit
	cohorts map[stats.Period][]reports.StageCount
	times   []lifecycle.Instant // memory for the next person's
	young   int64               // left out altogether
	open    int64               // left out of a step
}

func newFunnel(_ *lifecycle.Plan, o *Options) counter {
	c := &funnelCounter{o: o, path: o.path(), cohorts: map[stats.Period][]reports.StageCount{}}
	if unit, err := stats.ParseUnit(string(o.By)); err == nil {
		c.unit = unit
	}
	c.counts, c.times = c.none(), make([]lifecycle.Instant, len(c.path))
	return c
}

// none are counts of nobody.
func (c *funnelCounter) none() []reports.StageCount {
	counts := make([]reports.StageCount, len(c.path))
	for i, name := range c.path {
		counts[i].Stage = name
	}
	return counts
}

// at sets the times of the stages, forever for a stage that was not come to.
func (c *funnelCounter) at(p *summary.Person) []lifecycle.Instant {
	for i := range c.times {
		c.times[i] = forever
	}
	for i := range p.Moves {
		for k, name := range c.path {
			if p.Moves[i].Stage == name {
				c.times[k] = min(c.times[k], p.Moves[i].At)
			}
		}
	}
	if cmp.Or(c.o.Counting, reports.Reached) == reports.Reached {
		for k := len(c.times) - 2; k >= 0; k-- {
			c.times[k] = min(c.times[k], c.times[k+1])
		}
	}
	return c.times
}

// within tells whether t_i <= t_j <= t_i + w.
func (c *funnelCounter) within(i, j lifecycle.Instant) bool {
	return i <= j && j != forever && (c.o.Window == 0 || apart(i, j) <= uint64(c.o.Window/time.Microsecond))
}

// told tells whether the window since an instant is over.
func (c *funnelCounter) told(i lifecycle.Instant) bool {
	return c.o.Window == 0 || i <= c.o.Now && apart(i, c.o.Now) >= uint64(c.o.Window/time.Microsecond)
}

// apart is how many microseconds lie between an instant and a later one, however
// far that is.
func apart(i, j lifecycle.Instant) uint64 { return uint64(j) - uint64(i) }

func (c *funnelCounter) take(p *summary.Person) error {
	if len(c.path) == 0 {
		return nil
	}
	t := c.at(p)
	switch {
	case t[0] == forever || t[0] < c.o.From && c.o.From != 0 || c.o.To != 0 && t[0] >= c.o.To:
		return nil
	case !c.told(t[0]):
		c.young++
		return nil
	}
	c.add(c.counts, t)
	for i := 1; i+1 < len(t); i++ {
		if t[i] != forever && !c.told(t[i]) {
			c.open++
			break
		}
	}
	if c.unit != "" {
		in := c.unit.Of(t[0], c.o.Zone)
		if c.cohorts[in] == nil {
			c.cohorts[in] = c.none()
		}
		c.add(c.cohorts[in], t)
	}
	return nil
}

// add counts one person by the times of the stages.
func (c *funnelCounter) add(counts []reports.StageCount, t []lifecycle.Instant) {
	counts[0].People++
	for j := 1; j < len(t); j++ {
		n := &counts[j]
		if t[j] != forever && (t[j] < t[0] || c.within(t[0], t[j])) {
			n.People++
		}
		if c.within(t[0], t[j]) {
			n.FromFirst++
		}
		if t[j-1] == forever || !c.told(t[j-1]) {
			continue
		}
		n.Before++
		if c.within(t[j-1], t[j]) {
			n.FromPrevious++
		}
	}
}

func (c *funnelCounter) report(_ context.Context, r *Report) error {
	cohort := reports.Cohort{From: c.o.From, To: c.o.To, Window: c.o.Window}
	f, err := reports.NewFunnel(cohort, cmp.Or(c.o.Counting, reports.Reached), c.counts)
	if err != nil {
		return err
	}
	if c.young > 0 {
		r.note("%d people came to the first stage too lately for their window to be over and are left out", c.young)
	}
	if c.open > 0 {
		r.note("%d people came to a later stage too lately for its window to be over and are left out of that step", c.open)
	}
	t := Table{"Funnel", []string{"Stage", map[bool]string{false: "Reached", true: "Entered"}[f.Counting == reports.Entered], "Of the stage before", "Of the first"}, nil}
	for _, s := range f.Steps {
		t.Rows = append(t.Rows, []string{string(s.Stage), number(s.People), rate(s.FromPrevious), rate(s.FromFirst)})
	}
	r.Tables = append(r.Tables, t)
	if c.unit != "" {
		if err := c.byPeriod(r, &f); err != nil {
			return err
		}
	}
	r.Data, r.Definition = f, f.Formula
	return nil
}

// byPeriod gives the funnel of each cohort.
func (c *funnelCounter) byPeriod(r *Report, f *reports.Funnel) error {
	t := Table{"Funnel by the " + string(c.unit) + " of the first stage, of those who came to it then", []string{"Came in"}, nil}
	for _, name := range c.path {
		t.Columns = append(t.Columns, string(name))
	}
	all := sortedPeriods(c.cohorts)
	if left := len(all) - maxFunnels; left > 0 {
		all = all[left:]
		r.note("the %d oldest cohorts are left out", left)
	}
	f.Cohorts = []reports.FunnelCohort{}
	for i, in := range all {
		steps, err := reports.NewSteps(c.cohorts[in])
		if err != nil {
			return err
		}
		one := reports.FunnelCohort{Period: c.unit.Label(in), Steps: steps}
		f.Cohorts = append(f.Cohorts, one)
		if i < len(all)-funnelShown {
			continue
		}
		row := []string{one.Period, number(steps[0].People)}
		for _, s := range steps[1:] {
			row = append(row, fmt.Sprintf("%d (%s)", s.FromFirst.Hits, percent(s.FromFirst.Value)))
		}
		t.Rows = append(t.Rows, row)
	}
	r.Tables = append(r.Tables, t)
	if left := len(all) - funnelShown; left > 0 {
		r.note("the table leaves out the %d oldest cohorts; the data have them", left)
	}
	if c.o.Window == 0 {
		r.note("younger cohorts had less time: give a window to compare them")
	}
	return nil
}
