package clv

import (
	"errors"
	"math"
)

// ErrSeries says that a sum of the hypergeometric series did not settle, which
// happens for horizons very many times longer than what was observed.
var ErrSeries = errors.New("the hypergeometric series does not settle")

// maxTerms bounds the series. A horizon of a hundred times the observation
// needs a few thousand; this is good for some five thousand times.
const maxTerms = 200_000

// hypergeometric is Gauss's 2F1(a, b; c; z) = Σ (a)_n (b)_n / (c)_n · z^n / n!
// for 0 <= z < 1 and a c that is neither zero nor a negative whole number.
func hypergeometric(a, b, c, z float64) (float64, error) {
	if !(z >= 0 && z < 1) || (c <= 0 && c == math.Trunc(c)) {
		return 0, ErrSeries
	}
	term, sum := 1.0, 1.0
	for n := range maxTerms {
		i := float64(n)
		ratio := (a + i) * (b + i) / ((c + i) * (i + 1)) * z
		term *= ratio
		sum += term
		if math.IsInf(sum, 0) || math.IsNaN(sum) {
			return 0, ErrSeries
		}
		// What is left is at most this term's geometric series once the
		// quotients fall short of one, which they stay.
		if left := 1 - math.Max(math.Abs(ratio), z); left > 0 && math.Abs(term) <= 1e-16*math.Abs(sum)*left && c+i > 0 {
			return sum, nil
		}
	}
	return 0, ErrSeries
}
