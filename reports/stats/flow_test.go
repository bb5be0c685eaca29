package stats_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
)

func TestChurn(t *testing.T) {
	t.Parallel()
	c, err := stats.NewChurn(stats.CustomerFlow{Start: 200, New: 30, Lost: 6, Dormant: 50, Reactivated: 5})
	if err != nil {
		t.Fatal(err)
	}
	if c.End != 229 || c.DormantEnd != 51 || c.Churn != reports.NewRate(6, 200) || c.Retention != reports.NewRate(194, 200) ||
		c.Reactivation != reports.NewRate(5, 50) {
		t.Errorf("churn %+v", c)
	}
	none, err := stats.NewChurn(stats.CustomerFlow{New: 3})
	if err != nil || none.Churn.Known || none.Reactivation.Known || none.End != 3 {
		t.Errorf("a first period: %+v, %v", none, err)
	}
	for _, f := range []stats.CustomerFlow{{Start: 1, Lost: 2}, {Dormant: 1, Reactivated: 2}, {New: -1}, {Start: math.MaxInt64}} {
		if _, err := stats.NewChurn(f); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestCompound(t *testing.T) {
	t.Parallel()
	year, ok := stats.Compound(0.03, 12)
	if !ok {
		t.Fatal("3 % is no share")
	}
	near(t, "3 % a month over a year", year, 0.306, 0.0005)
	for rate, want := range map[float64]float64{0: 0, 1: 1} {
		if got, ok := stats.Compound(rate, 12); !ok || got != want {
			t.Errorf("%v over a year: %v, %v", rate, got, ok)
		}
	}
	for _, rate := range []float64{-0.1, 1.1, math.NaN()} {
		if _, ok := stats.Compound(rate, 12); ok {
			t.Errorf("%v is a share", rate)
		}
	}
}

func TestPeriodRates(t *testing.T) {
	t.Parallel()
	near(t, "Wilson low of 30 in 120", stats.PeriodConversion(30, 100, 20).Low, 0.1811, 0.00005)
	near(t, "Wilson high of 30 in 120", stats.PeriodConversion(30, 100, 20).High, 0.3344, 0.00005)
	if r := stats.WinRate(3, 9); r != reports.NewRate(3, 12) {
		t.Errorf("win rate %+v", r)
	}
	for _, r := range []reports.Rate{stats.WinRate(0, 0), stats.WinRate(-1, 3), stats.WinRate(math.MaxInt64, 1),
		stats.PeriodConversion(1, math.MaxInt64, 1), stats.PeriodConversion(3, 1, 1)} {
		if r.Known {
			t.Errorf("known: %+v", r)
		}
	}
	if s, ok := stats.Stickiness([]int64{10, 20, 0, 30}, 60); !ok || math.Abs(s-0.25) > 1e-12 {
		t.Errorf("stickiness %v, %v, want 0.25", s, ok)
	}
	for _, daily := range [][]int64{nil, {61}, {-1}} {
		if _, ok := stats.Stickiness(daily, 60); ok {
			t.Errorf("%v of 60 is sticky", daily)
		}
	}
}

func TestSurveys(t *testing.T) {
	t.Parallel()
	nps, err := stats.NewNPS([11]int64{2, 0, 0, 0, 0, 5, 13, 10, 20, 30, 20})
	if err != nil {
		t.Fatal(err)
	}
	if nps.Promoters != 50 || nps.Passives != 30 || nps.Detractors != 20 || !nps.Known {
		t.Errorf("counted %+v", nps)
	}
	near(t, "NPS", nps.Score, 30, 1e-12)
	// 1.96 · √((0.5 + 0.2 - 0.09) / 100) is 0.1531.
	near(t, "low", nps.Low, 14.69, 0.005)
	near(t, "high", nps.High, 45.31, 0.005)
	if all, err := stats.NewNPS([11]int64{10: 7}); err != nil || all.Score != 100 || all.High != 100 || all.Low != 100 {
		t.Errorf("all promoters: %+v, %v", all, err)
	}
	if none, err := stats.NewNPS([11]int64{}); err != nil || none.Known {
		t.Errorf("no answer: %+v, %v", none, err)
	}
	if csat, err := stats.CSAT([5]int64{1, 2, 3, 10, 4}); err != nil || csat != reports.NewRate(14, 20) {
		t.Errorf("CSAT %+v, %v", csat, err)
	}
	if ces, ok, err := stats.CES([]int64{0, 1, 0, 2, 0, 0, 1}); err != nil || !ok || ces != 4.25 {
		t.Errorf("CES %v, %v, %v, want 4.25", ces, ok, err)
	}
	if _, ok, err := stats.CES(nil); ok || err != nil {
		t.Errorf("no answer has a CES: %v", err)
	}
	_, npsErr := stats.NewNPS([11]int64{-1})
	_, csatErr := stats.CSAT([5]int64{math.MaxInt64})
	_, _, cesErr := stats.CES([]int64{-1})
	for _, err := range []error{npsErr, csatErr, cesErr} {
		if !errors.Is(err, stats.ErrCounts) {
			t.Errorf("impossible answers: %v", err)
		}
	}
}

func office(t testing.TB, in *time.Location, holidays ...stats.Period) stats.Hours {
	t.Helper()
	nineToFive := stats.Open{From: 9 * time.Hour, To: 17 * time.Hour}
	h, err := stats.NewHours(in, [7]stats.Open{1: nineToFive, 2: nineToFive, 3: nineToFive, 4: nineToFive, 5: nineToFive, 6: {From: 0, To: 24 * time.Hour}}, holidays)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHours(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	holiday := stats.Day.Of(instant(t, "2026-11-25T12:00:00Z"), berlin)
	h := office(t, berlin, holiday)
	for _, c := range []struct {
		from, to string
		want     time.Duration
	}{
		{"2026-11-23T09:30:00Z", "2026-11-23T09:34:00Z", 4 * time.Minute},  // Monday
		{"2026-11-23T20:00:00Z", "2026-11-24T08:05:00Z", 5 * time.Minute},  // over night
		{"2026-11-24T15:00:00Z", "2026-11-26T08:30:00Z", 90 * time.Minute}, // over the holiday
		{"2026-11-28T23:00:00Z", "2026-11-30T07:00:00Z", 0},                // Sunday
		{"2026-10-23T22:00:00Z", "2026-10-26T23:00:00Z", 24*time.Hour + 8*time.Hour},
		{"2026-11-23T09:34:00Z", "2026-11-23T09:30:00Z", 0},
		{"2026-03-27T22:00:00Z", "2026-03-30T22:00:00Z", 24*time.Hour + 8*time.Hour},
	} {
		if got := h.Between(instant(t, c.from), instant(t, c.to)); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	for _, bad := range []stats.Open{{From: -1}, {From: 5, To: 4}, {To: 25 * time.Hour}} {
		if _, err := stats.NewHours(berlin, [7]stats.Open{bad}, nil); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if got := h.Between(math.MinInt64/2, math.MaxInt64/2); got <= 0 || got > 101*366*day {
		t.Errorf("ages count as %s", got)
	}
}

// TestHoursLaws: a wait is the sum of its parts, and no longer than itself.
func TestHoursLaws(t *testing.T) {
	t.Parallel()
	h := office(t, zone(t, "America/New_York"))
	rapid.Check(t, func(t *rapid.T) {
		a := lifecycle.Instant(rapid.Int64Range(1.7e15, 1.8e15).Draw(t, "a"))
		b := a + lifecycle.Instant(rapid.Int64Range(0, 2e12).Draw(t, "b"))
		c := b + lifecycle.Instant(rapid.Int64Range(0, 2e12).Draw(t, "c"))
		whole := h.Between(a, c)
		if parts := h.Between(a, b) + h.Between(b, c); parts != whole {
			t.Fatalf("parts %s, whole %s", parts, whole)
		}
		if whole > time.Duration(c-a)*time.Microsecond {
			t.Fatalf("%s is more than all of it", whole)
		}
	})
}
