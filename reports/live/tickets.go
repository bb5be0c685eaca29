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
	"github.com/stagebridge/stagebridge/reports/summary"
)

// ticketBook sums up the tickets of one stage.
type ticketBook struct {
	tickets, people, solved, reopened int64
	waits                             []stats.Spell
	ratings                           [5]int64
}

// ticketCounter counts requests for help and how they end.
type ticketCounter struct {
	o                           *Options
	plan                        *lifecycle.Plan
	all                         ticketBook
	stages                      map[lifecycle.Stage]*ticketBook
	customers                   []CustomerTickets
	everybody, orphans, outside int64
}

func newTickets(plan *lifecycle.Plan, o *Options) counter {
	return &ticketCounter{o: o, plan: plan, stages: map[lifecycle.Stage]*ticketBook{}}
}

// CustomerTickets are those of one person.
type CustomerTickets struct {
	Person  lifecycle.ProfileID `json:"person,string"`
	Tickets int64               `json:"tickets"`
	Open    int64               `json:"open"`
	// Hours is the mean time of those solved; zero where none is.
	Hours float64 `json:"mean_hours"`
}

// ticket is one as the events told.
type ticket struct {
	book           *ticketBook
	opened, solved lifecycle.Instant
}

func (c *ticketCounter) take(p *summary.Person) error {
	c.everybody++
	var tickets map[thing]*ticket
	counted := map[*ticketBook]bool(nil)
	mine := CustomerTickets{Person: p.ID}
	var worked time.Duration
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= c.o.end() {
			break
		}
		switch e.Name {
		case "Ticket:Opened", "Ticket:Solved", "Ticket:Reopened", "Ticket:Rated":
		default:
			continue
		}
		if tickets == nil {
			tickets, counted = map[thing]*ticket{}, map[*ticketBook]bool{}
		}
		which := thingOf(e, "ticket")
		t := tickets[which]
		switch {
		case e.Name == "Ticket:Opened" && (t == nil || which.connection != "" && t.solved != 0):
			t = &ticket{opened: e.At}
			tickets[which] = t
			if e.At < c.o.From {
				continue // opened before the time asked for
			}
			t.book = c.book(stageBefore(p, e.At))
			for _, b := range []*ticketBook{t.book, &c.all} {
				b.tickets++
				if !counted[b] {
					counted[b] = true
					b.people++
				}
			}
			mine.Tickets++
		case t == nil:
			c.orphans++
		case t.book == nil, e.Name == "Ticket:Opened":
		case e.Name == "Ticket:Solved" && t.solved == 0:
			t.solved = e.At
			worked += c.wait(t, e.At, true)
		case e.Name == "Ticket:Reopened":
			t.book.reopened++
			c.all.reopened++
		case e.Name == "Ticket:Rated":
			c.rate(t.book, e)
		}
	}
	for _, t := range tickets {
		if t.book != nil && t.solved == 0 {
			mine.Open++
			c.wait(t, c.o.end(), false)
		}
	}
	if solved := mine.Tickets - mine.Open; solved > 0 {
		mine.Hours = worked.Hours() / float64(solved)
	}
	if mine.Tickets > 0 {
		c.keep(mine)
	}
	return nil
}

func (c *ticketCounter) book(stage lifecycle.Stage) *ticketBook {
	if c.stages[stage] == nil {
		c.stages[stage] = &ticketBook{}
	}
	return c.stages[stage]
}

// wait counts how long a ticket took, or has taken so far.
func (c *ticketCounter) wait(t *ticket, until lifecycle.Instant, solved bool) time.Duration {
	s := stats.Spell{Length: time.Duration(until-t.opened) * time.Microsecond, Open: 1}
	if solved {
		s.Ended, s.Open = 1, 0
		t.book.solved++
		c.all.solved++
	}
	t.book.waits, c.all.waits = append(t.book.waits, s), append(c.all.waits, s)
	return s.Length
}

func (c *ticketCounter) rate(b *ticketBook, e *summary.Event) {
	score, ok := e.Number("score")
	if !ok || score != float64(int(score)) || score < 1 || score > 5 {
		c.outside++
		return
	}
	b.ratings[int(score)-1]++
	c.all.ratings[int(score)-1]++
}

// customersShown is how many customers are listed.
const customersShown = 20

// keep lists the customers with the most tickets, a few more than are shown, so
// that the list does not grow with the people.
func (c *ticketCounter) keep(one CustomerTickets) {
	c.customers = append(c.customers, one)
	if len(c.customers) >= 10*customersShown {
		c.sortCustomers()
	}
}

func (c *ticketCounter) sortCustomers() {
	slices.SortFunc(c.customers, func(a, b CustomerTickets) int {
		return cmp.Or(cmp.Compare(b.Tickets, a.Tickets), cmp.Compare(b.Open, a.Open), cmp.Compare(a.Person, b.Person))
	})
	c.customers = c.customers[:min(len(c.customers), customersShown)]
}

// TicketLine is one line of the report tickets.
type TicketLine struct {
	Stage    lifecycle.Stage `json:"stage"`
	Tickets  int64           `json:"tickets"`
	People   int64           `json:"people"`
	Solved   int64           `json:"solved"`
	Reopened int64           `json:"reopened"`
	Median   stats.Duration  `json:"median"`
	P90      stats.Duration  `json:"p90"`
	CSAT     reports.Rate    `json:"csat"`
}

// TicketReport is the data of the report tickets.
type TicketReport struct {
	All       TicketLine        `json:"all"`
	Stages    []TicketLine      `json:"stages"`
	PerPerson stats.Share       `json:"tickets_per_person"`
	Customers []CustomerTickets `json:"customers"`
}

func newTicketLine(stage lifecycle.Stage, b *ticketBook) (TicketLine, error) {
	curve, err := stats.KaplanMeier(b.waits)
	if err != nil {
		return TicketLine{}, err
	}
	l := TicketLine{Stage: stage, Tickets: b.tickets, People: b.people, Solved: b.solved, Reopened: b.reopened}
	l.Median.Value, l.Median.Known = curve.Median()
	l.P90.Value, l.P90.Known = curve.Percentile(90)
	l.CSAT, err = stats.CSAT(b.ratings)
	return l, err
}

func (c *ticketCounter) report(_ context.Context, r *Report) error {
	r.Definition = "tickets opened in the period, by the stage that the person held just before; time to the first Ticket:Solved by Kaplan and Meier, open ones counted as long as they wait; " + stats.CSATFormula
	c.sortCustomers()
	d := TicketReport{Stages: []TicketLine{}, Customers: append([]CustomerTickets{}, c.customers...)}
	var err error
	if d.All, err = newTicketLine("", &c.all); err != nil {
		return err
	}
	if c.everybody > 0 {
		d.PerPerson = stats.Share{Known: true, Value: float64(c.all.tickets) / float64(c.everybody)}
		r.note("%d people of %d opened a ticket: %.2f tickets a person, %s", c.all.people, c.everybody, d.PerPerson.Value, perOpener(&c.all))
	}
	r.note("a ticket that is opened again was solved at first: its time to the first solution counts")
	if c.orphans > 0 {
		r.note("%d events are left out: their ticket was never told to be opened", c.orphans)
	}
	if c.outside > 0 {
		r.note("%d ratings are left out: they are not whole numbers from 1 to 5", c.outside)
	}
	t := Table{"Tickets", []string{"Stage", "Tickets", "People", "Solved", "Opened again", "Half solved within, hours", "Nine tenths", "Satisfied"}, nil}
	t.Rows = append(t.Rows, d.All.row("all"))
	for _, stage := range sortedStages(c.stages) {
		l, err := newTicketLine(stage, c.stages[stage])
		if err != nil {
			return err
		}
		d.Stages = append(d.Stages, l)
		t.Rows = append(t.Rows, l.row(stageName(stage)))
	}
	most := Table{"Who has the most", []string{"Person", "Tickets", "Open", "Hours until solved, mean"}, nil}
	for _, one := range d.Customers {
		hours := "none solved"
		if one.Tickets > one.Open {
			hours = fmt.Sprintf("%.1f", one.Hours)
		}
		most.Rows = append(most.Rows, []string{number(one.Person), number(one.Tickets), number(one.Open), hours})
	}
	r.Data, r.Tables = &d, append(r.Tables, t, most)
	return nil
}

func perOpener(b *ticketBook) string {
	if b.people == 0 {
		return "nobody has one"
	}
	return fmt.Sprintf("%.2f of those who have one", float64(b.tickets)/float64(b.people))
}

func (l *TicketLine) row(name string) []string {
	cells := []string{name, number(l.Tickets), number(l.People), number(l.Solved), number(l.Reopened)}
	for _, d := range []stats.Duration{l.Median, l.P90} {
		if d.Known {
			cells = append(cells, fmt.Sprintf("%.1f", d.Value.Hours()))
		} else {
			cells = append(cells, "not known")
		}
	}
	return append(cells, rate(l.CSAT))
}
