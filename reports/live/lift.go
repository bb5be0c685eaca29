package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// topPercent is the share of customers that the group top is made of.
const topPercent = 20

// compared is a person who may be in a group.
type compared struct {
	features []int32
	// revenue has one amount for each currency, for the group top; most people
	// have one.
	revenue []lifecycle.Money
	won     bool // in the group
}

// add sums revenue up; an amount that does not fit any more is left out, as is
// one currency too many.
func (c *compared) add(m lifecycle.Money) {
	i := slices.IndexFunc(c.revenue, func(have lifecycle.Money) bool { return have.Currency == m.Currency })
	if i < 0 {
		if len(c.revenue) < maxBooks {
			c.revenue = append(c.revenue, m)
		}
		return
	}
	if have := &c.revenue[i].Micros; (*have+m.Micros < *have) == (m.Micros < 0) {
		*have += m.Micros
	}
}

// in gives the revenue in a currency.
func (c *compared) in(currency string) (int64, bool) {
	for _, m := range c.revenue {
		if m.Currency == currency {
			return m.Micros, true
		}
	}
	return 0, false
}

// liftCounter says what sets a group apart from the rest.
type liftCounter struct {
	o *Options
	exchange
	features
	people  []compared
	kept    pieces[int32]
	amounts pieces[lifecycle.Money]
	revenue []lifecycle.EventName
	count   map[string]int64
	sums    []lifecycle.Money // memory of the person at hand
}

func newLift(plan *lifecycle.Plan, o *Options) counter {
	c := &liftCounter{o: o, exchange: newExchange(o), revenue: o.chosen, count: map[string]int64{}}
	if len(c.revenue) == 0 {
		c.revenue = plan.Revenue()
	}
	if len(c.revenue) == 0 {
		c.revenue = o.Events
	}
	if o.Group == GroupWon {
		c.features = newFeatures([]lifecycle.EventName{dealWon, dealLost})
	} else {
		c.features = newFeatures(c.revenue)
	}
	return c
}

func (c *liftCounter) take(p *summary.Person) error {
	if c.o.Group == GroupWon {
		c.takeDecided(p)
		return nil
	}
	one := compared{revenue: c.sums[:0]}
	for i := range p.Events {
		e := &p.Events[i]
		if e.At < c.o.From || e.At >= c.o.end() || e.Amount.Currency == "" || !slices.Contains(c.revenue, e.Name) {
			continue
		}
		if m, ok := c.exchange.of(e.Amount); ok {
			one.add(m)
		}
	}
	if len(one.revenue) == 0 {
		return nil
	}
	for _, m := range one.revenue {
		c.count[m.Currency]++
	}
	c.sums, one.revenue = one.revenue, c.amounts.keep(one.revenue)
	one.features = c.kept.keep(c.features.of(p, span{c.o.From, c.o.end()}))
	c.people = append(c.people, one)
	return nil
}

// takeDecided looks at people whose deals were won or lost, by what came before
// the decision: what follows it would only tell it again.
func (c *liftCounter) takeDecided(p *summary.Person) {
	var won, lost lifecycle.Instant
	for i := range p.Events {
		switch e := &p.Events[i]; {
		case e.At < c.o.From || e.At >= c.o.end():
		case e.Name == dealWon:
			won = earlier(won, e.At)
		case e.Name == dealLost:
			lost = earlier(lost, e.At)
		}
	}
	if won == 0 && lost == 0 {
		return
	}
	one := compared{won: won != 0}
	one.features = c.kept.keep(c.features.of(p, span{0, cmp.Or(won, lost)}))
	c.people = append(c.people, one)
}

// LiftReport is the data of the report lift.
type LiftReport struct {
	Group string       `json:"group"`
	In    int64        `json:"in_group"`
	Rest  int64        `json:"in_rest"`
	Lifts []stats.Lift `json:"lifts"`
}

func (c *liftCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.LiftFormula
	d := LiftReport{Lifts: []stats.Lift{}}
	if c.o.Group == GroupWon {
		d.Group = "people with a deal won, with those whose deals were lost"
		r.note("features are taken from before the first deal that was won, or lost; a person with both won")
	} else {
		d.Group = c.top(r)
	}
	r.note("traits are those of now; a number as a trait is no feature, and neither are the events that make the groups")
	for i := range c.people {
		if c.people[i].won {
			d.In++
		} else {
			d.Rest++
		}
	}
	r.Data = &d
	t := Table{"What sets apart " + d.Group, []string{"Feature", fmt.Sprintf("Of the %d", d.In), fmt.Sprintf("Of the %d others", d.Rest), "Lift", "Distinct"}, nil}
	defer func() { r.Tables = append(r.Tables, t) }()
	if d.In == 0 || d.Rest == 0 {
		r.note("there is nobody to compare: %d in the group and %d in the rest", d.In, d.Rest)
		return nil
	}
	lifts, rare, err := compareFeatures(c.labels.texts, d.In, d.Rest, func(count func(feature int32, inGroup bool)) {
		for i := range c.people {
			for _, f := range c.people[i].features {
				count(f, c.people[i].won)
			}
		}
	})
	if err != nil {
		return err
	}
	sayFeatures(r, &c.labels, rare)
	d.Lifts = lifts[:min(len(lifts), maxLifts)]
	t.Rows = liftRows(d.Lifts)
	return nil
}

// top puts the best customers into the group and words it. Customers with as
// much as the last of them are in it too, unless then nobody were left.
func (c *liftCounter) top(r *Report) string {
	c.exchange.say(r)
	l := ledger{o: c.o, byCurrency: c.count}
	currency := l.best()
	for _, name := range sortedKeys(c.count) {
		if name != currency {
			r.note("revenue of %d people in %s is left out: amounts of two currencies are not added", c.count[name], name)
		}
	}
	var all []int64
	kept := c.people[:0]
	for _, one := range c.people {
		if m, ok := one.in(currency); ok {
			kept, all = append(kept, one), append(all, m)
		}
	}
	c.people = kept
	slices.Sort(all)
	title := fmt.Sprintf("the top %d %% by revenue in %s (%s)", topPercent, currency, joined(c.revenue))
	if len(all) == 0 {
		return title
	}
	threshold := all[len(all)-(len(all)*topPercent+99)/100]
	more := threshold == all[0] // everybody has at least as much
	for i := range c.people {
		m, _ := c.people[i].in(currency)
		c.people[i].won = m > threshold || m == threshold && !more
	}
	r.note("the group has at least %s each; people with the same revenue are on the same side", amount(threshold, currency))
	return title
}

// compareFeatures counts features and compares the groups. Those that too few
// people have are counted only.
func compareFeatures(names []string, group, rest int64, walk func(count func(feature int32, inGroup bool))) (lifts []stats.Lift, rare int, err error) {
	counts := make([][2]int64, len(names))
	walk(func(f int32, inGroup bool) {
		if inGroup {
			counts[f][0]++
		} else {
			counts[f][1]++
		}
	})
	var all []stats.Feature
	for i, n := range counts {
		switch sum := n[0] + n[1]; {
		case sum >= minShared:
			all = append(all, stats.Feature{Name: names[i], InGroup: n[0], InRest: n[1]})
		case sum > 0:
			rare++
		}
	}
	lifts, err = stats.NewLifts(group, rest, all)
	return lifts, rare, err
}

func sayFeatures(r *Report, l *labels, rare int) {
	if rare > 0 {
		r.note("%d features are left out: fewer than %d have them", rare, minShared)
	}
	if l.over > 0 {
		r.note("more than %d features were told; the others are counted together as %s", maxLabels, otherNames)
	}
}

func liftRows(lifts []stats.Lift) [][]string {
	var rows [][]string
	for _, l := range lifts[:min(len(lifts), maxLiftRows)] {
		ratio, distinct := "nobody else has it", "no"
		if l.Known {
			ratio = fmt.Sprintf("%.2f (%.2f to %.2f)", l.Value, l.Low, l.High)
		}
		if l.Distinct {
			distinct = "yes"
		}
		rows = append(rows, []string{l.Name, rate(l.Group), rate(l.Rest), ratio, distinct})
	}
	return rows
}
