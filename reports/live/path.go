package live

import (
	"context"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

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
