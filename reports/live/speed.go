package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// speedCounter measures how long leads wait for a human answer.
type speedCounter struct {
	o      *Options
	hours  *stats.Hours
	all    []stats.Spell
	by     map[string][]stats.Spell
	before int64 // answered before they were leads
}

func newSpeed(_ *lifecycle.Plan, o *Options) counter {
	c := &speedCounter{o: o, by: map[string][]stats.Spell{}}
	if o.Hours != (stats.Open{}) {
		var week [7]stats.Open
		for day := time.Monday; day <= time.Friday; day++ {
			week[day] = o.Hours
		}
		if hours, err := stats.NewHours(o.Zone, week, nil); err == nil {
			c.hours = &hours
		}
	}
	return c
}

func (c *speedCounter) take(p *summary.Person) error {
	lead, score, answered := -1, 0.0, false
	end := c.o.end()
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= end {
			break
		}
		if e.Name == leadContacted {
			if lead >= 0 {
				c.count(&p.Events[lead], e.At, true)
				return nil
			}
			answered = true
		}
		if lead >= 0 {
			continue
		}
		switch {
		case c.o.Score == 0:
			if e.Name == leadCreated {
				lead = i
			}
		default:
			if x, ok := e.Number(summary.LeadScore); ok {
				if score < c.o.Score && x >= c.o.Score {
					lead = i
				}
				score = x
			}
		}
		if lead >= 0 && answered {
			if e.At >= c.o.From {
				c.before++
			}
			return nil
		}
	}
	if lead >= 0 {
		c.count(&p.Events[lead], end, false)
	}
	return nil
}

func (c *speedCounter) count(lead *summary.Event, until lifecycle.Instant, answered bool) {
	if lead.At < c.o.From {
		return
	}
	s := stats.Spell{Length: time.Duration(until-lead.At) * time.Microsecond}
	if c.hours != nil {
		s.Length = c.hours.Between(lead.At, until)
	}
	if answered {
		s.Ended = 1
	} else {
		s.Open = 1
	}
	c.all = append(c.all, s)
	c.by[lead.Connection] = append(c.by[lead.Connection], s)
}

// SpeedReport is the data of the report speed.
type SpeedReport struct {
	stats.Speed
	// Connections has the same by what told of the lead.
	Connections map[string]stats.Speed `json:"connections"`
}

func (c *speedCounter) report(_ context.Context, r *Report) error {
	all, err := stats.NewSpeed(c.all, stats.LeadGoal)
	if err != nil {
		return err
	}
	d := SpeedReport{Speed: all, Connections: map[string]stats.Speed{}}
	r.Data, r.Definition = &d, all.Formula
	what := "a lead begins with the person's first Lead:Created"
	if c.o.Score != 0 {
		what = fmt.Sprintf("a lead begins when the trait lead_score first passes %g", c.o.Score)
	}
	r.note("%s and is answered by the first Lead:Contacted after it; people, counted by when the lead began", what)
	if c.hours != nil {
		r.note("only business hours count, %s to %s from Monday to Friday in %s", c.o.Hours.From, c.o.Hours.To, c.o.Zone)
	}
	if c.before > 0 {
		r.note("%d people are left out: they were answered before they were leads", c.before)
	}
	if all.Leads > 0 && all.Answered == 0 {
		r.note("no Lead:Contacted was told: either nobody was answered, or no connection tells of it")
	}
	t := Table{"Speed to lead", []string{"Told by", "Leads", "Answered", "Half within", "Nine tenths within", "Share within " + stats.LeadGoal.String()}, nil}
	t.Rows = append(t.Rows, speedRow("all", all))
	names := sortedKeys(c.by)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(c.by[b]), len(c.by[a])) })
	for _, name := range names {
		one, err := stats.NewSpeed(c.by[name], stats.LeadGoal)
		if err != nil {
			return err
		}
		d.Connections[name] = one
		t.Rows = append(t.Rows, speedRow(name, one))
	}
	r.Tables = append(r.Tables, t)
	return nil
}

func speedRow(name string, s stats.Speed) []string {
	row := []string{name, number(s.Leads), number(s.Answered)}
	for _, d := range []stats.Duration{s.Median, s.P90} {
		if d.Known {
			row = append(row, d.Value.Round(time.Second).String())
		} else {
			row = append(row, "not known")
		}
	}
	if !s.Within.Known {
		return append(row, "not known")
	}
	return append(row, percent(s.Within.Value))
}
