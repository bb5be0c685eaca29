package live

import (
	"context"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// contactCounter counts in which stage sales first touched people.
type contactCounter struct {
	o       *Options
	events  []lifecycle.EventName
	touched map[lifecycle.Stage]int64
	waits   map[lifecycle.Stage][]stats.Spell // since the stage was entered
	never   map[lifecycle.Stage]int64         // people by their stage now
}

func newContact(_ *lifecycle.Plan, o *Options) counter {
	c := &contactCounter{o: o, events: o.Touches, touched: map[lifecycle.Stage]int64{}, waits: map[lifecycle.Stage][]stats.Spell{}, never: map[lifecycle.Stage]int64{}}
	if len(c.events) == 0 {
		c.events = []lifecycle.EventName{leadContacted, "Meeting:Booked", "Meeting:Attended"}
	}
	return c
}

func (c *contactCounter) take(p *summary.Person) error {
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= c.o.end() {
			break
		}
		if !slices.Contains(c.events, e.Name) {
			continue
		}
		if e.At >= c.o.From {
			c.count(p, e.At)
		}
		return nil
	}
	if stage := stageBefore(p, c.o.end()); stage != "" {
		c.never[stage]++
	}
	return nil
}

func (c *contactCounter) count(p *summary.Person, at lifecycle.Instant) {
	var stage lifecycle.Stage
	var since lifecycle.Instant
	for i := range p.Moves {
		if p.Moves[i].At >= at {
			break
		}
		stage, since = p.Moves[i].Stage, p.Moves[i].At
	}
	c.touched[stage]++
	if stage != "" {
		c.waits[stage] = append(c.waits[stage], stats.Spell{Length: time.Duration(at-since) * time.Microsecond, Ended: 1})
	}
}

// Contacted is one line of the report contact.
type Contacted struct {
	Stage  lifecycle.Stage `json:"stage"`
	People reports.Rate    `json:"people"`
	// Wait is the median time from entering the stage to the touch.
	Wait stats.Duration `json:"median_wait"`
	// Never are the people in the stage now whom sales has never touched.
	Never int64 `json:"never"`
}

func (c *contactCounter) report(_ context.Context, r *Report) error {
	r.Definition = "people by the stage that they held just before the first sales touch / all people touched, with Wilson's interval; the wait is the median time from entering that stage"
	r.note("a sales touch is the first event %s of a person", joined(c.events))
	var all int64
	for _, n := range c.touched {
		all += n
	}
	if all == 0 {
		r.note("no such event was told in the period")
	}
	order := append([]lifecycle.Stage{""}, c.o.stageNames()...)
	for _, s := range append(sortedStages(c.touched), sortedStages(c.never)...) {
		if !slices.Contains(order, s) {
			order = append(order, s)
		}
	}
	lines, t := []Contacted{}, Table{"First sales touch", []string{"Stage", "People", "Share of those touched", "Median days in the stage before", "There now, never touched"}, nil}
	for _, s := range order {
		if s == "" && c.touched[s] == 0 {
			continue
		}
		curve, err := stats.KaplanMeier(c.waits[s])
		if err != nil {
			return err
		}
		l := Contacted{Stage: s, People: reports.NewRate(c.touched[s], all), Never: c.never[s]}
		l.Wait.Value, l.Wait.Known = curve.Median()
		lines = append(lines, l)
		t.Rows = append(t.Rows, []string{stageName(s), number(c.touched[s]), rate(l.People), maybeDays(l.Wait), number(l.Never)})
	}
	r.Data, r.Tables = lines, append(r.Tables, t)
	return nil
}
