package live

import (
	"context"
	"math"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// activity tells which events count as being active: those named, else those
// that the plan marks as activity.
type activity struct {
	o     *Options
	names map[lifecycle.EventName]bool
	// periods is memory for the next person's.
	periods []stats.Period
}

func newActivity(plan *lifecycle.Plan, o *Options) activity {
	a := activity{o: o, names: map[lifecycle.EventName]bool{}}
	for _, name := range o.chosen {
		a.names[name] = true
	}
	if len(o.chosen) == 0 {
		for name, spec := range plan.Events() {
			if spec.Activity {
				a.names[name] = true
			}
		}
	}
	return a
}

func (a *activity) say(r *Report) {
	if len(a.o.chosen) > 0 {
		r.note("active is who had one of %s", joined(a.o.chosen))
		return
	}
	r.note("active is who had an event that the plan marks as activity; mail opens are none, since machines open mail")
}

// in gives the periods in which a person was active from an instant on, in order,
// each once. The list is good until the next call.
func (a *activity) in(p *summary.Person, unit stats.Unit, from lifecycle.Instant) []stats.Period {
	periods, end := a.periods[:0], a.o.end()
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= end {
			break
		}
		if e.At < from || !a.names[e.Name] {
			continue
		}
		if in := unit.Of(e.At, a.o.Zone); len(periods) == 0 || periods[len(periods)-1] != in {
			periods = append(periods, in)
		}
	}
	a.periods = periods
	return periods
}

// splitCounter says of whom the active people are made up.
type splitCounter struct {
	activity
	cal   *calendar
	split stats.SplitCounter
}

func newSplit(plan *lifecycle.Plan, o *Options) counter {
	return &splitCounter{activity: newActivity(plan, o), cal: newCalendar(o, o.Unit)}
}

func (c *splitCounter) take(p *summary.Person) error {
	c.split.Add(c.in(p, c.o.Unit, math.MinInt64))
	return nil
}

// SplitPeriod is one line of the report split.
type SplitPeriod struct {
	Label string `json:"label"`
	stats.Split
	Active int64 `json:"active"`
	Growth int64 `json:"growth"`
}

func (c *splitCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.SplitFormula
	c.say(r)
	c.cal.say(r)
	all, err := c.split.Between(c.cal.first, c.cal.first+stats.Period(c.cal.len())-1)
	if err != nil {
		return err
	}
	lines, t := []SplitPeriod{}, Table{"Active people", []string{"Period", "Active", "New", "Returning", "Resurrecting", "Dormant", "Growth"}, nil}
	for _, s := range all {
		line := SplitPeriod{c.o.Unit.Label(s.Period), s, s.Active(), s.Growth()}
		lines = append(lines, line)
		t.Rows = append(t.Rows, []string{line.Label, number(line.Active), number(s.New), number(s.Returning), number(s.Resurrecting), number(-s.Dormant), number(line.Growth)})
	}
	r.Data, r.Tables = lines, append(r.Tables, t)
	return nil
}

// stickyCounter divides the people active on a day by those of its month.
type stickyCounter struct {
	activity
	cal *calendar
	// days counts who was active on each of the months' days, of which from is the
	// first; begin is where each month's are, and where the last one ends.
	days  []int64
	from  stats.Period
	begin []int
	// months counts who was active in each.
	months []int64
}

func newSticky(plan *lifecycle.Plan, o *Options) counter {
	c := &stickyCounter{activity: newActivity(plan, o), cal: newCalendar(o, stats.Month)}
	c.months, c.begin = make([]int64, c.cal.len()), make([]int, c.cal.len()+1)
	if len(c.months) > 0 {
		c.from = stats.Day.Of(c.cal.start(0), o.Zone)
	}
	for i := range c.months {
		c.begin[i+1] = int(stats.Day.Of(c.cal.end(i)-1, o.Zone) + 1 - c.from)
	}
	c.days = make([]int64, c.begin[len(c.months)])
	return c
}

func (c *stickyCounter) take(p *summary.Person) error {
	if c.cal.len() == 0 {
		return nil
	}
	month := -1
	for _, day := range c.in(p, stats.Day, c.cal.start(0)) {
		at := int(day - c.from)
		if at >= len(c.days) {
			break
		}
		c.days[at]++
		before := month
		for month < 0 || at >= c.begin[month+1] {
			month++
		}
		if month != before {
			c.months[month]++
		}
	}
	return nil
}

// Sticky is one line of the report stickiness.
type Sticky struct {
	Month string `json:"month"`
	// Monthly is how many were active in the month, Daily how many were on a day
	// of it in the mean.
	Monthly    int64       `json:"monthly"`
	Daily      float64     `json:"daily"`
	Stickiness stats.Share `json:"stickiness"`
}

func (c *stickyCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.StickinessFormula
	c.say(r)
	c.cal.say(r)
	lines, t := []Sticky{}, Table{"Stickiness", []string{"Month", "Active in the month", "Active on a day", "Stickiness"}, nil}
	for i := range c.cal.len() {
		var sum int64
		daily := c.days[c.begin[i]:c.begin[i+1]]
		for _, n := range daily {
			sum += n
		}
		line := Sticky{Month: c.cal.label(i), Monthly: c.months[i], Daily: float64(sum) / float64(max(1, len(daily)))}
		line.Stickiness.Value, line.Stickiness.Known = stats.Stickiness(daily, line.Monthly)
		lines = append(lines, line)
		text := "nobody was active"
		if line.Stickiness.Known {
			text = percent(line.Stickiness.Value)
		}
		t.Rows = append(t.Rows, []string{line.Month, number(line.Monthly), decimals(line.Daily), text})
	}
	r.Data, r.Tables = lines, append(r.Tables, t)
	return nil
}
