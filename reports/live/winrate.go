package live

import (
	"cmp"
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// winRateCounter divides deals won by deals closed.
type winRateCounter struct {
	sales
	cal *calendar
}

func newWinRate(_ *lifecycle.Plan, o *Options) counter {
	return &winRateCounter{newSales(o), newCalendar(o, o.Unit)}
}

// Wins is one line of the report winrate.
type Wins struct {
	Name string       `json:"name"` // a period, a pipeline, or empty for all
	Won  int64        `json:"won"`
	Lost int64        `json:"lost"`
	Rate reports.Rate `json:"rate"`
}

// WinRates is the data of the report winrate.
type WinRates struct {
	All       Wins   `json:"all"`
	Periods   []Wins `json:"periods"`
	Pipelines []Wins `json:"pipelines"`
}

// maxPipelines is how many pipelines are shown.
const maxPipelines = 50

func (c *winRateCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.WinRateFormula + "; deals, each counted once for all its people, by how they were closed last"
	d := WinRates{Periods: make([]Wins, c.cal.len()), Pipelines: []Wins{}}
	pipelines := map[string]*Wins{}
	open := 0
	for _, s := range c.all {
		won, lost := c.closed(s)
		if at, _ := s.outcome(); at == 0 {
			open++
		}
		if !won && !lost {
			continue
		}
		at, _ := s.outcome()
		d.All.count(won)
		if i := c.cal.index(at); i >= 0 {
			d.Periods[i].count(won)
		}
		if pipelines[s.pipeline] == nil {
			pipelines[s.pipeline] = &Wins{Name: s.pipeline}
		}
		pipelines[s.pipeline].count(won)
	}
	d.All.Rate = stats.WinRate(d.All.Won, d.All.Lost)
	for i := range d.Periods {
		d.Periods[i].Name, d.Periods[i].Rate = c.cal.label(i), stats.WinRate(d.Periods[i].Won, d.Periods[i].Lost)
	}
	for _, w := range pipelines {
		w.Rate = stats.WinRate(w.Won, w.Lost)
		d.Pipelines = append(d.Pipelines, *w)
	}
	slices.SortFunc(d.Pipelines, func(a, b Wins) int { return cmp.Or(cmp.Compare(b.Rate.Of, a.Rate.Of), cmp.Compare(a.Name, b.Name)) })
	if len(d.Pipelines) > maxPipelines {
		r.note("%d pipelines with fewer deals are left out", len(d.Pipelines)-maxPipelines)
		d.Pipelines = d.Pipelines[:maxPipelines]
	}
	r.Data = &d
	c.cal.say(r)
	if open > 0 {
		r.note("%d open deals are in neither part", open)
	}
	rows := func(title, first string, all ...Wins) {
		t := Table{title, []string{first, "Won", "Lost", "Win rate"}, nil}
		for _, w := range all {
			t.Rows = append(t.Rows, []string{w.Name, number(w.Won), number(w.Lost), rate(w.Rate)})
		}
		r.Tables = append(r.Tables, t)
	}
	rows("Deals closed in the time asked for", "", d.All)
	rows("By "+string(c.o.Unit), "Period", d.Periods...)
	rows("By pipeline", "Pipeline", d.Pipelines...)
	return nil
}

func (w *Wins) count(won bool) {
	if won {
		w.Won++
		return
	}
	w.Lost++
}
