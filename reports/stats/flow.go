package stats

import (
	"fmt"
	"math"

	"github.com/stagebridge/stagebridge/reports"
)

// CustomerFlow counts customers over one period.
type CustomerFlow struct {
	Start int64 `json:"start"` // customers at the start of the period
	New   int64 `json:"new"`   // became customers for the first time in it
	Lost  int64 `json:"lost"`  // of Start, those who were none any more at its end
	// Dormant were no customers at the start and had been before; Reactivated
	// are those of them who came back in the period.
	Dormant     int64 `json:"dormant"`
	Reactivated int64 `json:"reactivated"`
}

// Churn is the loss of customers over one period.
type Churn struct {
	CustomerFlow
	// End and DormantEnd are the customers, and the former ones, at the end.
	End        int64 `json:"end"`
	DormantEnd int64 `json:"dormant_end"`
	// Churn is lost in the period / customers at its start; new ones are in
	// neither part. Retention is 1 - churn, of the same customers.
	Churn     reports.Rate `json:"churn"`
	Retention reports.Rate `json:"retention"`
	// Reactivation is came back in the period / dormant at its start.
	Reactivation reports.Rate `json:"reactivation"`
}

// NewChurn divides the counts. The error wraps ErrCounts where more were lost
// or came back than there were.
func NewChurn(f CustomerFlow) (Churn, error) {
	if f.Start < 0 || f.New < 0 || f.Lost < 0 || f.Lost > f.Start || f.Dormant < 0 || f.Reactivated < 0 || f.Reactivated > f.Dormant {
		return Churn{}, fmt.Errorf("stats: churn: %w: %+v", ErrCounts, f)
	}
	if f.Start > math.MaxInt64/4 || f.New > math.MaxInt64/4 || f.Dormant > math.MaxInt64/4 {
		return Churn{}, fmt.Errorf("stats: churn: %w: too many", ErrCounts)
	}
	return Churn{
		CustomerFlow: f,
		End:          f.Start - f.Lost + f.New + f.Reactivated,
		DormantEnd:   f.Dormant + f.Lost - f.Reactivated,
		Churn:        reports.NewRate(f.Lost, f.Start),
		Retention:    reports.NewRate(f.Start-f.Lost, f.Start),
		Reactivation: reports.NewRate(f.Reactivated, f.Dormant),
	}, nil
}

// Compound is the share lost over so many periods at the same rate in each:
// 1 - (1-rate)^periods. Three percent a month are 30.6 % a year. It is false
// for a rate that is no share.
func Compound(rate float64, periods int) (float64, bool) {
	if !(rate >= 0 && rate <= 1) || periods < 0 {
		return 0, false
	}
	if rate == 1 {
		return min(1, float64(periods)), true
	}
	return -math.Expm1(float64(periods) * math.Log1p(-rate)), true
}

// PeriodConversion is a stage's rate by period: who left it forward in the
// period / those in it at the start and those who entered it in the period. It
// is not comparable with a funnel by cohort; label it.
func PeriodConversion(forward, atStart, entered int64) reports.Rate {
	if atStart < 0 || entered < 0 || atStart > math.MaxInt64-entered {
		return reports.Rate{}
	}
	return reports.NewRate(forward, atStart+entered)
}

// WinRate is won / (won + lost) of the deals closed in a period; open ones are
// in neither part.
func WinRate(won, lost int64) reports.Rate {
	if won < 0 || lost < 0 || won > math.MaxInt64-lost {
		return reports.Rate{}
	}
	return reports.NewRate(won, won+lost)
}

// Stickiness is the mean of daily active people over the days of a month, each
// divided by the people active in the month: between 0 and 1. Daily has every
// day that is over, those without anybody too. It is false where nobody was
// active or a day had more people than the month.
func Stickiness(daily []int64, monthly int64) (float64, bool) {
	if len(daily) == 0 || monthly <= 0 {
		return 0, false
	}
	var sum float64
	for _, n := range daily {
		if n < 0 || n > monthly {
			return 0, false
		}
		sum += float64(n) / float64(monthly)
	}
	return sum / float64(len(daily)), true
}
