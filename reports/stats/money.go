package stats

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Errors of amounts.
var (
	// ErrAmount says that an amount cannot be, or is beyond what can be kept.
	ErrAmount = errors.New("an amount that cannot be")
	// ErrCurrency says that amounts of several currencies would have been added.
	ErrCurrency = errors.New("amounts of different currencies")
	// ErrNoRate says that the table has no rate for a currency.
	ErrNoRate = errors.New("no rate of exchange")
)

// addMicros adds without passing the ends of int64 in silence.
func addMicros(a, b int64) (int64, error) {
	if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {
		return 0, fmt.Errorf("%w: more than fits", ErrAmount)
	}
	return a + b, nil
}

// roundMicros rounds to whole micros, halves away from zero.
func roundMicros(r *big.Rat) (int64, error) {
	twice := new(big.Int).Lsh(new(big.Int).Abs(r.Num()), 1)
	twice.Add(twice, r.Denom())
	whole := twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1))
	if r.Sign() < 0 {
		whole.Neg(whole)
	}
	if !whole.IsInt64() {
		return 0, fmt.Errorf("%w: more than fits", ErrAmount)
	}
	return whole.Int64(), nil
}

// microsOf rounds an amount that was computed in floating point.
func microsOf(v float64) (int64, error) {
	v = math.Round(v)
	// The largest float below 2^63; beyond it the conversion has no meaning.
	if math.IsNaN(v) || math.Abs(v) >= math.MaxInt64 {
		return 0, fmt.Errorf("%w: %g micros", ErrAmount, v)
	}
	return int64(v), nil
}

// Rates is a table of exchange. Without one, amounts of different currencies
// stay apart.
type Rates struct {
	// To is the currency that amounts are turned into.
	To string
	// Per has for a currency how many units of To one unit of it is; To itself
	// needs no entry.
	Per map[string]*big.Rat
}

// Convert turns an amount into the currency of the table, rounded to micros,
// halves away from zero. The error wraps ErrNoRate or ErrAmount.
func (r Rates) Convert(m lifecycle.Money) (lifecycle.Money, error) {
	if m.Currency == r.To {
		return m, nil
	}
	rate, ok := r.Per[m.Currency]
	if !ok || rate == nil || rate.Sign() <= 0 {
		return lifecycle.Money{}, fmt.Errorf("stats: convert: %w from %q to %q", ErrNoRate, m.Currency, r.To)
	}
	micros, err := roundMicros(new(big.Rat).Mul(new(big.Rat).SetInt64(m.Micros), rate))
	if err != nil {
		return lifecycle.Money{}, fmt.Errorf("stats: convert: %w", err)
	}
	return lifecycle.Money{Micros: micros, Currency: r.To}, nil
}
