package stats

import (
	"fmt"
	"math/big"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// ARPA is the mean revenue per account: MRR / paying accounts, in the currency
// of the MRR and per month like it, rounded to micros. It is false without a
// paying account.
func ARPA(mrr lifecycle.Money, accounts int64) (lifecycle.Money, bool) {
	if accounts <= 0 {
		return lifecycle.Money{}, false
	}
	// An amount divided by a whole number always fits.
	micros, err := roundMicros(big.NewRat(mrr.Micros, accounts))
	return lifecycle.Money{Micros: micros, Currency: mrr.Currency}, err == nil
}

// CACPayback is how many months a customer takes to pay back what winning them
// cost: CAC / (ARPA × margin). CAC is the cost per customer won, ARPA per
// month, margin a share. It is false where nothing comes in. The error wraps
// ErrCurrency where the two are in different ones.
func CACPayback(cac, arpa lifecycle.Money, margin float64) (months float64, known bool, err error) {
	if cac.Currency != arpa.Currency {
		return 0, false, fmt.Errorf("stats: payback: %w: %q and %q", ErrCurrency, cac.Currency, arpa.Currency)
	}
	if cac.Micros < 0 || arpa.Micros <= 0 || !(margin > 0 && margin <= 1) {
		return 0, false, nil
	}
	return float64(cac.Micros) / (float64(arpa.Micros) * margin), true, nil
}

// SimpleValue is the naive value of a customer: ARPA × gross margin / churn,
// with ARPA and churn per the same period, undiscounted, rounded to micros. It
// supposes that everybody is as likely to leave, in every period; package clv
// does better. The error wraps ErrAmount where nobody leaves, since there is no
// end to the value then.
func SimpleValue(arpa lifecycle.Money, margin, churn float64) (lifecycle.Money, error) {
	if !(margin >= 0 && margin <= 1) || !(churn > 0 && churn <= 1) {
		return lifecycle.Money{}, fmt.Errorf("stats: value: %w: margin %g, churn %g", ErrAmount, margin, churn)
	}
	return scaled(arpa, margin/churn)
}

// When says when a period is paid for.
type When bool

// The moments there are.
const (
	PaidAtEnd   When = false // at the end of each period, by those who stayed
	PaidAtStart When = true  // the first payment is now
)

// RetentionValue is the value of a customer who stays with the same retention r
// in every period, at a discount d per period: m·r / (1+d-r) paid at the end,
// m·(1+d) / (1+d-r) paid at the start. Margin is m, money per period; the result
// is rounded to micros. The error wraps ErrAmount where the sum has no end.
// Source: Gupta and Lehmann, Journal of Interactive Marketing 17(1), 2003, 9-24.
func RetentionValue(margin lifecycle.Money, retention, discount float64, when When) (lifecycle.Money, error) {
	if !(retention >= 0 && retention <= 1) || !(discount >= 0) || !(1+discount-retention > 0) {
		return lifecycle.Money{}, fmt.Errorf("stats: value: %w: retention %g, discount %g", ErrAmount, retention, discount)
	}
	factor := retention
	if when == PaidAtStart {
		factor = 1 + discount
	}
	return scaled(margin, factor/(1+discount-retention))
}

func scaled(m lifecycle.Money, by float64) (lifecycle.Money, error) {
	micros, err := microsOf(float64(m.Micros) * by)
	if err != nil {
		return lifecycle.Money{}, fmt.Errorf("stats: value: %w", err)
	}
	return lifecycle.Money{Micros: micros, Currency: m.Currency}, nil
}
