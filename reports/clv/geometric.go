package clv

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// ShiftedBetaGeometric is the model of how long subscriptions last, for
// customers who are known to be gone when they are: Fader and Hardie, "How to
// project customer retention", Journal of Interactive Marketing 21(1), 2007,
// 76-90. At the end of every period a customer leaves with a probability of
// their own, which differs between customers by a beta distribution.
type ShiftedBetaGeometric struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// Lifetime counts subscriptions of one age. Rows may come in any order and
// repeat; cohorts of different ages are simply added.
type Lifetime struct {
	// Period is the billing period, from 1, at whose end they left, or the
	// last one that they have completed if they are still there.
	Period int
	Lost   int64 // left at the end of Period
	Active int64 // still there after Period
}

// ErrLifetimes says that counts of subscriptions cannot be fitted.
var ErrLifetimes = errors.New("no possible lifetimes")

// maxPeriods bounds sums over periods: a thousand years of months.
const maxPeriods = 12_000

// Survivors turns the line of one cohort, its size and how many are left after
// each period, into lifetimes. The error wraps ErrLifetimes where the line
// rises or falls below zero.
func Survivors(line []int64) ([]Lifetime, error) {
	if len(line) < 2 {
		return nil, fmt.Errorf("clv: survivors: %w: not one whole period", ErrLifetimes)
	}
	all := make([]Lifetime, len(line)-1)
	for i := range all {
		lost := line[i] - line[i+1]
		if lost < 0 || line[i+1] < 0 {
			return nil, fmt.Errorf("clv: survivors: %w: %d after %d", ErrLifetimes, line[i+1], line[i])
		}
		all[i] = Lifetime{Period: i + 1, Lost: lost}
	}
	all[len(all)-1].Active = line[len(line)-1]
	return all, nil
}

// FitGeometric finds the parameters under which the lifetimes are most likely.
// The error wraps ErrLifetimes, ErrNotFitted (nobody left, or everybody in the
// first period, so that nothing can be told about differences) or the
// context's error.
func FitGeometric(ctx context.Context, lifetimes []Lifetime) (ShiftedBetaGeometric, Fit, error) {
	var n, lost, renewed float64
	for _, l := range lifetimes {
		if l.Period < 1 || l.Period > maxPeriods || l.Lost < 0 || l.Active < 0 {
			return ShiftedBetaGeometric{}, Fit{}, fmt.Errorf("clv: fit shifted-beta-geometric: %w: %+v", ErrLifetimes, l)
		}
		here := float64(l.Lost) + float64(l.Active)
		n += here
		lost += float64(l.Lost)
		renewed += here * float64(l.Period)
	}
	renewed -= lost
	if n >= math.MaxInt64/2 {
		return ShiftedBetaGeometric{}, Fit{}, fmt.Errorf("clv: fit shifted-beta-geometric: %w: more than can be counted", ErrLifetimes)
	}
	if lost == 0 || renewed == 0 {
		return ShiftedBetaGeometric{}, Fit{}, fmt.Errorf("clv: fit shifted-beta-geometric: %w: nobody left or nobody stayed", ErrNotFitted)
	}
	churn := lost / (lost + renewed)
	starts := [][]float64{{1, 1}, {5 * churn, 5 * (1 - churn)}, {0.5 * churn, 0.5 * (1 - churn)}}
	params, fit, err := maximise(ctx, int64(n), starts, func(p, grad []float64) float64 {
		return ShiftedBetaGeometric{p[0], p[1]}.sum(lifetimes, grad)
	})
	if err != nil {
		return ShiftedBetaGeometric{}, Fit{}, fmt.Errorf("clv: fit shifted-beta-geometric: %w", err)
	}
	return ShiftedBetaGeometric{params[0], params[1]}, fit, nil
}

// sum gives Σ lost · ln P(T=t) + active · ln S(t) with its slopes, where
// P(T=t) = B(α+1, β+t-1)/B(α, β) and S(t) = B(α, β+t)/B(α, β).
func (m ShiftedBetaGeometric) sum(lifetimes []Lifetime, grad []float64) float64 {
	clear(grad)
	whole, psiWhole := lnBeta(m.Alpha, m.Beta), mathext.Digamma(m.Alpha+m.Beta)
	psiA, psiB := mathext.Digamma(m.Alpha), mathext.Digamma(m.Beta)
	var total float64
	for _, l := range lifetimes {
		t, lost, active := float64(l.Period), float64(l.Lost), float64(l.Active)
		psiEnd := mathext.Digamma(m.Alpha + m.Beta + t)
		total += lost*(lnBeta(m.Alpha+1, m.Beta+t-1)-whole) + active*(lnBeta(m.Alpha, m.Beta+t)-whole)
		grad[0] += lost*(mathext.Digamma(m.Alpha+1)-psiA) + (lost+active)*(psiWhole-psiEnd)
		grad[1] += lost*(mathext.Digamma(m.Beta+t-1)-psiB) + active*(mathext.Digamma(m.Beta+t)-psiB) + (lost+active)*(psiWhole-psiEnd)
	}
	return total
}

// LeavesAfter is P(T=t), the share of a cohort, 0 to 1, that leaves at the end
// of period t, from 1: P(1) = α/(α+β), P(t) = P(t-1)·(β+t-2)/(α+β+t-1). It is
// zero for t below 1.
func (m ShiftedBetaGeometric) LeavesAfter(t int) float64 {
	if t < 1 {
		return 0
	}
	return math.Exp(lnBeta(m.Alpha+1, m.Beta+float64(t)-1) - lnBeta(m.Alpha, m.Beta))
}

// Survival is S(t), the share of a cohort, 0 to 1, that is left after t
// periods: S(t) = S(t-1) - P(T=t) = B(α, β+t)/B(α, β), and 1 for t below 1.
func (m ShiftedBetaGeometric) Survival(t int) float64 {
	if t < 1 {
		return 1
	}
	return math.Exp(lnBeta(m.Alpha, m.Beta+float64(t)) - lnBeta(m.Alpha, m.Beta))
}

// Retention is r_t, the share, 0 to 1, of those who reached period t, from 1,
// who renew at its end: (β+t-1)/(α+β+t-1). It rises with t, since those likely
// to leave have left; an average of it understates loyal customers.
func (m ShiftedBetaGeometric) Retention(t int) float64 {
	t = max(t, 1)
	return (m.Beta + float64(t) - 1) / (m.Alpha + m.Beta + float64(t) - 1)
}

// Value is what a subscription that has just completed `done` periods and
// renewed (0: a new one) pays over the next periods, the first payment now:
// Σ_{k=0}^{n-1} margin · S(done+k)/S(done) / (1+d)^k. Margin is money per
// period, discount is per period. Periods beyond 12,000 are refused.
func (m ShiftedBetaGeometric) Value(margin, discount float64, done, periods int) (float64, error) {
	if done < 0 || periods < 0 || done > maxPeriods || periods > maxPeriods || !(discount > -1) {
		return 0, fmt.Errorf("clv: value of a subscription: %w: %d periods after %d at a discount of %g", ErrLifetimes, periods, done, discount)
	}
	var sum float64
	left, factor := 1.0, 1.0
	for k := range periods {
		sum += margin * left * factor
		left *= m.Retention(done + k + 1)
		factor /= 1 + discount
	}
	return sum, nil
}
