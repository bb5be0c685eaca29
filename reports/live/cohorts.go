package live

import (
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// cohortCounter counts in which periods people were active.
type cohortCounter struct {
	o      *Options
	people [][]stats.Period
}

func newCohorts(_ *lifecycle.Plan, o *Options) counter { return &cohortCounter{o: o} }

func (c *cohortCounter) take(p *summary.Person) error {
	var periods []stats.Period
	for i := range p.Events {
		if c.o.counts(&p.Events[i]) {
			if in := c.o.Unit.Of(p.Events[i].At, c.o.Zone); len(periods) == 0 || periods[len(periods)-1] != in {
				periods = append(periods, in)
			}
		}
	}
	if len(periods) > 0 {
		c.people = append(c.people, periods)
	}
	return nil
}

// shownCells is how many periods the table has; the data have all.
const shownCells = 12

func (c *cohortCounter) report(_ context.Context, r *Report) error {
	// A period that is not over is not shown: not everybody had their chance.
	through := c.o.Unit.Of(c.o.end(), c.o.Zone) - 1
	d, err := stats.NewRetention(c.o.Kind, c.o.Unit, through, stats.CountRetention(c.o.Kind, slices.Values(c.people)))
	if err != nil {
		return err
	}
	r.Data, r.Definition = d, d.Formula
	if d.TooOld > 0 {
		r.note("%d people are left out: their first %s is too long ago for the table", d.TooOld, c.o.Unit)
	}
	r.note("the last %s shown is %s, the last one that is over", c.o.Unit, c.o.Unit.Label(through))
	t := Table{"Retention", []string{"Cohort", "People"}, nil}
	most := 0
	for _, row := range d.Cohorts {
		most = max(most, min(len(row.Cells), shownCells+1))
	}
	for n := 1; n < most; n++ {
		t.Columns = append(t.Columns, "+"+number(n))
	}
	for _, row := range d.Cohorts {
		line := []string{row.Label, number(row.People)}
		for n := 1; n < most; n++ {
			cell := ""
			if n < len(row.Cells) {
				cell = percent(row.Cells[n].Value)
			}
			line = append(line, cell)
		}
		t.Rows = append(t.Rows, line)
	}
	r.Tables = append(r.Tables, t)
	return nil
}
