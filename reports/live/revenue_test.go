package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/reports/stats"
)

// February in euro, as known from a textbook: 100,000 at the start; 1 begins
// with 20,000, 2 goes up by 8,000, 3 down by 3,000, 4 leaves with 5,000, 5 comes
// back with 1,000. Quick ratio 28/8 = 3.5, or 3.625 with what came back; of the
// 100,000 NRR is 100 % and GRR 92 %; 121,000 at the end. 6 pays in dollars.
const mrrStory = `
1 2026-02-10 Subscription:Started 20000 EUR subscription=s1
2 2026-01-01 Subscription:Started 50000 EUR subscription=s2
2 2026-02-11 Subscription:Upgraded 58000 EUR subscription=s2
3 2026-01-01 Subscription:Started 45000 EUR subscription=s3
3 2026-02-12 Subscription:Downgraded 42000 EUR subscription=s3
4 2026-01-01 Subscription:Started 5000 EUR subscription=s4
4 2026-02-13 Subscription:Canceled 5000 EUR subscription=s4
5 2025-11-01 Subscription:Started 1000 EUR subscription=s5
5 2025-12-01 Subscription:Paused subscription=s5
5 2026-02-14 Subscription:Resumed subscription=s5
6 2026-02-01 Subscription:Started 100 USD subscription=s6 @shop
7 2026-02-01 Subscription:Started subscription=s7
`

func TestMRR(t *testing.T) {
	t.Parallel()
	r := answer(t, "mrr", "from:2026-02-01 to:2026-03-01", told(t, mrrStory))
	lines := r.Data.([]MRRPeriod)
	if len(lines) != 2 || lines[0].Currency != "EUR" || lines[1].Currency != "USD" {
		t.Fatalf("%+v", lines)
	}
	e := lines[0]
	want := stats.Revenue{Currency: "EUR", Start: 100_000e6, New: 20_000e6, Expansion: 8_000e6, Contraction: 3_000e6, Churn: 5_000e6, Reactivation: 1_000e6}
	if e.Revenue != want || e.End != 121_000e6 || e.Paying != 4 || e.ARPA.Micros != 30_250e6 {
		t.Errorf("%+v", e)
	}
	if !near(e.Quick.Value, 3.5, 1e-12) || !near(e.QuickBack.Value, 3.625, 1e-12) || !near(e.NRR.Value, 1, 1e-12) || !near(e.GRR.Value, 0.92, 1e-12) {
		t.Errorf("ratios: %+v", e)
	}
	if row := rowOf(t, r, "Monthly recurring revenue, USD", "2026-02"); row[10] != "no losses" || row[11] != "nothing at the start" {
		t.Errorf("dollars: %v", row)
	}
	noted(t, r, "1 subscriptions carry no amount")
	// With rates there is one currency, and nothing is new to it twice.
	r = answer(t, "mrr", "from:2026-02-01 to:2026-03-01 currency:EUR rates:USD=0.9", told(t, mrrStory))
	if lines := r.Data.([]MRRPeriod); len(lines) != 1 || lines[0].New != 20_090e6 {
		t.Errorf("in euro: %+v", lines)
	}
	if lines := answer(t, "mrr", "from:2026-02-01 to:2026-03-01 connection:shop", told(t, mrrStory)).Data.([]MRRPeriod); len(lines) != 1 || lines[0].Currency != "USD" {
		t.Errorf("of the shop: %+v", lines)
	}
	// Two subscriptions of one person are one account, and amounts of the edge of
	// what can be counted spoil the figures of nobody else.
	huge := mrrStory + `
8 2026-01-01 Subscription:Started 9000000000000 EUR subscription=h1
8 2026-01-02 Subscription:Started 9000000000000 EUR subscription=h2
9 2026-01-01 Subscription:Started 9000000000000 EUR subscription=h3
10 2026-01-01 Subscription:Started 9000000000000 EUR subscription=h4
10 2026-02-02 Subscription:Renewed -5 EUR subscription=h4
`
	r = answer(t, "mrr", "from:2026-02-01 to:2026-03-01", told(t, huge))
	noted(t, r, "2 times what is paid was more than can be counted")
	// Without a key the subscriptions of one connection are one.
	r = answer(t, "mrr", "from:2026-02-01 to:2026-03-01", told(t, "1 2026-01-01 Subscription:Started 5 EUR\n1 2026-02-01 Subscription:Renewed 7 EUR"))
	if line := r.Data.([]MRRPeriod)[0]; line.Start != 5e6 || line.Expansion != 2e6 {
		t.Errorf("nameless: %+v", line)
	}
}

// 100 accounts of 50 euro, of whom 3 leave in February and 2 begin: naive value
// 50 × 0.8 / 0.03 = 1333.33; 40 a month kept at r = 0.97 without discount is
// 40 / 0.03, the same. A spend of 400 for 2 is a CAC of 200: paid back in five
// months at 40.
func TestEconomics(t *testing.T) {
	t.Parallel()
	var story strings.Builder
	for i := range 102 {
		day := "2026-01-10"
		if i >= 100 {
			day = "2026-02-10"
		}
		fmt.Fprintf(&story, "%d %s Subscription:Started 50 EUR subscription=s%d\n", i+1, day, i)
		if i < 3 {
			fmt.Fprintf(&story, "%d 2026-02-15 Subscription:Canceled 50 EUR subscription=s%d\n", i+1, i)
		}
	}
	r := answer(t, "economics", "from:2026-02-01 to:2026-03-01 margin:0.8 spend:400", told(t, story.String()))
	l := r.Data.([]Economics)[0]
	if l.ARPA.Micros != 50e6 || !near(l.Churn.Value, 0.03, 1e-12) || l.Naive.Micros != 1_333_333_333 || l.Constant.Micros != 1_333_333_333 {
		t.Errorf("%+v: naive %+v, constant %+v", l, l.Naive, l.Constant)
	}
	if l.Won != 2 || l.CAC.Micros != 200e6 || !near(*l.Payback, 5, 1e-12) {
		t.Errorf("won %d for %+v, back in %v", l.Won, l.CAC, *l.Payback)
	}
	// Nobody left in January, and nobody was a customer at its start.
	r = answer(t, "economics", "from:2026-01-01 to:2026-02-01", told(t, story.String()))
	if l := r.Data.([]Economics)[0]; l.Naive != nil || l.CAC != nil || l.Churn.Known {
		t.Errorf("January: %+v", l)
	}
	noted(t, r, "no margin was given")
	// By purchases: 1 and 2 buy for 30 in January; the window of 30 days makes
	// both customers at its end, so 60 / 2 a month. In February 1 is lost: churn
	// 1 of 2, and 30 + 10 over 2 + 1 months of customers.
	r = answer(t, "economics", "from:2026-01-01 to:2026-03-01 window:30", told(t, `
1 2026-01-10 Order:Completed 30 EUR
2 2026-01-20 Order:Completed 30 EUR
2 2026-02-10 Order:Completed 12 EUR
2 2026-02-10 Order:Completed 3 USD`))
	if l := r.Data.([]Economics)[0]; l.ARPA.Micros != 24e6 || l.Churn.Value != 0.5 || l.Naive.Micros != 48e6 {
		t.Errorf("purchases: %+v %+v", l, l.ARPA)
	}
}

// The figures of concentration in two currencies, and in one by a rate.
func TestRatesOfPurchases(t *testing.T) {
	t.Parallel()
	people := told(t, "1 2026-01-10 Order:Completed 30 EUR\n1 2026-01-11 Order:Completed 30 EUR\n2 2026-01-10 Order:Completed 100 USD\n3 2026-01-10 Order:Completed 1 CHF")
	r := answer(t, "concentration", "", people)
	if d := r.Data.(stats.Concentration); d.Currency != "EUR" || d.Total != 60e6 || d.Customers != 1 {
		t.Errorf("apart: %+v", d)
	}
	noted(t, r, "1 purchases in USD are left out")
	r = answer(t, "concentration", "currency:eur rates:USD=0.92", people)
	if d := r.Data.(stats.Concentration); d.Currency != "EUR" || d.Total != 152e6 || d.Customers != 2 {
		t.Errorf("together: %+v", d)
	}
	noted(t, r, "1 USD = 0.92 EUR")
	noted(t, r, "1 amounts in CHF are left out: the table has no rate for it")
}
