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
// a value of nothing). The errors are those of ExpectedOf and Mean. A Forecast
// does the same for many customers.
func NewValue(purchases BGNBD, spend GammaGamma, h History, mean float64, over Horizon) (Value, error) {
	over, err := over.checked()
	if err != nil {
		return Value{}, err
	}
	if err := h.check(); err != nil {
		return Value{}, fmt.Errorf("clv: value: %w", err)
	}
	a := purchases.ahead(h.Repeats, h.Age, over)
	if a.err != nil {
		return Value{}, a.err
	}
	return a.of(purchases, h).worth(spend, h, mean, over.Margin)
}

// checked sets what was left out. The error wraps ErrHistory.
func (o Horizon) checked() (Horizon, error) {
	if o.Length == 0 {
		o.Length = 1
	}
	if o.Margin == 0 {
		o.Margin = 1
	}
	if o.Steps < 0 || o.Steps > maxPeriods || !(o.Length > 0) || math.IsInf(o.Length, 1) || !(o.Discount > -1) {
		return o, fmt.Errorf("clv: value: %w: a horizon of %+v", ErrHistory, o)
	}
	return o, nil
}

// ahead is what somebody who is known to be active is expected to buy within a
// horizon: the number, and the same with each worth what it is today.
type ahead struct {
	purchases, discounted float64
	err                   error // ErrSeries
}

func (m BGNBD) ahead(repeats int64, age float64, over Horizon) (a ahead) {
	steps, length := over.Steps, over.Length
	if over.Discount == 0 && steps > 0 { // the steps between cancel out
		steps, length = 1, length*float64(steps)
	}
	factor := 1.0
	for k := range steps {
		now, err := m.aliveExpected(repeats, age, float64(k+1)*length)
		if err != nil {
			return ahead{err: fmt.Errorf("clv: value: %w", err)}
		}
		factor /= 1 + over.Discount
		// Rounding must not make a later horizon hold less.
		more := max(0, now-a.purchases)
		a.purchases += more
		a.discounted += more * factor
	}
	return a
}

// of is what is expected of a customer with such a history, who may have left.
func (a ahead) of(m BGNBD, h History) Outlook {
	alive := 1 / (1 + m.odds(h))
	return Outlook{Purchases: a.purchases * alive, Discounted: a.discounted * alive, PAlive: alive}
}

// worth says what the purchases are worth.
func (o Outlook) worth(spend GammaGamma, h History, mean, margin float64) (Value, error) {
	v := Value{Purchases: o.Purchases, Discounted: o.Discounted}
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
