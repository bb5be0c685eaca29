package clv

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// sum gives the log-likelihood of merged rows and sets its slopes. Rows are
// sorted by repeats, so that the gamma functions, which depend on nothing else
// of a row, are computed once per number of repeats.
func (m BGNBD) sum(rows []History, t *times, grad []float64) float64 {
	at := t.under(m)
	return inPieces(len(rows), grad, func(from, to int, grad []float64) float64 {
		clear(grad)
		var total float64
		for from < to {
			end := from + runOf(rows[from:to])
			total += m.run(rows, from, end, at, grad)
			from = end
		}
		return total
	})
}

// runOf is how many of the rows, from the first, have as many repeats as it.
func runOf(rows []History) int {
	n, _ := slices.BinarySearchFunc(rows, rows[0].Repeats+1, func(h History, x int64) int { return int(h.Repeats - x) })
	return n
}

// run adds rows with the same number of repeats: what that number decides is
// computed once.
func (m BGNBD) run(rows []History, from, to int, at *timesUnder, grad []float64) float64 {
	x := float64(rows[from].Repeats)
	// B(a, b+x) / B(a, b) is the Γ(a+b)Γ(b+x) / (Γ(b)Γ(a+b+x)) of A2.
	constant := lnGamma(m.R+x) - lnGamma(m.R) + m.R*math.Log(m.Alpha) + lnBeta(m.A, m.B+x) - lnBeta(m.A, m.B)
	da := mathext.Digamma(m.A+m.B) - mathext.Digamma(m.A+m.B+x)
	var s sums
	switch {
	case rows[from].Repeats == 0:
		s = m.never(rows[from:to])
	case at != nil && to-from > 2*len(at.ln):
		s = m.tabled(rows, from, to, at)
	default:
		s = m.plain(rows[from:to])
	}
	grad[0] += s.weight*(mathext.Digamma(m.R+x)-mathext.Digamma(m.R)+math.Log(m.Alpha)) - s.logs
	grad[1] += s.weight*m.R/m.Alpha - (m.R+x)*s.inverses
	grad[2] += s.weight*da + s.gone/m.A
	grad[3] += s.weight * (da + mathext.Digamma(m.B+x) - mathext.Digamma(m.B))
	if rows[from].Repeats > 0 {
		grad[3] -= s.gone / (m.B + x - 1)
	}
	return s.weight*constant + s.value
}

// sums are what of a run depends on more than the number of repeats. Each row
// counts as often as it has customers.
type sums struct {
	weight float64
	// value is Σ ln(e^A3 + e^A4), gone Σ of the part that somebody who left has
	// in it, logs Σ of the mean of ln(α+T) and ln(α+t_x) and inverses that of
	// 1/(α+T) and 1/(α+t_x), both by these parts.
	value, gone, logs, inverses float64
}

// never is for rows without a repeat, of whom nobody left.
func (m BGNBD) never(rows []History) (s sums) {
	for _, h := range rows {
		weight, lnT := float64(h.Customers), math.Log(m.Alpha+h.Age)
		s.weight += weight
		s.value -= weight * m.R * lnT
		s.logs += weight * lnT
		s.inverses += weight / (m.Alpha + h.Age)
	}
	return s
}

// plain computes each row by itself.
func (m BGNBD) plain(rows []History) (s sums) {
	x := float64(rows[0].Repeats)
	lnA, lnLeave := math.Log(m.A), math.Log(m.B+x-1)
	for _, h := range rows {
		weight, lnT, lnLast := float64(h.Customers), math.Log(m.Alpha+h.Age), math.Log(m.Alpha+h.Last)
		value, alive, gone := addLogs(-(m.R+x)*lnT, lnA-lnLeave-(m.R+x)*lnLast)
		s.weight += weight
		s.value += weight * value
		s.gone += weight * gone
		s.logs += weight * (alive*lnT + gone*lnLast)
		s.inverses += weight * (alive/(m.Alpha+h.Age) + gone/(m.Alpha+h.Last))
	}
	return s
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
