package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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

// velocityCounter says what the pipeline brings in per day.
type velocityCounter struct{ sales }

func newVelocity(_ *lifecycle.Plan, o *Options) counter { return &velocityCounter{newSales(o)} }

// Velocity is one line of the report velocity: the pipeline of one currency.
type Velocity struct {
	Currency      string         `json:"currency"`
	Opportunities int64          `json:"opportunities"`
	Won           int64          `json:"won"`
	Lost          int64          `json:"lost"`
	Cycle         stats.Duration `json:"cycle"`
	// Known is false where no deal was won or none has a length.
	Known bool `json:"known"`
	stats.Velocity
}

func (c *velocityCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.VelocityFormula + "; opportunities are the deals open at the end of observation, the cycle is the mean from Deal:Created to Deal:Won; each currency by itself"
	c.exchange.say(r)
	counts := map[string]int64{}
	for _, s := range c.all {
		if s.money.Currency != "" {
			counts[s.money.Currency]++
		}
	}
	shown, only := shownCurrencies(r, c.o, counts), ""
	if len(counts) == 1 {
		only = sortedKeys(counts)[0]
	}
	pipes, cycles := map[string]*stats.Pipeline{}, map[string][]time.Duration{}
	for _, name := range shown {
		pipes[name] = &stats.Pipeline{Value: lifecycle.Money{Currency: name}}
	}
	var without, beyond int64
	for _, s := range c.sorted() {
		won, lost := c.closed(s)
		at, _ := s.outcome()
		if at != 0 && !won && !lost {
			continue
		}
		p := pipes[cmp.Or(s.money.Currency, only)]
		if p == nil {
			if s.money.Currency == "" {
				without++
			}
			continue
		}
		switch {
		case lost:
			p.Lost++
		case !won:
			p.Opportunities++
		case s.money.Micros < 0 || p.Value.Micros+s.money.Micros < 0:
			beyond++
		default:
			p.Won++
			p.Value.Micros += s.money.Micros
			if s.opened != 0 && s.opened <= s.won {
				cycles[p.Value.Currency] = append(cycles[p.Value.Currency], time.Duration(s.won-s.opened)*time.Microsecond)
			}
		}
	}
	if without > 0 {
		r.note("%d deals without an amount are left out: there are several currencies they may belong to", without)
	}
	if beyond > 0 {
		r.note("%d deals are left out: their amount is below zero or more than can be counted", beyond)
	}
	lines, t := []Velocity{}, Table{"Velocity", []string{"Currency", "Open deals", "Win rate", "Average deal won", "Cycle, days", "Per day"}, nil}
	for _, name := range shown {
		line, err := newVelocityLine(name, *pipes[name], newLengths(cycles[name]).Mean)
		if err != nil {
			return err
		}
		lines = append(lines, line)
		cells := []string{name, number(line.Opportunities), rate(line.WinRate), "not known", maybeDays(line.Cycle), "not known"}
		if line.Known {
			cells[3], cells[5] = amount(line.AverageDeal.Micros, name), amount(line.PerDay.Micros, name)
		} else {
			r.note("%s: no velocity, since no deal was won in the period or none has a known length", name)
		}
		t.Rows = append(t.Rows, cells)
	}
	if len(lines) == 0 {
		r.note("there is no deal with an amount")
	}
	r.Data, r.Tables = lines, append(r.Tables, t)
	return nil
}

func newVelocityLine(currency string, p stats.Pipeline, cycle stats.Duration) (Velocity, error) {
	if cycle.Known {
		p.Cycle = cycle.Value
	}
	v, known, err := stats.NewVelocity(p)
	if err != nil {
		return Velocity{}, fmt.Errorf("velocity in %s: %w", currency, err)
	}
	return Velocity{Currency: currency, Opportunities: p.Opportunities, Won: p.Won, Lost: p.Lost, Cycle: cycle, Known: known, Velocity: v}, nil
}
