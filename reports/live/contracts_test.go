package live

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The published line of 1,000 subscriptions over seven years (Fader and Hardie,
// from Berry and Linoff) told as events: those lost in year n leave at its end.
func TestContracts(t *testing.T) {
	t.Parallel()
	survivors := []int{1000, 631, 468, 382, 326, 289, 262, 241}
	var b strings.Builder
	begun := time.Date(2010, 3, 5, 9, 0, 0, 0, time.UTC)
	id := 0
	for year := 1; year <= 7; year++ {
		for range survivors[year-1] - survivors[year] {
			id++
			fmt.Fprintf(&b, "%d 2010-03-05T09:00 Subscription:Started 10 EUR interval=year subscription=s%d\n", id, id)
			// A few hours after the period, as vendors tell it.
			fmt.Fprintf(&b, "%d %s Subscription:Canceled 10 EUR subscription=s%d\n", id, begun.AddDate(year, 0, 0).Add(5*time.Hour).Format("2006-01-02T15:04"), id)
		}
	}
	for range survivors[7] {
		id++
		fmt.Fprintf(&b, "%d 2010-03-05T09:00 Subscription:Started 10 EUR interval=year subscription=s%d\n", id, id)
	}
	people := told(t, b.String())
	r := answer(t, "contracts", "now:2017-06-01 weeks:52", people)
	part := r.Data.([]Contracts)[0]
	if part.Interval != "year" || part.Lost != 759 || part.Active != 241 || part.Model == nil {
		t.Fatalf("%+v %v", part, r.Notes)
	}
	// Computed from the published line: alpha 0.7041, beta 1.1820, LL -1680.265.
	if !near(part.Model.Alpha, 0.7041, 0.0005) || !near(part.Model.Beta, 1.1820, 0.0005) || !near(part.Fit.LogLikelihood, -1680.265, 0.01) {
		t.Errorf("%+v, %+v", part.Model, part.Fit)
	}
	if !near(part.Curve[0].Seen.Value, 0.631, 1e-9) || !near(part.Curve[0].Model, 1.1820/(0.7041+1.1820), 0.001) || part.Curve[8].Seen.Known {
		t.Errorf("curve: %+v", part.Curve)
	}
	// Within one year a new one pays its first year of 120, and so does each of
	// those who renewed.
	if v := part.Values[0]; v.Periods != 1 || !near(v.New, 120, 1e-9) || !near(v.Present, 241*120, 1e-6) {
		t.Errorf("value: %+v", v)
	}
	// Within two years 120·(1 + S(1)), discounted by a tenth.
	if v := answer(t, "contracts", "now:2017-06-01 weeks:104 discount:0.1", people).Data.([]Contracts)[0].Values[0]; !near(v.New, 120*(1+part.Model.Survival(1)/1.1), 1e-6) {
		t.Errorf("two years: %+v", v)
	}
}

func TestContractsOfFewPeople(t *testing.T) {
	t.Parallel()
	r := answer(t, "contracts", "now:2026-07-01", told(t, `
1 2026-01-31 Subscription:Started 10 EUR subscription=a
1 2026-02-28 Subscription:Canceled subscription=a
2 2026-01-15 Subscription:Started 20 USD subscription=b interval=fortnight
3 2026-06-20 Subscription:Started 20 USD subscription=c
4 2026-06-20 Subscription:Renewed 20 USD subscription=d
5 1971-06-20 Subscription:Started 20 USD subscription=e interval=day
`))
	part := r.Data.([]Contracts)[0]
	// One left at the end of its first month, one has renewed five times.
	if !part.Refused || part.Lost != 1 || part.Active != 1 || !near(part.Churn.Value, 1.0/6, 1e-12) || part.Model != nil {
		t.Errorf("%+v", part)
	}
	for _, text := range []string{"too little for a fit", "beginning was never told", "first period is not over", "too long ago", "taken as monthly"} {
		noted(t, r, text)
	}
}
