package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// economicsCounter gathers what a customer brings in a month and how many leave.
type economicsCounter struct {
	churnCounter
	mrr    *mrrCounter
	spent  map[string]int64 // by purchases in the months shown, by currency
	orders map[string]int64
	beyond int64
}

func newEconomics(plan *lifecycle.Plan, o *Options) counter {
	// A month is what churn, revenue and payback are all measured in.
	o.Unit = stats.Month
	return &economicsCounter{churnCounter: *newChurn(plan, o).(*churnCounter), mrr: newMRRCounter(o, stats.Month), spent: map[string]int64{}, orders: map[string]int64{}}
}

func (c *economicsCounter) take(p *summary.Person) error {
	k := c.mrr.follow(p.Events, c.o.end()) // once for both
	c.churnCounter.add(p, k)
	c.mrr.addAll(k)
	for i := range p.Events {
		e := &p.Events[i]
		if c.cal.index(e.At) < 0 || !slices.Contains(c.o.Events, e.Name) || e.Amount.Currency == "" {
			continue
		}
		m, ok := c.exchange.of(e.Amount)
		if !ok || len(c.spent) >= maxBooks && c.orders[m.Currency] == 0 {
			continue
		}
		if sum := c.spent[m.Currency] + m.Micros; (sum < c.spent[m.Currency]) == (m.Micros < 0) {
			c.spent[m.Currency] = sum
			c.orders[m.Currency]++
		} else {
			c.beyond++
		}
	}
	return nil
}

// Economics is one line of the report economics. What is not known is nil.
type Economics struct {
	Currency string `json:"currency"`
	// ARPA is revenue per customer and month, Margin the share of it that is left.
	ARPA   *lifecycle.Money `json:"arpa"`
	Margin float64          `json:"margin"`
	// Churn is the share of customers lost in a month.
	Churn stats.Share `json:"churn"`
	// Naive is ARPA × margin / churn; Constant the same with discount, paid at
	// the start of each month.
	Naive    *lifecycle.Money `json:"clv_naive"`
	Constant *lifecycle.Money `json:"clv_constant_retention"`
	Won      int64            `json:"customers_won"`
	CAC      *lifecycle.Money `json:"cac"`
	Payback  *float64         `json:"payback_months"`
}

func (c *economicsCounter) report(_ context.Context, r *Report) error {
	r.Definition = "naive CLV = " + stats.SimpleValueFormula + "; with constant retention " + stats.RetentionValueFormula + "; payback = " + stats.CACPaybackFormula + ", CAC = spend / customers won"
	basis, book := c.chosenBook()
	r.note("%s; people", c.says(basis))
	c.cal.say(r)
	if basis == BasisSubscription {
		c.mrr.say(r)
	} else {
		c.exchange.say(r)
	}
	if c.beyond > 0 {
		r.note("%d purchases are left out: their sum is more than can be counted", c.beyond)
	}
	margin := c.o.Margin
	if margin == 0 {
		margin = 1
		r.note("no margin was given: all revenue is taken as margin, which makes customers worth too much")
	}
	var start, lost, won, months int64
	for _, f := range book.flows {
		start, lost, won = start+f.Start, lost+f.Lost, won+f.New
		if one, err := stats.NewChurn(f); err == nil {
			months += one.End
		}
	}
	churn := stats.Share{Known: start > 0}
	if churn.Known {
		churn.Value = float64(lost) / float64(start)
	}
	lines := []Economics{}
	for _, name := range shownCurrencies(r, c.o, c.counts(basis)) {
		line := Economics{Currency: name, Margin: margin, Churn: churn, Won: won}
		if basis == BasisSubscription {
			line.ARPA = c.recurringARPA(name)
		} else if arpa, known := stats.ARPA(lifecycle.Money{Micros: c.spent[name], Currency: name}, months); known {
			line.ARPA = &arpa
		}
		if err := line.value(c.o); err != nil {
			return err
		}
		lines = append(lines, line)
	}
	if basis != BasisSubscription {
		r.note("ARPA is the revenue of the months shown / the customers at the end of each, added up")
	} else {
		r.note("ARPA is that at the end of the last month shown")
	}
	if c.o.Spend > 0 && len(lines) > 1 {
		r.note("the spend is taken for that of each currency by itself: name a currency, or rates")
	}
	if c.o.Spend == 0 {
		r.note("no spend was given, so there is neither CAC nor payback")
	}
	if churn.Known && churn.Value == 0 {
		r.note("nobody left, so the naive value has no end and is not shown")
	}
	r.Data, r.Tables = lines, append(r.Tables, economicsTable(lines))
	return nil
}

// counts says how much there is of each currency.
func (c *economicsCounter) counts(basis Basis) map[string]int64 {
	if basis != BasisSubscription {
		return c.orders
	}
	counts := map[string]int64{}
	for name, b := range c.mrr.books {
		counts[name] = b.people
	}
	return counts
}

// recurringARPA is that at the end of the last month.
func (c *economicsCounter) recurringARPA(currency string) *lifecycle.Money {
	b := c.mrr.books[currency]
	if b == nil || len(b.periods) == 0 {
		return nil
	}
	last := len(b.periods) - 1
	end, err := b.periods[last].End()
	if err != nil {
		return nil
	}
	if arpa, known := stats.ARPA(lifecycle.Money{Micros: end, Currency: currency}, b.paying[last]); known {
		return &arpa
	}
	return nil
}

// value fills in what follows from ARPA, churn and spend, as far as it does.
func (l *Economics) value(o *Options) error {
	if l.ARPA != nil && l.Churn.Known {
		switch naive, err := stats.SimpleValue(*l.ARPA, l.Margin, l.Churn.Value); {
		case err == nil:
			l.Naive = &naive
		case !errors.Is(err, stats.ErrAmount):
			return err
		}
		left := lifecycle.Money{Micros: int64(float64(l.ARPA.Micros) * l.Margin), Currency: l.Currency}
		switch constant, err := stats.RetentionValue(left, 1-l.Churn.Value, clv.PerStep(o.Discount, 12), stats.PaidAtStart); {
		case err == nil:
			l.Constant = &constant
		case !errors.Is(err, stats.ErrAmount):
			return err
		}
	}
	if o.Spend == 0 || l.Won == 0 {
		return nil
	}
	l.CAC = &lifecycle.Money{Micros: o.Spend / l.Won, Currency: l.Currency}
	if l.ARPA == nil {
		return nil
	}
	months, known, err := stats.CACPayback(*l.CAC, *l.ARPA, l.Margin)
	if known {
		l.Payback = &months
	}
	return err
}

func economicsTable(lines []Economics) Table {
	t := Table{"What a customer is worth, and costs", []string{"Currency", "ARPA a month", "Margin", "Churn a month", "CLV, naive", "CLV, constant retention", "Customers won", "CAC", "Payback, months"}, nil}
	money := func(m *lifecycle.Money) string {
		if m == nil {
			return "not known"
		}
		return units(m.Micros)
	}
	for _, l := range lines {
		churn, payback := "not known", "not known"
		if l.Churn.Known {
			churn = percent(l.Churn.Value)
		}
		if l.Payback != nil {
			payback = fmt.Sprintf("%.1f", *l.Payback)
		}
		t.Rows = append(t.Rows, []string{l.Currency, money(l.ARPA), percent(l.Margin), churn, money(l.Naive), money(l.Constant), number(l.Won), money(l.CAC), payback})
	}
	return t
}
