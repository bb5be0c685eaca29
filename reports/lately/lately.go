// Package lately compares what happened on the path of stages in the last days
// with what happened in as many days before. It counts persons, each once.
package lately

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
)

// Formula says in words what is counted and divided.
const Formula = "Entered: people who came into the stage within the days. There: people who were in it at any time within them. " +
	"Went on: those of them who left it for a later stage of the path within the days, and that share of all who were there, with its 95 % interval by Wilson's formula. " +
	"Persons, each once; days of 24 hours."

// ErrNotBuilt says that people have to be summed up first: see summary.Keeper.
var ErrNotBuilt = summary.ErrNotBuilt

// Period is a stretch of time, From included and To not.
type Period struct{ From, To lifecycle.Instant }

// Periods gives the last days up to an instant, and as many before them.
func Periods(now lifecycle.Instant, days int) (is, was Period) {
	span := time.Duration(days) * 24 * time.Hour
	middle := now.Add(-span)
	return Period{middle, now}, Period{middle.Add(-span), middle}
}

// Counts are what happened at one stage in one period.
type Counts struct {
	Entered, There, Forward int64
	// Rate is Forward of There.
	Rate reports.Rate
}

// Step is one stage of the path in both periods.
type Step struct {
	Stage   lifecycle.Stage
	Is, Was Counts
}

// Comparison is the path in the order of the plan.
type Comparison struct {
	Is, Was Period
	Steps   []Step
	// AsOf is the moment that the figures are true for.
	AsOf lifecycle.Instant
}

// Compare counts everybody. The error is ErrNotBuilt while people are not
// summed up.
func Compare(ctx context.Context, s *store.Store, plan *lifecycle.Plan, planOf summary.PlanOf, now lifecycle.Instant, days int) (*Comparison, error) {
	c := &Comparison{}
	c.Is, c.Was = Periods(now, days)
	for _, stage := range plan.Stages() {
		if !stage.Side {
			c.Steps = append(c.Steps, Step{Stage: stage.Name})
		}
	}
	is, was := make([]passed, len(c.Steps)), make([]passed, len(c.Steps))
	fresh, err := summary.Each(ctx, s, planOf, now, summary.Want{Moves: true}, func(p *summary.Person) error {
		pass(plan, p, c.Is, is)
		pass(plan, p, c.Was, was)
		for i := range c.Steps {
			c.Steps[i].Is.add(is[i])
			c.Steps[i].Was.add(was[i])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lately: compare: %w", err)
	}
	for i := range c.Steps {
		x := &c.Steps[i]
		x.Is.Rate, x.Was.Rate = reports.NewRate(x.Is.Forward, x.Is.There), reports.NewRate(x.Was.Forward, x.Was.There)
	}
	c.AsOf = fresh.AsOf
	return c, nil
}

// passed is what one person did at one stage in a period.
type passed struct{ entered, there, forward bool }

func (c *Counts) add(p passed) {
	if p.entered {
		c.Entered++
	}
	if p.there {
		c.There++
	}
	if p.forward {
		c.Forward++
	}
}

// pass tells what a person did in a period at each stage of the path.
func pass(plan *lifecycle.Plan, p *summary.Person, in Period, at []passed) {
	clear(at)
	for i := range p.Moves {
		m := &p.Moves[i]
		if m.At >= in.To {
			return
		}
		place := plan.PathIndex(m.Stage)
		if place < 0 || place >= len(at) {
			continue
		}
		last := i+1 == len(p.Moves)
		if !last && p.Moves[i+1].At < in.From {
			continue // over before it began
		}
		x := &at[place]
		x.entered = x.entered || m.At >= in.From
		if m.At < in.From && !last && p.Moves[i+1].At == in.From && plan.PathIndex(p.Moves[i+1].Stage) <= place {
			continue // gone at the very start
		}
		x.there = true
		if !last && p.Moves[i+1].At < in.To {
			x.forward = x.forward || plan.PathIndex(p.Moves[i+1].Stage) > place
		}
	}
}

// What says whom a number counts.
type What string

// The numbers of a step.
const (
	Entered What = "entered"
	There   What = "there"
	Forward What = "forward"
)

func (p passed) is(what What) bool {
	switch what {
	case Entered:
		return p.entered
	case Forward:
		return p.forward
	}
	return p.there
}

// errEnough ends a search that found a page.
var errEnough = errors.New("lately: enough")

// Who lists the people behind a number, by id, those after an id, as many as
// limit; more tells whether there are others.
func Who(ctx context.Context, s *store.Store, plan *lifecycle.Plan, planOf summary.PlanOf, now lifecycle.Instant, in Period, stage lifecycle.Stage, what What, after lifecycle.ProfileID, limit int) (ids []lifecycle.ProfileID, more bool, err error) {
	place := plan.PathIndex(stage)
	if place < 0 {
		return nil, false, fmt.Errorf("lately: who: stage %q is not on the path: %w", stage, store.ErrNotFound)
	}
	at := make([]passed, place+1)
	_, err = summary.Each(ctx, s, planOf, now, summary.Want{Moves: true}, func(p *summary.Person) error {
		if p.ID <= after {
			return nil
		}
		pass(plan, p, in, at)
		if !at[place].is(what) {
			return nil
		}
		if len(ids) == limit {
			more = true
			return errEnough
		}
		ids = append(ids, p.ID)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, false, fmt.Errorf("lately: who: %w", err)
	}
	return ids, more, nil
}
