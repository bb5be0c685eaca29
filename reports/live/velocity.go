package live

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

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
	pipes := map[string]*pipeline{}
	for _, name := range shown {
		pipes[name] = &pipeline{Pipeline: stats.Pipeline{Value: lifecycle.Money{Currency: name}}}
	}
	var without, beyond, unpriced int64
	for _, s := range c.sorted() {
		won, lost := c.closed(s)
		at, _ := s.outcome()
		if at != 0 && !won && !lost || s.unrated && s.money.Currency == "" {
			continue
		}
		p := pipes[cmp.Or(s.money.Currency, only)]
		switch {
		case p == nil && s.money.Currency == "":
			without++
		case p == nil:
		case !p.add(s, won, lost):
			beyond++
		case won && s.money.Currency == "":
			unpriced++
		}
	}
	if without > 0 {
		r.note("%d deals without an amount are left out: there are several currencies they may belong to", without)
	}
	if unpriced > 0 {
		r.note("%d deals won without an amount count with the average of the others", unpriced)
	}
	if beyond > 0 {
		r.note("%d deals are left out: their amount is below zero or more than can be counted", beyond)
	}
	lines, t := []Velocity{}, Table{"Velocity", []string{"Currency", "Open deals", "Win rate", "Average deal won", "Cycle, days", "Per day"}, nil}
	for _, name := range shown {
		line, err := newVelocityLine(name, pipes[name])
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

// pipeline is the deals of one currency.
type pipeline struct {
	stats.Pipeline
	priced int64 // deals won that carry an amount
	cycles []time.Duration
}

// add counts a deal. It is false where the amount cannot be.
func (p *pipeline) add(s *sale, won, lost bool) bool {
	switch {
	case lost:
		p.Lost++
		return true
	case !won:
		p.Opportunities++
		return true
	case s.money.Micros < 0 || p.Value.Micros+s.money.Micros < 0:
		return false
	}
	p.Won++
	if s.money.Currency != "" {
		p.priced++
		p.Value.Micros += s.money.Micros
	}
	if s.opened != 0 && s.opened <= s.won {
		p.cycles = append(p.cycles, time.Duration(s.won-s.opened)*time.Microsecond)
	}
	return true
}

func newVelocityLine(currency string, p *pipeline) (Velocity, error) {
	cycle := newLengths(p.cycles).Mean
	if cycle.Known {
		p.Cycle = cycle.Value
	}
	if p.priced > 0 && p.priced < p.Won {
		whole := new(big.Int).Mul(big.NewInt(p.Value.Micros), big.NewInt(p.Won))
		if whole.Quo(whole, big.NewInt(p.priced)); whole.IsInt64() {
			p.Value.Micros = whole.Int64()
		}
	}
	v, known, err := stats.NewVelocity(p.Pipeline)
	if err != nil {
		return Velocity{}, fmt.Errorf("velocity in %s: %w", currency, err)
	}
	return Velocity{Currency: currency, Opportunities: p.Opportunities, Won: p.Won, Lost: p.Lost, Cycle: cycle, Known: known && p.priced > 0, Velocity: v}, nil
}
