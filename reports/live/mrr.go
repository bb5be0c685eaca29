package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// mrrCounter follows monthly recurring revenue by period and currency.
type mrrCounter struct {
	o *Options
	recurring
	cal   *calendar
	books map[string]*revenueBook
	many  int64 // people in more currencies than are kept
}

// revenueBook is one currency.
type revenueBook struct {
	periods []stats.Revenue
	paying  []int64 // people who pay at the end of each period
	people  int64
}

// maxBooks bounds the currencies that are kept at all: codes come from senders.
const maxBooks = 200

func newMRR(_ *lifecycle.Plan, o *Options) counter { return newMRRCounter(o, o.Unit) }

func newMRRCounter(o *Options, unit stats.Unit) *mrrCounter {
	return &mrrCounter{o: o, recurring: recurring{exchange: newExchange(o)}, cal: newCalendar(o, unit), books: map[string]*revenueBook{}}
}

func (c *mrrCounter) take(p *summary.Person) error {
	c.addAll(c.follow(p.Events, c.o.end()))
	return nil
}

// addAll counts a person whose subscriptions were followed; nil for none.
func (c *mrrCounter) addAll(k *contract) {
	if k == nil {
		return
	}
	for currency, paid := range k.paid {
		if len(paid) > 0 {
			c.add(currency, paid)
		}
	}
}

func (c *mrrCounter) add(currency string, paid payments) {
	b := c.books[currency]
	if b == nil {
		if len(c.books) == maxBooks {
			c.many++
			return
		}
		b = &revenueBook{periods: make([]stats.Revenue, c.cal.len()), paying: make([]int64, c.cal.len())}
		for i := range b.periods {
			b.periods[i].Currency = currency
		}
		c.books[currency] = b
	}
	b.people++
	for i := range b.periods {
		start, end := c.cal.start(i), c.cal.end(i)
		if paid[0].at >= end {
			continue
		}
		first, last := paid.before(start), paid.before(end)
		if err := b.periods[i].Add(first, last, paid.paidBefore(start)); errors.Is(err, stats.ErrAmount) {
			c.beyond++ // the sum of everybody would not fit
			continue
		}
		if last > 0 {
			b.paying[i]++
		}
	}
}

// MRRPeriod is one line of the report mrr.
type MRRPeriod struct {
	Period string `json:"period"`
	stats.Revenue
	End    int64 `json:"end"`
	Paying int64 `json:"paying"` // people who pay at the end
	// ARPA is unknown where nobody pays.
	ARPA      *lifecycle.Money `json:"arpa"`
	Quick     stats.QuickRatio `json:"quick_ratio"`
	QuickBack stats.QuickRatio `json:"quick_ratio_with_reactivation"`
	NRR       stats.Share      `json:"nrr"`
	GRR       stats.Share      `json:"grr"`
}

func (c *mrrCounter) report(_ context.Context, r *Report) error {
	r.Definition = stats.RevenueFormula + "; ARPA = " + stats.ARPAFormula
	r.note("an account is a person; a value of Subscription:* is the amount per month, and one that rests pays nothing")
	c.cal.say(r)
	c.say(r)
	lines := []MRRPeriod{}
	counts := map[string]int64{}
	for name, b := range c.books {
		counts[name] = b.people
	}
	shown := shownCurrencies(r, c.o, counts)
	if c.many > 0 {
		r.note("%d people are left out: they pay in one currency too many", c.many)
	}
	for _, name := range shown {
		b := c.books[name]
		t := Table{"Monthly recurring revenue, " + name, []string{"Period", "Start", "New", "Expansion", "Reactivation", "Contraction", "Churn", "End", "Accounts", "ARPA", "Quick ratio", "NRR", "GRR"}, nil}
		for i, rev := range b.periods {
			line, err := newMRRPeriod(c.cal.label(i), rev, b.paying[i])
			if err != nil {
				return err
			}
			lines = append(lines, line)
			t.Rows = append(t.Rows, line.row())
		}
		r.Tables = append(r.Tables, t)
	}
	if len(shown) == 0 {
		r.note("no Subscription event with an amount was told")
		r.Tables = append(r.Tables, Table{"Monthly recurring revenue", []string{"Period"}, nil})
	}
	r.Data = lines
	return nil
}

func newMRRPeriod(label string, rev stats.Revenue, paying int64) (MRRPeriod, error) {
	end, err := rev.End()
	if err != nil {
		return MRRPeriod{}, err
	}
	line := MRRPeriod{Period: label, Revenue: rev, End: end, Paying: paying, Quick: rev.Quick(false), QuickBack: rev.Quick(true)}
	line.NRR.Value, line.NRR.Known = rev.NetRetention()
	line.GRR.Value, line.GRR.Known = rev.GrossRetention()
	if arpa, known := stats.ARPA(lifecycle.Money{Micros: end, Currency: rev.Currency}, paying); known {
		line.ARPA = &arpa
	}
	return line, nil
}

func (l *MRRPeriod) row() []string {
	cells := []string{l.Period}
	for _, micros := range []int64{l.Start, l.New, l.Expansion, l.Reactivation, l.Contraction, l.Churn, l.End} {
		cells = append(cells, units(micros))
	}
	arpa, quick := "nobody pays", "no losses"
	if l.ARPA != nil {
		arpa = units(l.ARPA.Micros)
	}
	if l.Quick.Known {
		quick = decimals(l.Quick.Value)
	}
	cells = append(cells, number(l.Paying), arpa, quick)
	for _, s := range []stats.Share{l.NRR, l.GRR} {
		text := "nothing at the start"
		if s.Known {
			text = percent(s.Value)
		}
		cells = append(cells, text)
	}
	return cells
}

// units writes micros without their currency.
func units(micros int64) string { return fmt.Sprintf("%.2f", float64(micros)/1e6) }

func decimals(x float64) string { return fmt.Sprintf("%.2f", x) }
