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

// funnelCounter counts how far people came.
type funnelCounter struct {
	o      *Options
	path   []lifecycle.Stage
	counts []reports.StageCount
	young  int64
}

func newFunnel(_ *lifecycle.Plan, o *Options) counter {
	c := &funnelCounter{o: o, path: o.path()}
	for _, name := range c.path {
		c.counts = append(c.counts, reports.StageCount{Stage: name})
	}
	return c
}

func (c *funnelCounter) take(p *summary.Person) error {
	first := make([]lifecycle.Instant, len(c.path))
	entry := lifecycle.Instant(0)
	for i, name := range c.path {
		if at, ok := p.First(name); ok {
			first[i] = at
			if entry == 0 || at < entry {
				entry = at
			}
		}
	}
	switch {
	case entry == 0 || entry < c.o.From || c.o.To != 0 && entry >= c.o.To:
		return nil
	case c.o.Window > 0 && entry.Add(c.o.Window) > c.o.Now:
		c.young++
		return nil
	}
	furthest := 0
	for i, at := range first {
		if at != 0 && c.o.Window > 0 && at > entry.Add(c.o.Window) {
			first[i] = 0
		}
		if first[i] != 0 {
			furthest = i
		}
	}
	for i := range c.counts {
		n := &c.counts[i]
		if i <= furthest {
			n.Reached++
		}
		if first[i] == 0 {
			continue
		}
		n.Entered++
		if i > 0 && first[i-1] != 0 && first[i] >= first[i-1] {
			n.FromPrevious++
		}
		if i > 0 && first[0] != 0 && first[i] >= first[0] {
			n.FromFirst++
		}
	}
	return nil
}

func (c *funnelCounter) report(_ context.Context, r *Report) error {
	cohort := reports.Cohort{From: c.o.From, To: c.o.To, Window: c.o.Window}
	f, err := reports.NewFunnel(cohort, cmp.Or(c.o.Counting, reports.Reached), c.counts)
	if err != nil {
		return err
	}
	r.Data, r.Definition = f, f.Formula
	if c.young > 0 {
		r.note("%d people entered too lately for their window to be over and are left out", c.young)
	}
	t := Table{"Funnel", []string{"Stage", map[bool]string{false: "Reached", true: "Entered"}[f.Counting == reports.Entered], "Of the stage before", "Of the first"}, nil}
	for _, s := range f.Steps {
		t.Rows = append(t.Rows, []string{string(s.Stage), number(s.People), rate(s.FromPrevious), rate(s.FromFirst)})
	}
	r.Tables = append(r.Tables, t)
	return nil
}

func rate(r reports.Rate) string {
	if !r.Known {
		return ""
	}
	return fmt.Sprintf("%s (%s to %s)", percent(r.Value), percent(r.Low), percent(r.High))
}

// stayCounter measures every stay in a stage.
type stayCounter struct {
	o      *Options
	spells map[lifecycle.Stage][]stats.Spell
}

func newStay(_ *lifecycle.Plan, o *Options) counter {
	return &stayCounter{o: o, spells: map[lifecycle.Stage][]stats.Spell{}}
}

func (c *stayCounter) take(p *summary.Person) error {
	end := c.o.end()
	var stage lifecycle.Stage
	var since lifecycle.Instant
	leave := func(at lifecycle.Instant, ended int64) {
		if stage != "" && since >= c.o.From && at >= since {
			c.spells[stage] = append(c.spells[stage], stats.Spell{Length: time.Duration(at-since) * time.Microsecond, Ended: ended, Open: 1 - ended})
		}
	}
	for _, m := range p.Moves {
		if c.o.To != 0 && m.At >= end {
			break // behind what is looked at: the stay before it was open then
		}
		leave(m.At, 1)
		stage, since = m.Stage, m.At
	}
	leave(end, 0)
	return nil
}

func (c *stayCounter) report(_ context.Context, r *Report) error {
	r.Definition = "S(t) = product over lengths up to t of (1 - ended / at risk), Kaplan and Meier; a stay that still lasts counts as long as it was seen"
	data := map[lifecycle.Stage]stats.Survival{}
	t := Table{"Time in stage, days", []string{"Stage", "Stays", "Ended", "A quarter has left after", "Half", "Three quarters"}, nil}
	for _, s := range c.o.stages {
		curve, err := stats.KaplanMeier(c.spells[s.Name])
		if err != nil {
			return err
		}
		if curve.Spells == 0 {
			continue
		}
		data[s.Name] = curve
		line := []string{string(s.Name), number(curve.Spells), number(curve.Ended)}
		for _, p := range []int{25, 50, 75} {
			text := "not yet"
			if at, known := curve.Percentile(p); known {
				text = days(at)
			}
			line = append(line, text)
		}
		t.Rows = append(t.Rows, line)
	}
	r.Data = data
	r.Tables = append(r.Tables, t)
	return nil
}
