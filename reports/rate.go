package reports

import "math"

// z95 is the two-sided 95 % point of the normal distribution, as reports
// commonly round it.
const z95 = 1.96

// Rate is a share with its 95 % confidence interval by Wilson's formula, each
// between 0 and 1. Known is false where nothing was there to take a share of;
// the other figures are then zero and mean nothing.
type Rate struct {
	Hits  int64   `json:"hits"`
	Of    int64   `json:"of"`
	Known bool    `json:"known"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// NewRate gives hits out of n. Hits outside 0 to n are no share and give an
// unknown rate.
func NewRate(hits, n int64) Rate {
	r := Rate{Hits: hits, Of: n}
	if n <= 0 || hits < 0 || hits > n {
		return r
	}
	r.Known = true
	r.Value = float64(hits) / float64(n)
	r.Low, r.High = wilson(r.Value, float64(n), z95)
	return r
}

// wilson is (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike the
// textbook interval it stays within 0 and 1 and says something for small n and
// for shares of nothing and all.
func wilson(p, n, z float64) (low, high float64) {
	middle := p + z*z/(2*n)
	reach := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	// The bound of a share of nothing or all is exact; rounding must not push
	// the other ones out of their place either.
	low, high = max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)
	return min(low, p), max(high, p)
}
