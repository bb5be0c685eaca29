package stats_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// daysBefore makes a journey of touches so many days before its conversion.
func daysBefore(days ...float64) stats.Journey {
	j := stats.Journey{Conversion: 1_800_000_000_000_000, Lead: -1}
	for _, d := range days {
		j.Touches = append(j.Touches, stats.Touch{At: j.Conversion.Add(-time.Duration(d * float64(day)))})
	}
	return j
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	five := daysBefore(14, 10, 7, 3, 0)
	lead := func(j stats.Journey, i int) stats.Journey { j.Lead = i; return j }
	within := func(j stats.Journey, d time.Duration) stats.Journey { j.Lookback = d; return j }
	direct := func(j stats.Journey, at ...int) stats.Journey {
		j.Touches = slices.Clone(j.Touches)
		for _, i := range at {
			j.Touches[i].Direct = true
		}
		return j
	}
	for name, c := range map[string]struct {
		model   stats.Model
		journey stats.Journey
		want    []float64
	}{
		"first":                       {stats.FirstTouch, five, []float64{1, 0, 0, 0, 0}},
		"last":                        {stats.LastTouch, five, []float64{0, 0, 0, 0, 1}},
		"last that is not direct":     {stats.LastNonDirect, direct(five, 3, 4), []float64{0, 0, 1, 0, 0}},
		"all direct":                  {stats.LastNonDirect, direct(five, 0, 1, 2, 3, 4), []float64{0, 0, 0, 0, 1}},
		"linear":                      {stats.Linear, five, []float64{0.2, 0.2, 0.2, 0.2, 0.2}},
		"time decay":                  {stats.TimeDecay, five, []float64{0.0873, 0.1297, 0.1746, 0.2594, 0.3491}},
		"time decay in any order":     {stats.TimeDecay, daysBefore(0, 14, 3, 10, 7), []float64{0.3491, 0.0873, 0.2594, 0.1297, 0.1746}},
		"u":                           {stats.UShaped, five, []float64{0.4, 0.0667, 0.0667, 0.0667, 0.4}},
		"u of one":                    {stats.UShaped, daysBefore(3), []float64{1}},
		"u of two":                    {stats.UShaped, daysBefore(3, 1), []float64{0.5, 0.5}},
		"u of three":                  {stats.UShaped, daysBefore(3, 2, 1), []float64{0.4, 0.2, 0.4}},
		"w":                           {stats.WShaped, lead(five, 2), []float64{0.3, 0.05, 0.3, 0.05, 0.3}},
		"w of one":                    {stats.WShaped, lead(daysBefore(3), 0), []float64{1}},
		"w of two":                    {stats.WShaped, lead(daysBefore(3, 1), 0), []float64{0.5, 0.5}},
		"w of three":                  {stats.WShaped, lead(daysBefore(3, 2, 1), 1), []float64{0.3333, 0.3333, 0.3333}},
		"w without a lead touch":      {stats.WShaped, five, []float64{0.45, 0.0333, 0.0333, 0.0333, 0.45}},
		"w whose last made the lead":  {stats.WShaped, lead(five, 4), []float64{0.45, 0.0333, 0.0333, 0.0333, 0.45}},
		"lookback leaves its end out": {stats.Linear, within(five, 10*day), []float64{0, 0, 0.3333, 0.3333, 0.3333}},
		"after the conversion":        {stats.LastTouch, daysBefore(2, -1), []float64{1, 0}},
		"nothing counts":              {stats.Linear, within(daysBefore(30, 20), day), []float64{0, 0}},
		"no touch":                    {stats.Linear, daysBefore(), nil},
	} {
		got, err := stats.Attribute(c.model, c.journey)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) != len(c.want) {
			t.Fatalf("%s: %d shares, want %d", name, len(got), len(c.want))
		}
		for i, want := range c.want {
			near(t, name, float64(got[i])/float64(stats.Whole), want, 0.00005)
		}
	}
}

func TestAttributionRefuses(t *testing.T) {
	t.Parallel()
	if _, err := stats.Attribute("heart_shaped", daysBefore()); !errors.Is(err, stats.ErrModel) {
		t.Errorf("no such model: %v", err)
	}
	j := daysBefore(1)
	j.HalfLife = -1
	if _, err := stats.Attribute(stats.TimeDecay, j); !errors.Is(err, stats.ErrModel) {
		t.Errorf("a negative half-life: %v", err)
	}
	if _, err := stats.Attribute(stats.Linear, stats.Journey{Touches: make([]stats.Touch, 200_000)}); !errors.Is(err, stats.ErrModel) {
		t.Errorf("endless touches: %v", err)
	}
}

func models() []stats.Model {
	return []stats.Model{stats.FirstTouch, stats.LastTouch, stats.LastNonDirect, stats.Linear, stats.TimeDecay, stats.UShaped, stats.WShaped}
}

// TestAttributionSumsToOne: shares and credited amounts add up to the last
// micro, for any journey.
func TestAttributionSumsToOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		j := stats.Journey{
			Conversion: lifecycle.Instant(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "conversion")),
			Lookback:   time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "lookback")),
			HalfLife:   time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "half")),
			Lead:       rapid.IntRange(-1, 12).Draw(t, "lead"),
		}
		counts := false
		for range rapid.IntRange(0, 12).Draw(t, "touches") {
			touch := stats.Touch{At: j.Conversion - lifecycle.Instant(rapid.Int64Range(-1<<20, 1<<52).Draw(t, "age")), Direct: rapid.Bool().Draw(t, "direct")}
			counts = counts || touch.At <= j.Conversion && (j.Lookback == 0 || touch.At > j.Conversion.Add(-j.Lookback))
			j.Touches = append(j.Touches, touch)
		}
		shares, err := stats.Attribute(rapid.SampledFrom(models()).Draw(t, "model"), j)
		if err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		if counts {
			want = stats.Whole
		}
		if got := total(t, shares); got != want {
			t.Fatalf("shares %v sum to %d, want %d", shares, got, want)
		}
		amount := rapid.Int64().Draw(t, "micros")
		parts, err := stats.Credit(amount, shares)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, p := range parts {
			sum += p
		}
		if counts && sum != amount {
			t.Fatalf("parts %v sum to %d, want %d", parts, sum, amount)
		}
	})
}

// total fails for a share below nothing or above a whole.
func total(t *rapid.T, shares []int64) int64 {
	var sum int64
	for _, s := range shares {
		if s < 0 || s > stats.Whole {
			t.Fatalf("a share of %d", s)
		}
		sum += s
	}
	return sum
}

func TestCredit(t *testing.T) {
	t.Parallel()
	third := []int64{333_333_333, 333_333_333, 333_333_334}
	for _, c := range []struct {
		micros int64
		shares []int64
		want   []int64
	}{
		{100_000_000, third, []int64{33_333_333, 33_333_333, 33_333_334}},
		{-100_000_000, third, []int64{-33_333_333, -33_333_333, -33_333_334}},
		{math.MaxInt64, []int64{stats.Whole / 2, stats.Whole / 2}, []int64{math.MaxInt64 / 2, math.MaxInt64/2 + 1}},
		{5, []int64{0, 0}, []int64{0, 0}},
		{1, []int64{stats.Whole, 0}, []int64{1, 0}},
	} {
		got, err := stats.Credit(c.micros, c.shares)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, %v, want %v", c.micros, c.shares, got, err, c.want)
		}
	}
	for _, shares := range [][]int64{{1, 2}, {stats.Whole, 1}, {-1, stats.Whole + 1}, {math.MaxInt64, math.MaxInt64}} {
		if _, err := stats.Credit(1, shares); !errors.Is(err, stats.ErrModel) {
			t.Errorf("shares %v: %v", shares, err)
		}
	}
}
