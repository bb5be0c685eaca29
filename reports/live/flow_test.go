package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/reports/stats"
)

// Of January and February:
//
//	1  Visit 12-20 to 01-10, then Subscriber to 02-05, then Customer
//	2  Visit since 01-15, in Churned (a side stage) since 02-10
//	3  Visit 01-20 to 01-25, then Customer, which skips two stages, both in January
//
// Visit in January: at the start 1; entered 2 (2 and 3); left forward 2 (1, 3):
// 2 of 3. In February: at the start 2; nobody entered; 2 left to the side: 0 of 1.
// Subscriber in January: entered 1, none left; in February: 1 at its start, left: 1 of 1.
const conversionStory = `
1 2025-12-20 -> Visit
1 2026-01-10 -> Subscriber
1 2026-02-05 -> Customer
2 2026-01-15 -> Visit
2 2026-02-10 -> Churned
3 2026-01-20 -> Visit
3 2026-01-25 -> Customer
3 in at_risk
`

func TestConversion(t *testing.T) {
	t.Parallel()
	people := told(t, conversionStory)
	r := answer(t, "conversion", "from:2026-01-01 to:2026-03-01", people)
	got := map[string][3]int64{}
	for _, l := range r.Data.([]Conversion) {
		if n := [3]int64{l.AtStart, l.Entered, l.Forward}; n != [3]int64{} {
			got[l.Period+" "+string(l.Stage)] = n
		}
	}
	want := map[string][3]int64{
		"2026-01 Visit": {1, 2, 2}, "2026-02 Visit": {1, 0, 0},
		"2026-01 Subscriber": {0, 1, 0}, "2026-02 Subscriber": {1, 0, 1},
		"2026-01 Customer": {0, 1, 0}, "2026-02 Customer": {1, 1, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if row := rowOf(t, r, "Conversion", "2026-01"); row[5] != "66.7 % (20.8 % to 93.9 %)" {
		t.Errorf("Visit in January: %v", row)
	}
	if r := answer(t, "conversion", "from:2026-01-01 to:2026-03-01 segment:at_risk", people); r.People != 1 || rowOf(t, r, "Conversion", "2026-01")[3] != "1" {
		t.Errorf("of the segment: %+v", r.Tables)
	}
	// A stay that ends at the first instant of a month was there at its start.
	r = answer(t, "conversion", "from:2026-02-01 to:2026-03-01", told(t, "1 2026-01-05 -> Visit\n1 2026-02-01 -> Customer"))
	if row := rowOf(t, r, "Conversion", "2026-02"); row[2] != "1" || row[4] != "1" {
		t.Errorf("left at the very start: %v", row)
	}
	noted(t, answer(t, "conversion", "from:2026-12-15", people), "no whole month is over")
}

// Purchases make a customer for 30 days. 1 buys on 01-10 and 02-05 and so is one
// until 03-07; 2 on 01-20 (until 02-19) and again on 04-10; 3 on 02-20 (until
// 03-22); 4 on 01-05 (until 02-04).
//
//	February: at the start 1, 2, 4; lost 2 and 4; new 3
//	March:    at the start 1 and 3; both lost; dormant 2 and 4
//	April:    nobody at the start; dormant all four; 2 came back
const churnStory = `
1 2026-01-10 Order:Completed 10 EUR
1 2026-02-05 Order:Completed 10 EUR
2 2026-01-20 Order:Completed 10 EUR @shop
2 2026-04-10 Order:Completed 10 EUR @shop
3 2026-02-20 Order:Completed 10 EUR
4 2026-01-05 Order:Completed 10 EUR
5 2026-01-05 Page:Viewed
`

func TestChurnByPurchase(t *testing.T) {
	t.Parallel()
	people := told(t, churnStory)
	r := answer(t, "churn", "from:2026-02-01 to:2026-05-01 window:30", people)
	d := r.Data.(*ChurnReport)
	var got []stats.CustomerFlow
	for _, p := range d.Periods {
		got = append(got, p.CustomerFlow)
	}
	want := []stats.CustomerFlow{{Start: 3, New: 1, Lost: 2, Dormant: 0}, {Start: 2, Lost: 2, Dormant: 2}, {Dormant: 4, Reactivated: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	// 4 lost of 5 at the starts: 80 % a month.
	if d.Basis != BasisPurchase || !d.Mean.Known || !near(d.Mean.Value, 0.8, 1e-12) {
		t.Errorf("%s, %+v", d.Basis, d.Mean)
	}
	if r := answer(t, "churn", "from:2026-02-01 to:2026-05-01 window:30 connection:shop", people); r.Data.(*ChurnReport).Periods[0].Start != 1 {
		t.Errorf("of the shop: %+v", r.Data)
	}
	// One who buys for a day within a month came and went.
	noted(t, answer(t, "churn", "from:2026-01-01 to:2026-03-01 window:1", people), "came and went within one month")
}

// The same by subscriptions, which are taken where there are any, and by stages.
func TestChurnByOtherBases(t *testing.T) {
	t.Parallel()
	people := told(t, churnStory+`
6 2026-01-10 Subscription:Started 10 EUR subscription=a
6 2026-02-10 Subscription:Paused subscription=a
6 2026-03-10 Subscription:Resumed subscription=a
6 2026-01-10 -> Customer
6 2026-02-10 -> Churned
6 2026-03-10 -> Advocate
7 2026-01-11 Subscription:Started 10 EUR subscription=b
7 2026-02-15 Subscription:Canceled 10 EUR subscription=b
7 2026-01-11 -> Customer
`)
	for _, tt := range []struct{ options, basis string }{
		{"", "subscription"}, {"basis:subscription", "subscription"}, {"basis:stage stages:Customer,Advocate", "stage"},
	} {
		d := answer(t, "churn", "from:2026-02-01 to:2026-04-01 "+tt.options, people).Data.(*ChurnReport)
		want := []stats.CustomerFlow{{Start: 2, Lost: 2}, {Dormant: 2, Reactivated: 1}}
		if tt.basis == "stage" { // 7 never left the stage
			want = []stats.CustomerFlow{{Start: 2, Lost: 1}, {Start: 1, Dormant: 1, Reactivated: 1}}
		}
		got := []stats.CustomerFlow{d.Periods[0].CustomerFlow, d.Periods[1].CustomerFlow}
		if diff := cmp.Diff(want, got); diff != "" || string(d.Basis) != tt.basis {
			t.Errorf("%s: %s (-want +got):\n%s", tt.options, d.Basis, diff)
		}
	}
}

// Active in weeks: 1 in W02, W03 and W05; 2 in W03; 3 in W02 (a mail opened in
// W03 is no activity).
//
//	W02: new 1 and 3. W03: new 2, returning 1, dormant 3.
//	W04: dormant 1 and 2. W05: resurrecting 1.
func TestSplit(t *testing.T) {
	t.Parallel()
	people := told(t, `
1 2026-01-06 Page:Viewed
1 2026-01-07 Page:Viewed
1 2026-01-13 Product:Used
1 2026-01-27 Page:Viewed
2 2026-01-14 Page:Viewed @app
3 2026-01-06 Page:Viewed
3 2026-01-14 Email:Opened
`)
	r := answer(t, "split", "unit:week from:2026-01-05 to:2026-02-02", people)
	var got [][5]int64
	for _, l := range r.Data.([]SplitPeriod) {
		got = append(got, [5]int64{l.New, l.Returning, l.Resurrecting, l.Dormant, l.Active})
		if l.Growth != l.New+l.Resurrecting-l.Dormant {
			t.Errorf("growth of %s: %d", l.Label, l.Growth)
		}
	}
	if diff := cmp.Diff([][5]int64{{2, 0, 0, 0, 2}, {1, 1, 0, 1, 2}, {0, 0, 0, 2, 0}, {0, 0, 1, 0, 1}}, got); diff != "" {
		t.Errorf("split (-want +got):\n%s", diff)
	}
	noted(t, r, "that the plan marks as activity")
	r = answer(t, "split", "unit:week from:2026-01-05 to:2026-02-02 events:Product:Used,Email:Opened", people)
	if l := r.Data.([]SplitPeriod)[1]; l.New != 2 {
		t.Errorf("of events named: %+v", l)
	}
	if l := answer(t, "split", "unit:week from:2026-01-05 to:2026-02-02 connection:app", people).Data.([]SplitPeriod)[1]; l.Active != 1 {
		t.Errorf("of one connection: %+v", l)
	}
}

// In February 2026, of 28 days, 1 is active on 14 days and 2 on one: 15 of 28 a
// day in the mean, of 2 in the month: 0.2679. In January nobody was.
func TestStickiness(t *testing.T) {
	t.Parallel()
	story := "2 2026-02-03 Page:Viewed\n"
	for _, day := range []string{"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "28"} {
		story += "1 2026-02-" + day + "T23:30 Page:Viewed\n1 2026-02-" + day + "T23:40 Page:Viewed\n"
	}
	r := answer(t, "stickiness", "from:2026-01-01 to:2026-03-01", told(t, story))
	lines := r.Data.([]Sticky)
	if len(lines) != 2 || lines[0].Stickiness.Known || lines[1].Monthly != 2 || !near(lines[1].Stickiness.Value, 15.0/28/2, 1e-12) {
		t.Errorf("%+v", lines)
	}
	if row := rowOf(t, r, "Stickiness", "2026-01"); row[3] != "nobody was active" {
		t.Errorf("January: %v", row)
	}
	// Half past eleven in London is the next day in Berlin, and of the last day
	// the next month.
	if got := answer(t, "stickiness", "from:2026-02-01 to:2026-04-01 zone:Europe/Berlin", told(t, story)).Data.([]Sticky); got[1].Monthly != 1 {
		t.Errorf("in Berlin: %+v", got)
	}
}
