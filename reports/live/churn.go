package live

import (
	"context"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// purchaseWindow is how long a purchase makes a customer where no window is given.
const purchaseWindow = 90 * day24

// flowBook counts customers by period on one basis.
type flowBook struct {
	cal   *calendar
	flows []stats.CustomerFlow
	// brief are the people who became customers for the first time and were none
	// any more at the end of the same period.
	brief  int64
	people int64
}

func newFlowBook(cal *calendar) *flowBook {
	return &flowBook{cal: cal, flows: make([]stats.CustomerFlow, cal.len())}
}

// add counts one person by the times they were a customer, in order.
func (b *flowBook) add(spans []span) {
	if len(spans) == 0 {
		return
	}
	b.people++
	for i := range b.flows {
		start, end := b.cal.start(i), b.cal.end(i)
		if spans[0].from >= end {
			continue
		}
		f := &b.flows[i]
		// What began at the very start belongs to the period, so that its first
		// instant is not yet one of a customer: the state just before it counts.
		was, is := holds(spans, start-1), holds(spans, end-1)
		earlier := spans[0].from < start
		switch {
		case was:
			f.Start++
			if !is {
				f.Lost++
			}
		case earlier:
			f.Dormant++
			if is {
				f.Reactivated++
			}
		case is:
			f.New++
		default:
			b.brief++
		}
	}
}

// customers finds the times in which a person is a customer, on each basis.
type customers struct {
	o      *Options
	window time.Duration
	recurring
}

func newCustomers(o *Options) customers {
	window := o.Window
	if window == 0 {
		window = purchaseWindow
	}
	return customers{o: o, window: window, recurring: recurring{exchange: newExchange(o)}}
}

// bought gives the times in which a purchase was no older than the window.
func (c *customers) bought(p *summary.Person) []span {
	var spans []span
	for i := range p.Events {
		if e := &p.Events[i]; e.At < c.o.end() && slices.Contains(c.o.Events, e.Name) {
			spans = endure(spans, e.At, c.window)
		}
	}
	return spans
}

// staged gives the times spent in the stages of customers.
func (c *customers) staged(p *summary.Person) []span {
	var spans []span
	end := c.o.end()
	stays(p, end, func(stage lifecycle.Stage, s span, next lifecycle.Stage) {
		if !slices.Contains(c.o.Stages, stage) {
			return
		}
		if next == "" && s.to == end {
			s.to = forever
		}
		if n := len(spans); n > 0 && spans[n-1].to == s.from {
			spans[n-1].to = s.to
			return
		}
		spans = append(spans, s)
	})
	return spans
}

// says words the basis.
func (c *customers) says(basis Basis) string {
	switch basis {
	case BasisSubscription:
		return "a customer has a subscription that runs and does not rest"
	case BasisStage:
		return "a customer is in one of the stages " + joined(c.o.Stages)
	}
	return "a customer bought (" + joined(c.o.Events) + ") within the last " + number(int(c.window/day24)) + " days"
}

// churnCounter counts who came, left and came back.
type churnCounter struct {
	customers
	cal                      *calendar
	subscribed, bought, stay *flowBook
}

func newChurn(_ *lifecycle.Plan, o *Options) counter {
	cal := newCalendar(o, o.Unit)
	return &churnCounter{newCustomers(o), cal, newFlowBook(cal), newFlowBook(cal), newFlowBook(cal)}
}

func (c *churnCounter) take(p *summary.Person) error {
	var k *contract
	if c.o.Basis == "" || c.o.Basis == BasisSubscription {
		k = c.follow(p.Events, c.o.end())
	}
	c.add(p, k)
	return nil
}

// add counts a person whose subscriptions were followed; nil for none.
func (c *churnCounter) add(p *summary.Person, k *contract) {
	if c.o.Basis == BasisStage {
		c.stay.add(c.staged(p))
		return
	}
	if k != nil {
		c.subscribed.add(k.held)
	}
	c.bought.add(c.customers.bought(p))
}

// ChurnReport is the data of the report churn.
type ChurnReport struct {
	Basis   Basis         `json:"basis"`
	Periods []ChurnPeriod `json:"periods"`
	// Mean is the churn over all periods together, and Yearly what it comes to
	// in a year at the same rate.
	Mean   stats.Share `json:"mean"`
	Yearly stats.Share `json:"yearly"`
}

// ChurnPeriod is one line of it.
type ChurnPeriod struct {
	Period string `json:"period"`
	stats.Churn
}

// chosenBook gives the basis asked for, or the one that there is.
func (c *churnCounter) chosenBook() (Basis, *flowBook) {
	switch {
	case c.o.Basis == BasisStage:
		return BasisStage, c.stay
	case c.o.Basis == BasisSubscription, c.o.Basis == "" && c.subscribed.people > 0:
		return BasisSubscription, c.subscribed
	}
	return BasisPurchase, c.bought
}

func (c *churnCounter) report(_ context.Context, r *Report) error {
	basis, book := c.chosenBook()
	r.Definition = stats.ChurnFormula
	r.note("%s; people, as they stood just before each %s began and ended", c.says(basis), c.o.Unit)
	c.cal.say(r)
	d := ChurnReport{Basis: basis, Periods: []ChurnPeriod{}}
	t := Table{"Churn", []string{"Period", "At its start", "New", "Lost", "Came back", "At its end", "Churn", "Reactivation"}, nil}
	var start, lost int64
	for i, f := range book.flows {
		one, err := stats.NewChurn(f)
		if err != nil {
			return err
		}
		start, lost = start+f.Start, lost+f.Lost
		d.Periods = append(d.Periods, ChurnPeriod{c.cal.label(i), one})
		t.Rows = append(t.Rows, []string{c.cal.label(i), number(f.Start), number(f.New), number(f.Lost), number(f.Reactivated), number(one.End), rate(one.Churn), rate(one.Reactivation)})
	}
	if start > 0 {
		d.Mean = stats.Share{Known: true, Value: float64(lost) / float64(start)}
		d.Yearly.Value, d.Yearly.Known = stats.Compound(d.Mean.Value, perYear(c.o.Unit))
		r.note("churn over all %ss together is %s, which is %s in a year at the same rate", c.o.Unit, percent(d.Mean.Value), percent(d.Yearly.Value))
	} else {
		r.note("there was no customer at the start of any %s, so there is no churn", c.o.Unit)
	}
	if book.brief > 0 {
		r.note("%d people came and went within one %s: they are neither new nor lost", book.brief, c.o.Unit)
	}
	r.Data, r.Tables = &d, append(r.Tables, t)
	return nil
}

// perYear is how many periods a year has.
func perYear(u stats.Unit) int {
	switch u {
	case stats.Day:
		return 365
	case stats.Week:
		return 52
	}
	return 12
}
