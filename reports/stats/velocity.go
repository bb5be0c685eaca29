package stats

import (
	"fmt"
	"math/big"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
)

// Pipeline counts the deals behind a velocity, in one currency.
type Pipeline struct {
	// Opportunities are the deals being worked on.
	Opportunities int64
	// Won and Lost are the deals closed in the period.
	Won, Lost int64
	// Value is the sum of those won.
	Value lifecycle.Money
	// Cycle is how long a won deal took; the report says whether that is the
	// mean or the median, and from where on.
	Cycle time.Duration
}

// Velocity is what a pipeline brings in per day.
type Velocity struct {
	WinRate     reports.Rate    `json:"win_rate"`
	AverageDeal lifecycle.Money `json:"average_deal"`
	PerDay      lifecycle.Money `json:"per_day"`
	Formula     string          `json:"formula"`
}

// NewVelocity is opportunities × win rate × average deal value / cycle in days,
// as money per day, rounded to micros once at the end. It is false where no
// deal was won or the cycle has no length, since nothing can then be said. The
// error wraps ErrCounts or ErrAmount.
func NewVelocity(p Pipeline) (Velocity, bool, error) {
	if p.Opportunities < 0 || p.Won < 0 || p.Lost < 0 || p.Cycle < 0 {
		return Velocity{}, false, fmt.Errorf("stats: velocity: %w: %+v", ErrCounts, p)
	}
	rate := WinRate(p.Won, p.Lost)
	if p.Won == 0 || p.Cycle == 0 || !rate.Known {
		return Velocity{WinRate: rate, Formula: VelocityFormula}, false, nil
	}
	value := new(big.Rat).SetInt64(p.Value.Micros)
	average, err := roundMicros(new(big.Rat).Quo(value, new(big.Rat).SetInt64(p.Won)))
	if err != nil {
		return Velocity{}, false, fmt.Errorf("stats: velocity: %w", err)
	}
	// The number of deals won is above and below the line and drops out.
	perDay := new(big.Rat).Mul(value, big.NewRat(p.Opportunities, rate.Of))
	perDay.Mul(perDay, big.NewRat(int64(24*time.Hour), int64(p.Cycle)))
	micros, err := roundMicros(perDay)
	if err != nil {
		return Velocity{}, false, fmt.Errorf("stats: velocity: %w", err)
	}
	return Velocity{
		WinRate:     rate,
		AverageDeal: lifecycle.Money{Micros: average, Currency: p.Value.Currency},
		PerDay:      lifecycle.Money{Micros: micros, Currency: p.Value.Currency},
		Formula:     VelocityFormula,
	}, true, nil
}
