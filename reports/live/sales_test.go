package live

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/reports/stats"
)

// Deal a is of 1 and 2, opened on 02-01 and won on 02-11: ten days. Deal b of 1
// is opened on 02-01 and won on 03-03: thirty days. Deal c of 3, opened 02-05,
// lost on 02-25 and then won on 03-27 all the same: fifty days. Deal d of 3 was
// lost, after ten days. Deal e of 4 is open since 03-01. Deal f was never told
// to be opened. 1 was seen first on 01-01, became a lead on 01-12.
const salesStory = `
1 2026-01-01 Page:Viewed
1 2026-01-12 Lead:Created
1 2026-02-01 Deal:Created 1000 EUR deal=a pipeline=north
1 2026-02-11 Deal:Won 1200 EUR deal=a pipeline=north
2 2026-01-20 Lead:Created
2 2026-02-01 Deal:Created 1000 EUR deal=a pipeline=north
2 2026-02-11 Deal:Won 1200 EUR deal=a pipeline=north
1 2026-02-01 Deal:Created 500 EUR deal=b pipeline=south
1 2026-03-03 Deal:Won deal=b pipeline=south
3 2026-02-05 Deal:Created 400 EUR deal=c pipeline=south
3 2026-02-25 Deal:Lost deal=c
3 2026-03-27 Deal:Won 400 EUR deal=c
3 2026-02-10 Deal:Created 300 EUR deal=d pipeline=south
3 2026-02-20 Deal:Lost 300 EUR deal=d
4 2026-03-01 Deal:Created 900 EUR deal=e @shop
5 2026-03-02 Deal:Won 77 EUR deal=f @shop
`

func TestCycle(t *testing.T) {
	t.Parallel()
	people := told(t, salesStory)
	r := answer(t, "cycle", "from:2026-01-01 to:2026-04-01", people)
	d := r.Data.(*Cycle)
	want := Lengths{N: 3, Mean: stats.Duration{Known: true, Value: 30 * day24}, Median: stats.Duration{Known: true, Value: 30 * day24}}
	if diff := cmp.Diff(want, d.Won); diff != "" {
		t.Errorf("won (-want +got):\n%s", diff)
	}
	if d.Lost.N != 1 || d.Lost.Median.Value != 10*day24 {
		t.Errorf("lost: %+v", d.Lost)
	}
	// Of 10, 30, 31+ and 50 days: S is 3/4 after ten, 1/2 after thirty.
	if at, ok := d.Survival.Median(); !ok || at != 30*day24 || d.Survival.Spells != 4 {
		t.Errorf("survival: %+v", d.Survival)
	}
	noted(t, r, "1 sales are left out: where they began was never told")
	if got := answer(t, "cycle", "from:2026-03-01 to:2026-04-01", people).Data.(*Cycle).Won; got.N != 2 || got.Mean.Value != 40*day24 {
		t.Errorf("won in March: %+v", got)
	}
	// The lead of deal a is that of 1, the earlier of its two people: 01-12 to
	// 02-11 are 30 days, and to 03-03 50.
	if got := answer(t, "cycle", "to:2026-04-01 start:lead", people).Data.(*Cycle).Won; got.N != 2 || got.Mean.Value != 40*day24 {
		t.Errorf("from the lead: %+v", got)
	}
	// From 1's first event 41 and 61 days; of 3 50; and f is its own first event.
	if got := answer(t, "cycle", "to:2026-04-01 start:first_touch", people).Data.(*Cycle).Won; got.N != 4 || got.Mean.Value != 38*day24 {
		t.Errorf("from the first touch: %+v", got)
	}
	// Of a person's first order, from the first touch.
	orders := told(t, "1 2026-01-01 Page:Viewed\n1 2026-01-05 Order:Completed 5 EUR\n1 2026-02-05 Order:Completed 5 EUR\n2 2026-01-31 Page:Viewed")
	if got := answer(t, "cycle", "start:first_touch won:Order:Completed to:2026-03-02", orders).Data.(*Cycle); got.Won.N != 1 || got.Won.Mean.Value != 4*day24 || got.Survival.Longest != 4*day24 {
		t.Errorf("of orders: %+v", got)
	}
}

func TestWinRate(t *testing.T) {
	t.Parallel()
	people := told(t, salesStory)
	r := answer(t, "winrate", "from:2026-02-01 to:2026-04-01", people)
	d := r.Data.(*WinRates)
	// Won: a in February, b, c and f in March; lost: d in February.
	if d.All.Won != 4 || d.All.Lost != 1 || !near(d.All.Rate.Value, 0.8, 1e-12) {
		t.Errorf("all: %+v", d.All)
	}
	if d.Periods[0].Won != 1 || d.Periods[0].Lost != 1 || d.Periods[1].Won != 3 || d.Periods[1].Lost != 0 {
		t.Errorf("by month: %+v", d.Periods)
	}
	if row := rowOf(t, r, "By pipeline", "south"); row[1] != "2" || row[2] != "1" {
		t.Errorf("south: %v", row)
	}
	noted(t, r, "1 open deals are in neither part")
	if got := answer(t, "winrate", "to:2026-04-01 connection:shop", people).Data.(*WinRates).All; got.Rate.Of != 1 {
		t.Errorf("of the shop: %+v", got)
	}
}

// 50 opportunities × 25 % × 8,000 / 40 days = 2,500 a day.
func TestVelocity(t *testing.T) {
	t.Parallel()
	story := ""
	for i := range 50 {
		story += "1 2026-03-15 Deal:Created deal=open" + number(i) + "\n"
	}
	for i := range 4 {
		end := "Lost"
		if i == 0 {
			end = "Won 8000 EUR"
		}
		story += "2 2026-02-01 Deal:Created deal=" + number(i) + "\n2 2026-03-13 Deal:" + end + " deal=" + number(i) + "\n"
	}
	r := answer(t, "velocity", "from:2026-03-01 to:2026-04-01", told(t, story))
	if row := rowOf(t, r, "Velocity", "EUR"); row[1] != "50" || row[4] != "40.0" || row[5] != "2500.00 EUR" {
		t.Errorf("%v", row)
	}
	// A deal in another currency has a line of its own, or is turned into euro;
	// those without an amount could then belong to either.
	story += "3 2026-02-01 Deal:Created deal=x\n3 2026-03-13 Deal:Won 1000 USD deal=x\n3 2026-03-01 Deal:Won 9 CHF deal=y\n"
	r = answer(t, "velocity", "from:2026-03-01 to:2026-04-01", told(t, story))
	if len(r.Data.([]Velocity)) != 3 {
		t.Errorf("lines: %+v", r.Data)
	}
	noted(t, r, "53 deals without an amount are left out")
	noted(t, r, "CHF: no velocity")
	r = answer(t, "velocity", "from:2026-03-01 to:2026-04-01 currency:EUR rates:usd=0.5", told(t, story))
	// 50 × 2/5 × 4,250 / 40 = 2,125.
	if row := rowOf(t, r, "Velocity", "EUR"); row[3] != "4250.00 EUR" || row[5] != "2125.00 EUR" {
		t.Errorf("in euro: %v", row)
	}
	noted(t, r, "1 USD = 0.5 EUR")
	noted(t, r, "1 amounts in CHF are left out")
	noted(t, answer(t, "velocity", "from:2026-03-14 to:2026-03-15", told(t, story)), "no velocity")
}

// Waits of 2 and 10 minutes; 3 has waited a day and 4 was answered before.
const speedStory = `
1 2026-03-02T09:00 Lead:Created
1 2026-03-02T09:02 Lead:Contacted
1 2026-03-09T09:00 Lead:Contacted
2 2026-03-02T16:55 Lead:Created @shop
2 2026-03-02T17:05 Lead:Contacted
3 2026-03-31 Lead:Created
4 2026-03-01 Lead:Contacted
4 2026-03-02 Lead:Created
5 2026-03-02T08:00 Page:Viewed lead_score=40
5 2026-03-02T09:00 Page:Viewed lead_score=60
5 2026-03-02T09:10 Page:Viewed lead_score=80
5 2026-03-02T09:30 Lead:Contacted
`

func TestSpeed(t *testing.T) {
	t.Parallel()
	people := told(t, speedStory)
	r := answer(t, "speed", "from:2026-03-01 to:2026-04-01", people)
	d := r.Data.(*SpeedReport)
	if d.Leads != 3 || d.Answered != 2 || d.Median.Value != 10*time.Minute || d.P90.Known || !near(d.Within.Value, 1.0/3, 1e-12) {
		t.Errorf("%+v", d.Speed)
	}
	noted(t, r, "1 people are left out: they were answered before")
	if row := rowOf(t, r, "Speed", "shop"); row[1] != "1" || row[3] != "10m0s" {
		t.Errorf("of the shop: %v", row)
	}
	// Within business hours 2 waited from 16:55 to 17:00 and is within the goal.
	if got := answer(t, "speed", "from:2026-03-01 to:2026-04-01 hours:9-17", people).Data.(*SpeedReport); got.Median.Value != 5*time.Minute || !near(got.Within.Value, 2.0/3, 1e-12) {
		t.Errorf("within business hours: %+v", got.Speed)
	}
	// The score passes 50 at nine o'clock.
	if got := answer(t, "speed", "from:2026-03-01 to:2026-04-01 score:50", people).Data.(*SpeedReport); got.Leads != 1 || got.Median.Value != 30*time.Minute {
		t.Errorf("from a score: %+v", got.Speed)
	}
	noted(t, answer(t, "speed", "", told(t, "1 2026-03-01 Lead:Created")), "no connection tells of it")
}
