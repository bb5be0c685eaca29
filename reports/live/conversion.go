package live

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// conversionCounter counts stays in path stages by period.
type conversionCounter struct {
	cal   *calendar
	end   lifecycle.Instant
	place map[lifecycle.Stage]int // on the path
	path  []lifecycle.Stage       // without the last, which nothing leads forward from
	// For each stage and period. atStart holds differences between neighbours
	// until the report adds them up, so that a long stay costs two additions.
	atStart, entered, forward [][]int64
}

func newConversion(_ *lifecycle.Plan, o *Options) counter {
	c := &conversionCounter{cal: newCalendar(o, o.Unit), end: o.end(), place: map[lifecycle.Stage]int{}, path: o.path()}
	for i, name := range c.path {
		c.place[name] = i
	}
	c.path = c.path[:max(0, len(c.path)-1)]
	grid := func() [][]int64 {
		g := make([][]int64, len(c.path))
		for i := range g {
			g[i] = make([]int64, c.cal.len()+1)
		}
		return g
	}
	c.atStart, c.entered, c.forward = grid(), grid(), grid()
	return c
}

func (c *conversionCounter) take(p *summary.Person) error {
	if c.cal.len() == 0 {
		return nil
	}
	stays(p, c.end, func(stage lifecycle.Stage, s span, next lifecycle.Stage) {
		i, onPath := c.place[stage]
		if !onPath || i >= len(c.path) {
			return
		}
		// The periods at whose start the stay had begun and was not over.
		first, last := 0, c.cal.len()
		if s.from >= c.cal.edges[0] {
			if first = c.cal.index(s.from); first < 0 {
				return // begun after the last period
			}
			c.entered[i][first]++
			first++
		}
		if next != "" {
			switch in := c.cal.index(s.to); {
			case in >= 0:
				last = in + 1 // over at the very start counts as there at the start
				if c.place[next] > i {
					c.forward[i][in]++
				}
			case s.to < c.cal.edges[0]:
				return
			}
		}
		if first < last {
			c.atStart[i][first]++
			c.atStart[i][last]--
		}
	})
	return nil
}

// Conversion is one line of the report conversion.
type Conversion struct {
	Period  string          `json:"period"`
	Stage   lifecycle.Stage `json:"stage"`
	AtStart int64           `json:"at_start"`
	Entered int64           `json:"entered"`
	Forward int64           `json:"forward"`
	Rate    reports.Rate    `json:"rate"`
}

func (c *conversionCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.PeriodConversionFormula + "; stays in path stages, each one counted; forward is to a later path stage"
	c.cal.say(r)
	r.note("a stay that ended in a side stage, or by a move back, was not left forward")
	lines, t := []Conversion{}, Table{"Conversion by period", []string{"Period", "Stage", "There at its start", "Entered", "Left forward", "Rate"}, nil}
	held := make([]int64, len(c.path))
	for n := range c.cal.len() {
		for i, stage := range c.path {
			held[i] += c.atStart[i][n]
			line := Conversion{c.cal.label(n), stage, held[i], c.entered[i][n], c.forward[i][n], stats.PeriodConversion(c.forward[i][n], held[i], c.entered[i][n])}
			lines = append(lines, line)
			t.Rows = append(t.Rows, []string{line.Period, string(stage), number(line.AtStart), number(line.Entered), number(line.Forward), rate(line.Rate)})
		}
	}
	r.Data, r.Tables = lines, append(r.Tables, t)
	return nil
}
