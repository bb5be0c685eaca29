package live

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// The published check of a year at 15 %: customers (2, 30.43, 38.86) with a mean
// of 22.35, and (0, 0, 38.86), at the rounded parameters of CDNOW.
func TestCLVPublished(t *testing.T) {
	t.Parallel()
	o := options(t, "discount:0.15 weeks:52")
	d := &CLV{Weeks: o.Horizon, Discount: o.Discount, Margin: 1,
		Purchases: &clv.BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}, Spend: &clv.GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}}
	observed := []clv.Observed{
		{History: clv.History{Repeats: 2, Last: 30.43, Age: 38.86, Customers: 1}, Mean: 22.35},
		{History: clv.History{Age: 38.86, Customers: 1}},
	}
	if _, err := d.each(t.Context(), []lifecycle.ProfileID{7, 9}, observed); err != nil {
		t.Fatal(err)
	}
	for i, want := range []clv.Value{{Purchases: 1.558721, Discounted: 1.459953, Total: 36.0079}, {Purchases: 0.252073, Discounted: 0.235685, Total: 8.3006}} {
		got := d.Customers[i]
		if !near(got.Value.Purchases, want.Purchases, 1e-6) || !near(got.Value.Discounted, want.Discounted, 1e-6) || !near(got.Value.Total, want.Total, 1e-4) || !near(got.Expected, want.Purchases, 1e-6) {
			t.Errorf("%+v: %+v, want %+v", got, *got.Value, want)
		}
	}
	if a, b := d.Customers[0].PAlive, d.Customers[1].PAlive; a == nil || !near(*a, 0.7266, 0.0001) || b != nil {
		t.Errorf("P(alive) %v and %v", a, b)
	}
}

// buyers are 600 customers of a year, who buy and leave as BG/NBD supposes.
func buyers(t *testing.T) []summary.Person {
	t.Helper()
	chance, begin := rand.New(rand.NewPCG(7, 8)), at(t, "2026-01-01")
	day := lifecycle.Instant(day24.Microseconds())
	people := make([]summary.Person, 600)
	for i := range people {
		p := &people[i]
		p.ID, p.Source = lifecycle.ProfileID(i+1), fmt.Sprint("source ", i%2)
		when := begin + lifecycle.Instant(chance.IntN(90))*day
		pace, leaves, spends := 50/(chance.ExpFloat64()+0.05), chance.Float64()*chance.Float64(), 20+chance.ExpFloat64()*40
		for when < begin+360*day {
			p.Events = append(p.Events, summary.Event{Name: DefaultPurchase, At: when, Connection: "shop",
				Amount: lifecycle.Money{Micros: int64(1e6 * spends * (0.5 + chance.Float64())), Currency: "EUR"}})
			if chance.Float64() < leaves {
				break
			}
			when += day * lifecycle.Instant(1+chance.ExpFloat64()*pace)
		}
	}
	return people
}

// What the report says of everybody is what the formula says at the parameters
// that it fitted; the discount takes a part of each week, the margin of all.
func TestCLVDiscountAndMargin(t *testing.T) {
	t.Parallel()
	people := buyers(t)
	plain := answer(t, "clv", "now:2026-12-31", people).Data.(*CLV)
	r := answer(t, "clv", "now:2026-12-31 discount:0.15 margin:0.5", people)
	d := r.Data.(*CLV)
	if len(d.Customers) != 600 || d.Discount != 0.15 || d.Margin != 0.5 || plain.Discount != 0 || plain.Margin != 1 {
		t.Fatalf("%d customers, discount %v and %v, margin %v and %v", len(d.Customers), d.Discount, plain.Discount, d.Margin, plain.Margin)
	}
	over := clv.Horizon{Steps: 52, Discount: math.Pow(1.15, 1.0/52) - 1, Margin: 0.5}
	for i, c := range d.Customers {
		h := clv.History{Repeats: c.Repeats, Last: c.Last, Age: c.Age}
		want, err := clv.NewValue(*d.Purchases, *d.Spend, h, c.Mean, over)
		if err != nil || !near(c.Value.Total, want.Total, 1e-9*want.Total) {
			t.Fatalf("customer %d: %+v, want %+v, %v", c.Person, *c.Value, want, err)
		}
		full := plain.Customers[i].Value
		if !near(full.Purchases, want.Purchases, 1e-9) || full.Discounted != full.Purchases || want.Discounted >= want.Purchases || want.Total >= full.Total/2 {
			t.Fatalf("customer %d: plainly %+v, discounted %+v", c.Person, *full, want)
		}
	}
	noted(t, r, "the discount is 15.0 % a year, 0.2691 % a week")
	noted(t, r, "at a margin of 50.0 %")
	plainly := answer(t, "clv", "now:2026-12-31", people)
	noted(t, plainly, "value is revenue: the margin is taken as 1")
	noted(t, plainly, "the discount is 0 a year")
	for _, says := range []string{"(1+d)^k", "margin", "52 weeks"} {
		if !strings.Contains(r.Definition, says) {
			t.Errorf("the definition has no %q: %s", says, r.Definition)
		}
	}
}

// Where no model may be fitted there are averages: of two customers, 1 bought on
// three days and 2 on one, each known for ten weeks (of the day before the end).
func TestCLVAverages(t *testing.T) {
	t.Parallel()
	people := told(t, `
1 2026-01-01 Order:Completed 10 EUR
1 2026-01-08 Order:Completed 20 EUR
1 2026-01-15 Order:Completed 40 EUR
2 2026-01-01 Order:Completed 99 EUR
3 2026-02-05 Order:Completed 50 EUR
3 2026-02-01 Order:Completed -5 EUR
`)
	r := answer(t, "clv", "to:2026-03-13 weeks:20 margin:0.5", people)
	d := r.Data.(*CLV)
	if d.Averages == nil || len(d.Customers) != 0 || d.Purchases != nil {
		t.Fatalf("%+v", d)
	}
	all, cohorts := d.Averages.All, d.Averages.Cohorts
	// Two repeats in 10 + 10 + 5 weeks, worth 30 each.
	if all.Customers != 3 || all.Repeaters != 1 || !near(all.PerWeek.Value, 2.0/25, 1e-12) || !near(all.Each.Value, 30, 1e-12) ||
		!near(all.Purchases.Value, 1.6, 1e-12) || !near(all.Value.Value, 24, 1e-9) {
		t.Errorf("all: %+v", all)
	}
	if len(cohorts) != 2 || cohorts[0].Cohort != "2026-01" || cohorts[0].Customers != 2 || !near(cohorts[0].PerWeek.Value, 0.1, 1e-12) ||
		cohorts[1].Cohort != "2026-02" || cohorts[1].PerWeek.Value != 0 || cohorts[1].Each.Known || cohorts[1].Value.Known {
		t.Errorf("cohorts: %+v", cohorts)
	}
	if row := rowOf(t, r, "Averages", "all"); row[3] != "0.0800" || row[4] != "30.00 EUR" || row[5] != "1.60" || row[6] != "24.00 EUR" {
		t.Errorf("the row of all: %v", row)
	}
	if row := rowOf(t, r, "Averages", "2026-02"); row[4] != "not known" || row[5] != "0.00" {
		t.Errorf("the row of February: %v", row)
	}
	// From one purchase day to the next, both times a week.
	if row := rowOf(t, r, "What is there", "3"); d.Gaps != 2 || d.Gap.Value != 7 || row[3] != "7" {
		t.Errorf("%d gaps of %v days, %v", d.Gaps, d.Gap, row)
	}
	noted(t, r, "averages are shown instead")
	noted(t, r, "averages forget that customers leave")
	if !strings.HasPrefix(r.Definition, "averages instead of a model") {
		t.Errorf("the definition is that of the model: %s", r.Definition)
	}
}

// Averages of very many cohorts, and a currency that looks like a format.
func TestCLVAveragesAreBounded(t *testing.T) {
	t.Parallel()
	var people []summary.Person
	for i := range 60 {
		e := summary.Event{Name: DefaultPurchase, At: at(t, "2026-01-01") + lifecycle.Instant(i)*lifecycle.Instant(day24.Microseconds()), Amount: lifecycle.Money{Micros: 1e6, Currency: "%d"}}
		people = append(people, summary.Person{ID: lifecycle.ProfileID(i + 1), Events: []summary.Event{e}})
	}
	r := answer(t, "clv", "unit:day to:2026-06-01", people)
	if d := r.Data.(*CLV); len(d.Averages.Cohorts) != 60 || len(r.Tables[1].Rows) != averagesShown+1 || r.Tables[1].Rows[0][0] != "2026-02-06" {
		t.Errorf("%d cohorts, %v", len(d.Averages.Cohorts), r.Tables[1].Rows)
	}
	noted(t, r, "leaves out the 36 oldest cohorts")
}
