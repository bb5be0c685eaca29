package clv

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

const (
	daysPerWeek   = 7
	microsPerUnit = 1e6
)

// Purchase is one order of a customer.
type Purchase struct {
	At lifecycle.Instant
	// Micros is its amount in millionths of the currency. All purchases of a
	// call are in one currency.
	Micros int64
}

// Observed is what the models read of one customer, in weeks and units of the
// currency.
type Observed struct {
	History History
	// Mean is the mean value of the repeat purchases; zero without one.
	Mean float64
	// Gaps is how many gaps between purchases there are, and Variation the
	// standard deviation of their lengths over their mean. Purchases that come
	// when they suit the customer have about 1, monthly payments about 0.02.
	Gaps      int
	Variation float64
}

// Observe reads x, t_x, T and z from the purchases of one customer, in any
// order, until an instant that is not included any more. Purchases on one day of
// the calendar there are one, as in Fader, Hardie and Lee; times are whole days
// divided by seven. Amounts below zero are refunds and no purchases; they are
// left out. It is false for somebody without a purchase before until.
func Observe(purchases []Purchase, until lifecycle.Instant, in *time.Location) (Observed, bool) {
	return ObserveGaps(purchases, until, in, func(int64) {})
}

// ObserveGaps is Observe, and tells how many days lie between one purchase day
// and the next, for each two of them.
func ObserveGaps(purchases []Purchase, until lifecycle.Instant, in *time.Location, gapOf func(days int64)) (Observed, bool) {
	var some [16]bought // as many as most have
	days := some[:0]
	for _, p := range purchases {
		if p.At < until && p.Micros >= 0 {
			days = append(days, bought{stats.Day.Of(p.At, in), float64(p.Micros) / microsPerUnit})
		}
	}
	if len(days) == 0 {
		return Observed{}, false
	}
	days = byDay(days)
	first, last := days[0].day, days[len(days)-1].day
	o := Observed{History: History{
		Repeats:   int64(len(days) - 1),
		Last:      weeks(last - first),
		Age:       weeks(stats.Day.Of(until-1, in) - first),
		Customers: 1,
	}}
	if len(days) == 1 {
		return o, true
	}
	var total, squares float64
	o.Gaps = len(days) - 1
	for i, d := range days[1:] {
		total += d.spent
		gapOf(int64(d.day - days[i].day))
		gap := float64(d.day - days[i].day)
		squares += gap * gap
	}
	o.Mean = total / float64(o.Gaps)
	mean := float64(last-first) / float64(o.Gaps)
	o.Variation = math.Sqrt(max(0, squares/float64(o.Gaps)-mean*mean)) / mean
	return o, true
}

// bought is what was spent on a day.
type bought struct {
	day   stats.Period
	spent float64
}

// byDay sorts by day and makes those of one day one.
func byDay(all []bought) []bought {
	earlier := func(a, b bought) int { return cmp.Compare(a.day, b.day) }
	if !slices.IsSortedFunc(all, earlier) {
		slices.SortStableFunc(all, earlier)
	}
	kept := all[:1]
	for _, b := range all[1:] {
		if last := &kept[len(kept)-1]; last.day == b.day {
			last.spent += b.spent
			continue
		}
		kept = append(kept, b)
	}
	return kept
}

func weeks(days stats.Period) float64 { return float64(days) / daysPerWeek }

// Histories are those of everybody, for FitBGNBD.
func Histories(observed []Observed) []History {
	all := make([]History, len(observed))
	for i, o := range observed {
		all[i] = o.History
	}
	return all
}

// Spends are those of everybody who bought again for more than nothing, for
// FitGammaGamma.
func Spends(observed []Observed) []Spend {
	all := make([]Spend, 0, len(observed))
	for i := range observed {
		o := &observed[i]
		if o.History.Repeats > 0 && o.Mean > 0 {
			all = append(all, Spend{Purchases: o.History.Repeats, Mean: o.Mean, Customers: o.History.Customers})
		}
	}
	return all
}
