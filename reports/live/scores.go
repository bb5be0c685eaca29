package live

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
)

// Score is what the reports clv and rfm say of one customer, rounded so that it
// does not change with every day that passes.
type Score struct {
	Person lifecycle.ProfileID
	// Value is the expected value of purchases within the horizon in units of
	// Scores.Currency, with three digits that count; unknown where no model fits.
	Value stats.Share
	// PAlive is the probability that the customer still buys, with two decimals.
	// It is unknown without a repeat purchase.
	PAlive stats.Share
	// RFM is three digits, 1 to 5 each: recency, frequency, monetary value.
	RFM string
}

// Scores are those of everybody who ever bought in the currency, by id.
type Scores struct {
	Currency string
	Weeks    int // the horizon of Score.Value
	People   []Score
	// Notes say why something is unknown.
	Notes []string
}

// NewScores computes the scores of everybody, with the options of the report clv.
// The error is ErrNotBuilt where people have to be summed up first.
func NewScores(ctx context.Context, s *store.Store, o Options) (*Scores, error) {
	o.fill()
	c := &clvCounter{ledger: newLedger(&o)}
	r := &Report{Name: "scores"}
	_, err := summary.Each(ctx, s, o.PlanOf, o.Now, c.want(), func(p *summary.Person) error { return o.one(c, r, p) })
	if err != nil {
		return nil, fmt.Errorf("live: scores: %w", err)
	}
	return c.scores(ctx, r)
}

// scores turns what was gathered into a score for everybody.
func (c *clvCounter) scores(ctx context.Context, r *Report) (*Scores, error) {
	if err := c.value(ctx, r); err != nil {
		return nil, fmt.Errorf("live: scores: %w", err)
	}
	worth := r.Data.(*CLV)
	out := &Scores{Currency: worth.Currency, Weeks: c.o.Horizon, Notes: r.Notes}
	scales, customers, err := c.fifths(worth.Currency)
	if err != nil {
		return nil, fmt.Errorf("live: scores: %w", err)
	}
	at := make(map[lifecycle.ProfileID]int, len(customers))
	for i, x := range customers {
		at[x.id] = i
		out.People = append(out.People, Score{Person: x.id, RFM: scales.Score(x.days, x.purchases, x.micros).String()})
	}
	for i := range worth.Customers {
		customer := &worth.Customers[i]
		one := &out.People[at[customer.Person]]
		if customer.Value != nil && !math.IsNaN(customer.Value.Total) && !math.IsInf(customer.Value.Total, 0) {
			one.Value = stats.Share{Known: true, Value: rounded(customer.Value.Total)}
		}
		if customer.PAlive != nil {
			one.PAlive = stats.Share{Known: true, Value: math.Round(100**customer.PAlive) / 100}
		}
	}
	return out, nil
}

// rounded keeps three digits that count.
func rounded(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return short
}

// customer sums up what somebody bought in one currency.
type customer struct {
	id                      lifecycle.ProfileID
	days, purchases, micros int64
}

// fifths gives the scales of recency, frequency and monetary value, and what
// each customer of a currency has on them, by id.
func (l *ledger) fifths(currency string) (scales stats.RFMScales, all []customer, err error) {
	var recency, frequency, monetary []int64
	today := stats.Day.Of(l.o.end()-1, l.o.Zone)
	l.in(currency).each(func(id lifecycle.ProfileID, p []clv.Purchase) {
		one := customer{id, int64(today - stats.Day.Of(p[len(p)-1].At, l.o.Zone)), int64(len(p)), total(p)}
		all = append(all, one)
		recency, frequency, monetary = append(recency, one.days), append(frequency, one.purchases), append(monetary, one.micros)
	})
	if scales.Recency, err = stats.NewScale(stats.CountValues(recency), true); err != nil {
		return scales, nil, err
	}
	if scales.Frequency, err = stats.NewScale(stats.CountValues(frequency), false); err != nil {
		return scales, nil, err
	}
	scales.Monetary, err = stats.NewScale(stats.CountValues(monetary), false)
	return scales, all, err
}
