package clv

import (
	"fmt"
	"math"
)

// nudge moves a parameter off a value at which a formula divides zero by zero,
// far enough to compute with and too little to be seen in the answer.
const nudge = 1e-7

// Expected is the number of purchases after the first that a new customer will
// make within t: E[X(t)] = (a+b-1)/(a-1) · [1 - (α/(α+t))^r · 2F1(r, b; a+b-1;
// t/(α+t))]. A negative t is refused; ErrSeries says that t is too long.
func (m BGNBD) Expected(t float64) (float64, error) {
	return m.ExpectedOf(History{}, t)
}

// ExpectedOf is the number of purchases that a customer with this history will
// make within t from the end of its observation:
// E[Y(t)] = (a+b+x-1)/(a-1) · [1 - ((α+T)/(α+T+t))^(r+x) · 2F1(r+x, b+x;
// a+b+x-1; t/(α+T+t))] · P(alive). The error wraps ErrHistory or ErrSeries.
func (m BGNBD) ExpectedOf(h History, t float64) (float64, error) {
	if err := h.check(); err != nil {
		return 0, fmt.Errorf("clv: expected purchases: %w", err)
	}
	if !(t >= 0) || math.IsInf(t, 1) {
		return 0, fmt.Errorf("clv: expected purchases: %w: a horizon of %g", ErrHistory, t)
	}
	alive, err := m.aliveExpected(h.Repeats, h.Age, t)
	if err != nil {
		return 0, fmt.Errorf("clv: expected purchases: %w", err)
	}
	return max(0, alive/(1+m.odds(h))), nil
}

// aliveExpected is ExpectedOf for somebody who is known to be active: when the
// last purchase was says nothing more then. The error is ErrSeries.
func (m BGNBD) aliveExpected(repeats int64, age, t float64) (float64, error) {
	x := float64(repeats)
	a := m.A
	if math.Abs(a-1) < nudge {
		a = 1 + nudge
	}
	c := a + m.B + x - 1
	if math.Abs(c) < nudge {
		c = nudge
	}
	z := t / (m.Alpha + age + t)
	// Euler's transformation takes the power into the series: (1-z)^(r+x) ·
	// 2F1(r+x, b+x; c; z) = (1-z)^(a-1) · 2F1(c-r-x, a-1; c; z). The first form
	// overflows for frequent customers, this one settles the faster the more
	// they bought.
	f, err := hypergeometric(c-m.R-x, a-1, c, z)
	if err != nil {
		return 0, err
	}
	stay := (a - 1) * math.Log1p(-z)
	return c / (a - 1) * (1 - math.Exp(stay)*f), nil
}

// Probability is that of exactly n purchases after the first within t, for a
// new customer, between 0 and 1. It is zero for a negative n or t.
// P(X(t)=n) = B(a,b+n)/B(a,b) · Γ(r+n)/(Γ(r)n!) · (α/(α+t))^r (t/(α+t))^n +
// [n>0] B(a+1,b+n-1)/B(a,b) · [1 - (α/(α+t))^r Σ_{j<n} Γ(r+j)/(Γ(r)j!)
// (t/(α+t))^j]. Source: Fader, Hardie and Lee 2005, equation 8.
func (m BGNBD) Probability(n int64, t float64) float64 {
	if n < 0 || n > maxRepeats || !(t >= 0) {
		return 0
	}
	if t == 0 {
		if n == 0 {
			return 1
		}
		return 0
	}
	x := float64(n)
	// counted is the logarithm of the negative binomial's share of j purchases.
	lnStay, lnBuy := -math.Log1p(t/m.Alpha), -math.Log1p(m.Alpha/t)
	counted := func(j float64) float64 {
		return lnGamma(m.R+j) - lnGamma(m.R) - lnGamma(j+1) + m.R*lnStay + j*lnBuy
	}
	p := math.Exp(lnBeta(m.A, m.B+x) - lnBeta(m.A, m.B) + counted(x))
	if n == 0 {
		return p
	}
	return min(1, p+math.Exp(lnBeta(m.A+1, m.B+x-1)-lnBeta(m.A, m.B))*m.atLeast(n, counted))
}

// atLeast is the negative binomial's share of n purchases or more. Where that
// is little, one minus the rest would be rounding, so the tail itself is summed.
func (m BGNBD) atLeast(n int64, counted func(float64) float64) float64 {
	var below float64
	for j := range n {
		below += math.Exp(counted(float64(j)))
	}
	if below < 0.9 {
		return 1 - below
	}
	var tail float64
	for j := n; j < n+maxRepeats; j++ {
		term := math.Exp(counted(float64(j)))
		tail += term
		if term <= 1e-17*tail || (term == 0 && j > n+100) {
			return tail
		}
	}
	return tail
}
