package clv

import (
	"context"
	"fmt"
	"math"
)

// BGNBD is the beta-geometric / negative binomial model of Fader, Hardie and
// Lee, "Counting your customers the easy way", Marketing Science 24(2), 2005,
// 275-284. While active, a customer buys at a rate λ that differs between
// customers by a gamma distribution (shape R, rate Alpha); after each purchase
// the customer leaves with a probability that differs by a beta distribution
// (A, B).
type BGNBD struct {
	R float64 `json:"r"`
	// Alpha is in the unit of time of the histories.
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// FitBGNBD finds the parameters under which the histories are most likely. Rows
// that are equal count once with their number, so the cost grows with the
// different ones. Assess first: the fit itself refuses only what has no answer,
// namely histories that contradict themselves (ErrHistory), nobody with a
// repeat, and a search without an end (ErrNotFitted). It ends early with the
// context's error.
func FitBGNBD(ctx context.Context, histories []History) (BGNBD, Fit, error) {
	rows, err := MergeHistories(histories)
	if err != nil {
		return BGNBD{}, Fit{}, err
	}
	n, repeaters, ok := countCustomers(rows)
	if !ok || repeaters == 0 {
		return BGNBD{}, Fit{}, fmt.Errorf("clv: fit BG/NBD: %w: nobody bought again", ErrNotFitted)
	}
	// The rate of purchases per time sets the scale of alpha; the rest of the
	// starts are mild and strong differences between customers.
	var bought, observed float64
	for _, h := range rows {
		bought += float64(h.Repeats) * float64(h.Customers)
		observed += h.Age * float64(h.Customers)
	}
	per := observed / bought
	starts := [][]float64{{1, per, 1, 1}, {0.25, 0.25 * per, 0.8, 2.5}, {3, 3 * per, 0.5, 8}}
	over := func(rows []History) likelihood {
		t := timesOf(rows)
		return func(p, grad []float64) float64 { return BGNBD{p[0], p[1], p[2], p[3]}.sum(rows, t, grad) }
	}
	starts = begin(ctx, rows, starts, func(h History) int64 { return h.Customers }, over)
	params, fit, err := maximise(ctx, n, starts, over(rows))
	if err != nil {
		return BGNBD{}, Fit{}, fmt.Errorf("clv: fit BG/NBD: %w", err)
	}
	return BGNBD{params[0], params[1], params[2], params[3]}, fit, nil
}

// LogLikelihood is the natural logarithm of how likely the histories are under
// the model: Σ A1 + A2 + ln(e^A3 + [x>0] e^A4), with the sum of exponentials
// formed without overflow (Fader and Hardie, note on BG/NBD overflow, 2013).
// The error wraps ErrHistory.
func (m BGNBD) LogLikelihood(histories []History) (float64, error) {
	rows, err := MergeHistories(histories)
	if err != nil {
		return 0, err
	}
	return m.sum(rows, timesOf(rows), make([]float64, 4)), nil
}

// PAlive is the probability, 0 to 1, that a customer with this history still
// buys: 1 / (1 + a/(b+x-1) · ((α+T)/(α+t_x))^(r+x)). Without a repeat it is 1
// and not known: nobody leaves before the second purchase in this model, so it
// says nothing about who bought once. Never show it as certainty. The error
// wraps ErrHistory. Source: Fader, Hardie and Lee, note on P(alive), 2008.
func (m BGNBD) PAlive(h History) (p float64, known bool, err error) {
	if err := h.check(); err != nil {
		return 0, false, fmt.Errorf("clv: P(alive): %w", err)
	}
	return 1 / (1 + m.odds(h)), h.Repeats > 0, nil
}

// odds are those of having left against being active.
func (m BGNBD) odds(h History) float64 {
	if h.Repeats == 0 {
		return 0
	}
	x := float64(h.Repeats)
	return math.Exp(math.Log(m.A) - math.Log(m.B+x-1) + (m.R+x)*(math.Log(m.Alpha+h.Age)-math.Log(m.Alpha+h.Last)))
}
