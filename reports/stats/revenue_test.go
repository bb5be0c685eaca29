package stats_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
)

func euros(units float64) lifecycle.Money {
	return lifecycle.Money{Micros: int64(math.Round(units * 1e6)), Currency: "EUR"}
}

func TestRevenueRatios(t *testing.T) {
	t.Parallel()
	const k = 1_000_000_000
	r := stats.Revenue{Currency: "EUR", New: 20 * k, Expansion: 8 * k, Churn: 5 * k, Contraction: 3 * k, Reactivation: k}
	if q := r.Quick(false); q != (stats.QuickRatio{Known: true, Value: 3.5}) {
		t.Errorf("quick ratio %+v, want 3.5", q)
	}
	if q := r.Quick(true); q != (stats.QuickRatio{Known: true, Value: 3.625}) {
		t.Errorf("quick ratio with reactivation %+v, want 3.625", q)
	}
	if q := (stats.Revenue{New: k}).Quick(true); q != (stats.QuickRatio{NoLosses: true}) {
		t.Errorf("without losses %+v", q)
	}
	r.Start = 100 * k
	net, ok := r.NetRetention()
	if !ok || net != 1 {
		t.Errorf("net retention %v, %v, want 1", net, ok)
	}
	gross, ok := r.GrossRetention()
	if !ok || gross != 0.92 {
		t.Errorf("gross retention %v, %v, want 0.92", gross, ok)
	}
	if end, err := r.End(); err != nil || end != 121*k {
		t.Errorf("end %d, %v, want 121k", end, err)
	}
	if _, ok := (stats.Revenue{New: k}).NetRetention(); ok {
		t.Error("nothing was retained")
	}
}

func TestRevenueAdd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		start, end int64
		paid       bool
		want       stats.Movement
	}{
		{0, 0, true, stats.Unchanged}, {5, 5, true, stats.Unchanged}, {0, 5, false, stats.NewRevenue}, {0, 5, true, stats.Reactivation},
		{5, 8, true, stats.Expansion}, {8, 5, true, stats.Contraction}, {8, 0, true, stats.Churned},
	} {
		if got := stats.Classify(c.start, c.end, c.paid); got != c.want {
			t.Errorf("%d to %d: %s, want %s", c.start, c.end, got, c.want)
		}
	}
	r := stats.Revenue{Currency: "EUR"}
	if err := r.Add(-1, 0, false); !errors.Is(err, stats.ErrAmount) {
		t.Errorf("a negative revenue: %v", err)
	}
	if err := r.Merge(stats.Revenue{Currency: "USD", Start: 1}); !errors.Is(err, stats.ErrCurrency) {
		t.Errorf("dollars: %v", err)
	}
	if err := r.Merge(stats.Revenue{Currency: "EUR", Churn: math.MinInt64}); !errors.Is(err, stats.ErrAmount) {
		t.Errorf("a negative loss: %v", err)
	}
	if err := r.Add(math.MaxInt64, math.MaxInt64, true); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(1, 0, true); !errors.Is(err, stats.ErrAmount) || r.Churn != 0 {
		t.Errorf("more than fits: %v, %+v", err, r)
	}
}

// TestRevenueLaws: the movements explain the change; halves merge to the whole;
// nobody keeps more than all, and gross is never above net.
func TestRevenueLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole, first, second := stats.Revenue{Currency: "EUR"}, stats.Revenue{Currency: "EUR"}, stats.Revenue{Currency: "EUR"}
		var start, end int64
		for range rapid.IntRange(0, 20).Draw(t, "customers") {
			from, to := rapid.Int64Range(0, 9).Draw(t, "from"), rapid.Int64Range(0, 9).Draw(t, "to")
			paid := rapid.Bool().Draw(t, "paid")
			half := &first
			if rapid.Bool().Draw(t, "half") {
				half = &second
			}
			if err := errors.Join(whole.Add(from, to, paid), half.Add(from, to, paid)); err != nil {
				t.Fatal(err)
			}
			start, end = start+from, end+to
		}
		if err := second.Merge(first); err != nil || second != whole {
			t.Fatalf("halves %+v, %v, whole %+v", second, err, whole)
		}
		if got, err := whole.End(); err != nil || got != end || whole.Start != start {
			t.Fatalf("%+v ends at %d, want %d, %v", whole, got, end, err)
		}
		net, known := whole.NetRetention()
		gross, _ := whole.GrossRetention()
		if known && (gross < 0 || gross > 1 || gross > net) {
			t.Fatalf("net %v, gross %v", net, gross)
		}
	})
}

func TestMonthly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price    float64
		every    int64
		interval stats.Interval
		want     int64
	}{
		{1200, 1, stats.EveryYear, 100_000_000},
		{100, 1, stats.EveryYear, 8_333_333},
		{240, 2, stats.EveryYear, 10_000_000},
		{30, 3, stats.EveryMonth, 10_000_000},
		{84, 1, stats.EveryWeek, 365_000_000},
		{12, 1, stats.EveryDay, 365_000_000},
	} {
		got, err := stats.Monthly(euros(c.price), c.every, c.interval)
		if err != nil || got.Micros != c.want || got.Currency != "EUR" {
			t.Errorf("%v every %d %s: %+v, %v, want %d", c.price, c.every, c.interval, got, err, c.want)
		}
	}
	for _, bad := range []struct {
		every    int64
		interval stats.Interval
	}{{0, stats.EveryMonth}, {-1, stats.EveryYear}, {1, "decade"}} {
		if _, err := stats.Monthly(euros(1), bad.every, bad.interval); !errors.Is(err, stats.ErrAmount) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := stats.Monthly(lifecycle.Money{Micros: math.MaxInt64}, 1, stats.EveryDay); !errors.Is(err, stats.ErrAmount) {
		t.Errorf("more than fits: %v", err)
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	rates := stats.Rates{To: "EUR", Per: map[string]*big.Rat{"USD": big.NewRat(9, 10), "JPY": big.NewRat(1, 160), "CLP": big.NewRat(-1, 1)}}
	for _, c := range []struct {
		from lifecycle.Money
		want int64
		err  error
	}{
		{lifecycle.Money{Micros: 7, Currency: "EUR"}, 7, nil},
		{lifecycle.Money{Micros: 10_000_000, Currency: "USD"}, 9_000_000, nil},
		{lifecycle.Money{Micros: -15, Currency: "USD"}, -14, nil}, // halves away from zero
		{lifecycle.Money{Micros: 80, Currency: "JPY"}, 1, nil},
		{lifecycle.Money{Micros: 1, Currency: "CHF"}, 0, stats.ErrNoRate},
		{lifecycle.Money{Micros: 1, Currency: "CLP"}, 0, stats.ErrNoRate},
	} {
		got, err := rates.Convert(c.from)
		if !errors.Is(err, c.err) || got.Micros != c.want || (err == nil && got.Currency != "EUR") {
			t.Errorf("%+v: %+v, %v, want %d, %v", c.from, got, err, c.want, c.err)
		}
	}
}

func TestVelocity(t *testing.T) {
	t.Parallel()
	v, ok, err := stats.NewVelocity(stats.Pipeline{Opportunities: 50, Won: 5, Lost: 15, Value: euros(40_000), Cycle: 40 * day})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if v.PerDay != euros(2500) || v.AverageDeal != euros(8000) || v.WinRate != reports.NewRate(5, 20) {
		t.Errorf("velocity %+v, want 2500 a day from deals of 8000", v)
	}
	if _, ok, err := stats.NewVelocity(stats.Pipeline{Opportunities: 5, Lost: 3, Cycle: day}); ok || err != nil {
		t.Errorf("nothing won: %v, %v", ok, err)
	}
	if _, _, err := stats.NewVelocity(stats.Pipeline{Opportunities: -5}); !errors.Is(err, stats.ErrCounts) {
		t.Errorf("negative: %v", err)
	}
	huge := stats.Pipeline{Opportunities: math.MaxInt64, Won: 1, Value: lifecycle.Money{Micros: math.MaxInt64}, Cycle: time.Nanosecond}
	if _, _, err := stats.NewVelocity(huge); !errors.Is(err, stats.ErrAmount) {
		t.Errorf("more than fits: %v", err)
	}
}

func TestEconomics(t *testing.T) {
	t.Parallel()
	if arpa, ok := stats.ARPA(euros(10_000), 200); !ok || arpa != euros(50) {
		t.Errorf("ARPA %+v, %v", arpa, ok)
	}
	if _, ok := stats.ARPA(euros(1), 0); ok {
		t.Error("nobody pays anything")
	}
	if v, err := stats.SimpleValue(euros(50), 0.8, 0.03); err != nil || v != euros(1333.333333) {
		t.Errorf("naive value %+v, %v, want 1333.33", v, err)
	}
	if _, err := stats.SimpleValue(euros(50), 0.8, 0); !errors.Is(err, stats.ErrAmount) {
		t.Errorf("nobody leaves: %v", err)
	}
	if v, err := stats.RetentionValue(euros(40), 0.97, 0.01, stats.PaidAtEnd); err != nil || v != euros(970) {
		t.Errorf("paid at the end %+v, %v, want 970", v, err)
	}
	if v, err := stats.RetentionValue(euros(40), 0.97, 0.01, stats.PaidAtStart); err != nil || v != euros(1010) {
		t.Errorf("paid at the start %+v, %v, want 1010", v, err)
	}
	for _, bad := range [][2]float64{{1, 0}, {-0.1, 0}, {0.5, -0.1}, {math.NaN(), 0}} {
		if _, err := stats.RetentionValue(euros(1), bad[0], bad[1], stats.PaidAtEnd); !errors.Is(err, stats.ErrAmount) {
			t.Errorf("retention %v, discount %v: %v", bad[0], bad[1], err)
		}
	}
	if months, ok, err := stats.CACPayback(euros(600), euros(50), 0.8); err != nil || !ok || months != 15 {
		t.Errorf("payback %v, %v, %v, want 15 months", months, ok, err)
	}
	if _, ok, err := stats.CACPayback(euros(600), euros(0), 0.8); ok || err != nil {
		t.Errorf("nothing comes in: %v, %v", ok, err)
	}
	if _, _, err := stats.CACPayback(euros(600), lifecycle.Money{Micros: 1, Currency: "USD"}, 0.8); !errors.Is(err, stats.ErrCurrency) {
		t.Errorf("two currencies: %v", err)
	}
}
