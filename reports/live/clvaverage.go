package live

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// averagesShown is how many cohorts the table of averages has; the data have all.
const averagesShown = 24

// AverageReport is what is told of customers where no model may be fitted.
type AverageReport struct {
	All Averaged `json:"all"`
	// Cohorts are by the period of the first purchase, in order.
	Cohorts []Averaged `json:"cohorts"`
}

// Averaged are the averages of some customers.
type Averaged struct {
	// Cohort is the period of their first purchase; empty for everybody.
	Cohort    string `json:"cohort,omitempty"`
	Customers int64  `json:"customers"`
	Repeaters int64  `json:"repeaters"`
	// PerWeek is repeat purchases per customer and week; unknown where nobody
	// was observed for any time. Each is the mean value of one; unknown without
	// any.
	PerWeek stats.Share `json:"per_week"`
	Each    stats.Share `json:"each"`
	// Purchases and Value are what one of them is expected to buy within the
	// horizon, Value with discount and margin; unknown where their parts are.
	Purchases stats.Share `json:"purchases"`
	Value     stats.Share `json:"value"`
}

// average shows averages instead of a model: of everybody, and by the period of
// the first purchase, since customers of one period are known for as long.
func (d *CLV) average(r *Report, o *Options, observed []clv.Observed) {
	byPeriod := map[stats.Period][]clv.Observed{}
	today := stats.Day.Of(o.end()-1, o.Zone)
	for i := range observed {
		bought := today - stats.Period(math.Round(7*observed[i].History.Age))
		in := o.Unit.Of(stats.Day.Start(bought, o.Zone), o.Zone)
		byPeriod[in] = append(byPeriod[in], observed[i])
	}
	a := AverageReport{All: d.averaged("", observed), Cohorts: []Averaged{}}
	for _, in := range sortedPeriods(byPeriod) {
		a.Cohorts = append(a.Cohorts, d.averaged(o.Unit.Label(in), byPeriod[in]))
	}
	d.Averages = &a
	t := Table{"Averages instead of a model, by the " + string(o.Unit) + " of the first purchase", []string{"First purchase", "Customers", "Bought again",
		"Repeat purchases per customer and week", "Value of one", fmt.Sprintf("Purchases in %d weeks", d.Weeks), fmt.Sprintf("Value in %d weeks", d.Weeks)}, nil}
	for _, one := range a.Cohorts[max(0, len(a.Cohorts)-averagesShown):] {
		t.Rows = append(t.Rows, one.row(one.Cohort, d.Currency))
	}
	t.Rows = append(t.Rows, a.All.row("all", d.Currency))
	r.Tables = append(r.Tables, t)
	if left := len(a.Cohorts) - averagesShown; left > 0 {
		r.note("the table leaves out the %d oldest cohorts; the data have all", left)
	}
	r.note("averages forget that customers leave: for a long horizon they are too high")
}

func sortedPeriods[V any](m map[stats.Period]V) []stats.Period {
	all := make([]stats.Period, 0, len(m))
	for p := range m {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

func (d *CLV) averaged(cohort string, observed []clv.Observed) Averaged {
	one := Averaged{Cohort: cohort, Customers: int64(len(observed))}
	weeks := 0.0
	for i := range observed {
		weeks += observed[i].History.Age
		if observed[i].History.Repeats > 0 {
			one.Repeaters++
		}
	}
	mean := clv.Average(observed)
	one.PerWeek = stats.Share{Known: weeks > 0, Value: mean.PerWeek}
	one.Each = stats.Share{Known: one.Repeaters > 0, Value: mean.Each}
	purchases, value := mean.Value(d.horizon())
	one.Purchases = stats.Share{Known: one.PerWeek.Known, Value: purchases}
	one.Value = stats.Share{Known: one.PerWeek.Known && one.Each.Known, Value: value}
	return one
}

func (a *Averaged) row(name, currency string) []string {
	text := func(s stats.Share, digits int, unit string) string {
		if !s.Known {
			return "not known"
		}
		return strings.TrimSpace(strconv.FormatFloat(s.Value, 'f', digits, 64) + " " + unit)
	}
	return []string{name, number(a.Customers), number(a.Repeaters), text(a.PerWeek, 4, ""), text(a.Each, 2, currency),
		text(a.Purchases, 2, ""), text(a.Value, 2, currency)}
}
