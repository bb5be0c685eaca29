package clv

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
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
		return func(p, grad []float64) float64 { return BGNBD{p[0], p[1], p[2], p[3]}.sum(rows, grad) }
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
	return m.sum(rows, make([]float64, 4)), nil
}

// sum gives the log-likelihood of merged rows and sets its slopes. Rows are
// sorted by repeats, so that the gamma functions, which depend on nothing else
// of a row, are computed once per number of repeats.
func (m BGNBD) sum(rows []History, grad []float64) float64 {
	return inPieces(len(rows), grad, func(from, to int, grad []float64) float64 { return m.part(rows[from:to], grad) })
}

// part is sum over some of the rows.
func (m BGNBD) part(rows []History, grad []float64) float64 {
	clear(grad)
	lnAlpha, lnA := math.Log(m.Alpha), math.Log(m.A)
	var total, constant, dr, da, db, lnLeave, lnLast float64
	last, reach := int64(-1), -1.0
	for _, h := range rows {
		x, weight := float64(h.Repeats), float64(h.Customers)
		if h.Repeats != last {
			last = h.Repeats
			// B(a, b+x) / B(a, b) is the Γ(a+b)Γ(b+x) / (Γ(b)Γ(a+b+x)) of A2.
			constant = lnGamma(m.R+x) - lnGamma(m.R) + m.R*lnAlpha + lnBeta(m.A, m.B+x) - lnBeta(m.A, m.B)
			dr = mathext.Digamma(m.R+x) - mathext.Digamma(m.R) + lnAlpha
			da = mathext.Digamma(m.A+m.B) - mathext.Digamma(m.A+m.B+x)
			db = da + mathext.Digamma(m.B+x) - mathext.Digamma(m.B)
			if h.Repeats > 0 {
				lnLeave = math.Log(m.B + x - 1)
			}
		}
		if h.Last != reach { // by which rows are sorted next
			reach, lnLast = h.Last, math.Log(m.Alpha+h.Last)
		}
		lnT := math.Log(m.Alpha + h.Age)
		value := -(m.R + x) * lnT
		// alive and gone are the parts of the two cases in the likelihood.
		alive, gone := 1.0, 0.0
		if h.Repeats > 0 {
			other := lnA - lnLeave - (m.R+x)*lnLast
			value, alive, gone = addLogs(value, other)
			grad[3] -= weight * gone / (m.B + x - 1)
		}
		total += weight * (constant + value)
		grad[0] += weight * (dr - alive*lnT - gone*lnLast)
		grad[1] += weight * (m.R/m.Alpha - (m.R+x)*(alive/(m.Alpha+h.Age)+gone/(m.Alpha+h.Last)))
		grad[2] += weight * (da + gone/m.A)
		grad[3] += weight * db
	}
	return total
}

// addLogs is ln(e^a + e^b) and the part of each in the sum.
func addLogs(a, b float64) (sum, ofA, ofB float64) {
	if a < b {
		sum, ofB, ofA = addLogs(b, a)
		return sum, ofA, ofB
	}
	less := math.Exp(b - a)
	return a + math.Log1p(less), 1 / (1 + less), less / (1 + less)
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
