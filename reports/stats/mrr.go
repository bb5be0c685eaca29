package stats

import (
	"fmt"
	"math/big"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Movement says how the monthly revenue of one customer changed over a period.
type Movement string

// The movements there are. A customer has one in a period, by the amounts at
// its start and end, whatever happened in between.
const (
	Unchanged    Movement = "unchanged"
	NewRevenue   Movement = "new"          // nothing before, for the first time
	Expansion    Movement = "expansion"    // more
	Contraction  Movement = "contraction"  // less
	Churned      Movement = "churn"        // nothing any more
	Reactivation Movement = "reactivation" // nothing at the start, but something earlier
)

// Classify compares a customer's monthly revenue at the start and at the end of
// a period, both in micros of one currency and not below zero. Paid says that
// the customer paid in an earlier period.
func Classify(start, end int64, paid bool) Movement {
	switch {
	case start == end:
		return Unchanged
	case end == 0:
		return Churned
	case start == 0 && paid:
		return Reactivation
	case start == 0:
		return NewRevenue
	case end > start:
		return Expansion
	}
	return Contraction
}

// Revenue is monthly recurring revenue over one period, in micros of one
// currency. Fields other than Currency add up from parts. A customer who
// changes the currency churns in one and is new in the other.
type Revenue struct {
	Currency     string `json:"currency"`
	Start        int64  `json:"start"`
	New          int64  `json:"new"`
	Expansion    int64  `json:"expansion"`
	Contraction  int64  `json:"contraction"` // a loss, counted positive
	Churn        int64  `json:"churn"`       // a loss, counted positive
	Reactivation int64  `json:"reactivation"`
}

// Add counts one customer: monthly revenue in micros at the start and at the
// end of the period, and whether they had paid in an earlier one. The error
// wraps ErrAmount, and nothing was added.
func (r *Revenue) Add(start, end int64, paid bool) error {
	if start < 0 || end < 0 {
		return fmt.Errorf("stats: revenue: %w: from %d to %d", ErrAmount, start, end)
	}
	one := Revenue{Currency: r.Currency, Start: start}
	switch Classify(start, end, paid) {
	case NewRevenue:
		one.New = end
	case Reactivation:
		one.Reactivation = end
	case Expansion:
		one.Expansion = end - start
	case Contraction:
		one.Contraction = start - end
	case Churned:
		one.Churn = start
	}
	return r.Merge(one)
}

// Merge adds the revenue of other customers in the same period. The error wraps
// ErrCurrency, or ErrAmount for a negative part; nothing was added then.
func (r *Revenue) Merge(o Revenue) error {
	if r.Currency != o.Currency {
		return fmt.Errorf("stats: revenue: %w: %q and %q", ErrCurrency, r.Currency, o.Currency)
	}
	sum := *r
	for _, f := range []struct {
		to *int64
		by int64
	}{
		{&sum.Start, o.Start}, {&sum.New, o.New}, {&sum.Expansion, o.Expansion},
		{&sum.Contraction, o.Contraction}, {&sum.Churn, o.Churn}, {&sum.Reactivation, o.Reactivation},
	} {
		if f.by < 0 {
			return fmt.Errorf("stats: revenue: %w: %d micros", ErrAmount, f.by)
		}
		var err error
		if *f.to, err = addMicros(*f.to, f.by); err != nil {
			return fmt.Errorf("stats: revenue: %w", err)
		}
	}
	*r = sum
	return nil
}

// End is start + new + expansion + reactivation - contraction - churn, in
// micros. The error wraps ErrAmount.
func (r Revenue) End() (int64, error) {
	end := r.Start
	for _, by := range []int64{-r.Churn, -r.Contraction, r.New, r.Expansion, r.Reactivation} {
		var err error
		if end, err = addMicros(end, by); err != nil {
			return 0, fmt.Errorf("stats: revenue: %w", err)
		}
	}
	return end, nil
}

// QuickRatio says how much revenue was gained for each unit lost.
type QuickRatio struct {
	// Known is false where nothing was lost: there is no ratio then, and
	// NoLosses says why.
	Known    bool    `json:"known"`
	NoLosses bool    `json:"no_losses"`
	Value    float64 `json:"value"`
}

// Quick is (new + expansion) / (churn + contraction), with reactivation added
// to the gains where asked for. Above 4 is commonly called strong.
func (r Revenue) Quick(reactivation bool) QuickRatio {
	gains := sum(r.New, r.Expansion)
	if reactivation {
		gains.Add(gains, big.NewInt(r.Reactivation))
	}
	losses := sum(r.Churn, r.Contraction)
	if losses.Sign() <= 0 {
		return QuickRatio{NoLosses: true}
	}
	v, _ := new(big.Rat).SetFrac(gains, losses).Float64()
	return QuickRatio{Known: true, Value: v}
}

// NetRetention is NRR: (start + expansion - contraction - churn) / start, of
// those who paid at the start; new and reactivated revenue is not in it. One is
// 100 %, and more is possible. It is false where nothing was paid at the start.
func (r Revenue) NetRetention() (float64, bool) {
	return share(sum(r.Start, r.Expansion, -r.Contraction, -r.Churn), r.Start)
}

// GrossRetention is GRR: (start - contraction - churn) / start. Since no
// customer can lose more than they paid, or make up for another's loss, it is
// at most 1. It is false where nothing was paid at the start.
func (r Revenue) GrossRetention() (float64, bool) {
	return share(sum(r.Start, -r.Contraction, -r.Churn), r.Start)
}

func sum(all ...int64) *big.Int {
	total := new(big.Int)
	for _, v := range all {
		total.Add(total, big.NewInt(v))
	}
	return total
}

func share(of *big.Int, whole int64) (float64, bool) {
	if whole <= 0 {
		return 0, false
	}
	v, _ := new(big.Rat).SetFrac(of, big.NewInt(whole)).Float64()
	return v, true
}

// Interval is how often a plan is billed.
type Interval string

// The intervals there are.
const (
	EveryDay   Interval = "day"
	EveryWeek  Interval = "week"
	EveryMonth Interval = "month"
	EveryYear  Interval = "year"
)

// Monthly spreads the price of a plan that is billed every so many intervals
// over months: a yearly price / 12, and days and weeks by the 365/12 days that
// a month has in the mean. It is rounded to micros, halves away from zero. Give
// it recurring prices only, without one-off fees and tax. The error wraps
// ErrAmount.
func Monthly(price lifecycle.Money, every int64, interval Interval) (lifecycle.Money, error) {
	months := map[Interval]*big.Rat{
		EveryDay: big.NewRat(12, 365), EveryWeek: big.NewRat(84, 365), EveryMonth: big.NewRat(1, 1), EveryYear: big.NewRat(12, 1),
	}[interval]
	if months == nil || every <= 0 {
		return lifecycle.Money{}, fmt.Errorf("stats: monthly: %w: billed every %d %q", ErrAmount, every, interval)
	}
	months.Mul(months, new(big.Rat).SetInt64(every))
	micros, err := roundMicros(new(big.Rat).Quo(new(big.Rat).SetInt64(price.Micros), months))
	if err != nil {
		return lifecycle.Money{}, fmt.Errorf("stats: monthly: %w", err)
	}
	return lifecycle.Money{Micros: micros, Currency: price.Currency}, nil
}
