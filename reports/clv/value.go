package clv

import (
	"fmt"
	"math"
)

// Horizon says how far ahead value is counted and what later money is worth.
type Horizon struct {
	// Steps is how many steps ahead, Length how long one is in the unit of the
	// histories; zero length stands for one.
	Steps  int
	Length float64
	// Discount is the interest per step, for example PerStep(0.15, 52).
	Discount float64
	// Margin is the share of an amount that is kept; zero stands for all.
	Margin float64
}

// PerStep turns a yearly interest into that of one of so many steps a year:
// (1+d)^(1/steps) - 1.
func PerStep(yearly float64, stepsPerYear int) float64 {
	return math.Expm1(math.Log1p(yearly) / float64(stepsPerYear))
}

// Value is a customer's residual value.
type Value struct {
	// Purchases is the expected number within the horizon, Discounted the same
	// with each worth what it is today.
	Purchases  float64 `json:"purchases"`
	Discounted float64 `json:"discounted"`
	// Each is the expected value of one, and Total that of all, discounted and
	// times margin, in the units of the fitted spends.
	Each  float64 `json:"each"`
	Total float64 `json:"total"`
}

// NewValue is CLV = Σ_k E[M]·margin·(E[Y(t_k)] - E[Y(t_(k-1))]) / (1+d)^k for
// one customer: history h, and mean the mean value of its repeat purchases
// (not read without a repeat; a customer whose repeats were worth nothing gets
// a value of nothing). The errors are those of ExpectedOf and Mean.
func NewValue(purchases BGNBD, spend GammaGamma, h History, mean float64, over Horizon) (Value, error) {
	if over.Length == 0 {
		over.Length = 1
	}
	if over.Margin == 0 {
		over.Margin = 1
	}
	if over.Steps < 0 || over.Steps > maxPeriods || !(over.Length > 0) || !(over.Discount > -1) {
		return Value{}, fmt.Errorf("clv: value: %w: a horizon of %+v", ErrHistory, over)
	}
	var v Value
	factor := 1.0
	for k := range over.Steps {
		now, err := purchases.ExpectedOf(h, float64(k+1)*over.Length)
		if err != nil {
			return Value{}, err
		}
		factor /= 1 + over.Discount
		// Rounding must not make a later horizon hold less.
		more := max(0, now-v.Purchases)
		v.Purchases += more
		v.Discounted += more * factor
	}
	return v.worth(spend, h, mean, over.Margin)
}

// ValueOf is NewValue for one step without discount and margin, where the
// expected purchases are known already.
func ValueOf(expected float64, spend GammaGamma, h History, mean float64) (Value, error) {
	v := Value{Purchases: max(0, expected), Discounted: max(0, expected)}
	return v.worth(spend, h, mean, 1)
}

// worth says what the purchases are worth.
func (v Value) worth(spend GammaGamma, h History, mean, margin float64) (Value, error) {
	if h.Repeats > 0 && mean == 0 {
		return v, nil
	}
	each, err := spend.Mean(h.Repeats, mean)
	if err != nil {
		return Value{}, err
	}
	v.Each = each
	v.Total = each * margin * v.Discounted
	return v, nil
}
