package stats_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/stats"
)

func TestConcentration(t *testing.T) {
	t.Parallel()
	// 2, 1, 1, 1, 0 and a refund: five units of six people.
	c, err := stats.NewConcentration("EUR", []stats.Count[int64]{{1, 2}, {-4, 1}, {2, 1}, {1, 1}, {0, 1}}, 34, 80)
	if err != nil {
		t.Fatal(err)
	}
	want := stats.Concentration{
		Currency: "EUR", Customers: 6, Zero: 1, Negative: 1, Total: 5, Mean: 0, Median: 1,
		TopPercent: 34, Top: 3, TopRevenue: 4, TopShare: 0.8, Threshold: 1, Tied: 1,
		FewPercent: 80, Few: 3, FewShare: 0.5,
		// x rising: 0 0 1 1 1 2; Σ(2i-7)·x_i = -1 + 1 + 3 + 2·5 = 13.
		Gini: 13.0 / 30, Formula: "customers by revenue: share of the top ceil(34 %), the smallest number who have 80 %, " +
			"Gini = Σ(2i-n-1)·x_i / (n·Σx), x rising; revenue below zero counts as zero",
	}
	if math.Abs(c.Gini-want.Gini) < 1e-15 {
		c.Gini = want.Gini
	}
	c.Lorenz = nil // has a test of its own
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("concentration (-want +got):\n%s", diff)
	}
}

func TestConcentrationEdges(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]stats.Count[int64]{
		"nobody": nil, "nothing": {{0, 5}}, "all the same": {{7, 3}, {7, 4}}, "no rows of anybody": {{3, 0}},
	} {
		c, err := stats.NewConcentration("EUR", rows, 0, 0)
		if err != nil || c.Gini != 0 || math.IsNaN(c.TopShare) || math.IsNaN(c.FewShare) || c.TopPercent != 20 || c.FewPercent != 80 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for name, rows := range map[string][]stats.Count[int64]{
		"negative":   {{1, -1}},
		"too many":   {{1, math.MaxInt64}},
		"too much":   {{math.MaxInt64, 1 << 30}},
		"with a sum": {{1 << 62, 1}, {1 << 62, 1}},
	} {
		if _, err := stats.NewConcentration("EUR", rows, 0, 0); !errors.Is(err, stats.ErrCounts) && !errors.Is(err, stats.ErrAmount) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stats.NewConcentration("EUR", nil, 101, 0); !errors.Is(err, stats.ErrCounts) {
		t.Errorf("the top 101 %%: %v", err)
	}
}

// TestConcentrationLaws goes through the customers one by one.
func TestConcentrationLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-5, 200), 1, 60).Draw(t, "values")
		top, few := rapid.IntRange(1, 100).Draw(t, "top"), rapid.IntRange(1, 100).Draw(t, "few")
		c, err := stats.NewConcentration("EUR", stats.CountValues(values), top, few)
		if err != nil {
			t.Fatal(err)
		}
		var single []stats.Count[int64]
		for _, v := range values {
			single = append(single, stats.Count[int64]{Value: v, N: 1})
		}
		again, err := stats.NewConcentration("EUR", single, top, few)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(c.Gini-again.Gini) > 1e-12 {
			t.Fatalf("gini %v, one by one %v", c.Gini, again.Gini)
		}
		again.Gini = c.Gini
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatalf("counted rows differ from single ones:\n%s", diff)
		}
		var total, weighted int64
		for i := range values {
			values[i] = max(0, values[i])
			total += values[i]
		}
		slices.Sort(values)
		n := int64(len(values))
		for i, v := range values {
			weighted += (2*int64(i+1) - n - 1) * v
		}
		slices.Reverse(values)
		var sum, topRevenue, needed int64
		for i, v := range values {
			if sum*100 < total*int64(few) {
				needed = int64(i + 1)
			}
			sum += v
			if int64(i) < c.Top {
				topRevenue += v
			}
		}
		if total > 0 && math.Abs(c.Gini-float64(weighted)/float64(n*total)) > 1e-12 {
			t.Fatalf("gini %v, want %v", c.Gini, float64(weighted)/float64(n*total))
		}
		if c.Gini < 0 || c.Gini >= 1 || c.TopRevenue != topRevenue || c.Few != needed || c.Total != total ||
			c.Top != (n*int64(top)+99)/100 || c.Threshold != values[c.Top-1] {
			t.Fatalf("%+v: top has %d, %d have enough", c, topRevenue, needed)
		}
		if total > 0 && c.TopShare < float64(c.Top)/float64(n)-1e-12 {
			t.Fatalf("the top %d of %d have less than their part: %v", c.Top, n, c.TopShare)
		}
	})
}

func TestLift(t *testing.T) {
	t.Parallel()
	lifts, err := stats.NewLifts(200, 800, []stats.Feature{
		{"source:referral", 60, 80}, {"country:DE", 50, 200}, {"plan:legacy", 2, 0}, {"event:refund", 0, 40}, {"rare", 1, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]stats.Lift{}
	for _, l := range lifts {
		by[l.Name] = l
	}
	r := by["source:referral"]
	// 30 % against 10 %; ln 3 ± 1.96·√(1/60 - 1/200 + 1/80 - 1/800).
	near(t, "lift", r.Value, 3, 1e-12)
	near(t, "low", r.Low, 2.2298, 0.00005)
	near(t, "high", r.High, 4.0363, 0.00005)
	near(t, "difference", r.Difference, 0.2, 1e-12)
	if !r.Distinct || !r.Known || r.DifferenceLow <= 0.13 || r.DifferenceHigh >= 0.28 || lifts[0].Name != r.Name {
		t.Errorf("referral: %+v", r)
	}
	if de := by["country:DE"]; de.Distinct || de.Value != 1 || de.Low >= 1 || de.High <= 1 {
		t.Errorf("the same share: %+v", de)
	}
	if p := by["plan:legacy"]; p.Known || p.Distinct || p.Difference != 0.01 {
		t.Errorf("nobody in the rest: %+v", p)
	}
	if e := by["event:refund"]; !e.Known || e.Value != 0 || e.Low != 0 || !(e.High > 0 && e.High < 1) || !e.Distinct {
		t.Errorf("nobody in the group: %+v", e)
	}
	if x := by["rare"]; x.Distinct {
		t.Errorf("two people prove: %+v", x)
	}
	for _, bad := range []stats.Feature{{"", 201, 0}, {"", -1, 0}, {"", 0, 801}} {
		if _, err := stats.NewLifts(200, 800, []stats.Feature{bad}); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := stats.NewLifts(0, 800, nil); !errors.Is(err, stats.ErrCounts) {
		t.Errorf("an empty group: %v", err)
	}
}

// TestLiftOfMany: a difference that is rare by chance alone is common among a
// thousand features.
func TestLiftOfMany(t *testing.T) {
	t.Parallel()
	striking := stats.Feature{Name: "striking", InGroup: 68, InRest: 200}
	alone, err := stats.NewLifts(200, 800, []stats.Feature{striking})
	if err != nil {
		t.Fatal(err)
	}
	many := []stats.Feature{striking}
	for range 999 {
		many = append(many, stats.Feature{Name: "dull", InGroup: 50, InRest: 200})
	}
	among, err := stats.NewLifts(200, 800, many)
	if err != nil {
		t.Fatal(err)
	}
	if among[0].Name != "striking" || !alone[0].Distinct || among[0].Distinct {
		t.Errorf("alone %+v, among a thousand %+v", alone[0], among[0])
	}
}

// TestNewcombe holds the difference's interval against the example of the
// paper: 56/70 and 48/80 give 0.2 [0.0524, 0.3339].
func TestNewcombe(t *testing.T) {
	t.Parallel()
	lifts, err := stats.NewLifts(70, 80, []stats.Feature{{"", 56, 48}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "difference", lifts[0].Difference, 0.2, 1e-12)
	near(t, "low", lifts[0].DifferenceLow, 0.0524, 0.00005)
	near(t, "high", lifts[0].DifferenceHigh, 0.3339, 0.00005)
}

func TestLiftLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Int64Range(1, 500).Draw(t, "n"), rapid.Int64Range(1, 500).Draw(t, "m")
		f := stats.Feature{Name: "f", InGroup: rapid.Int64Range(0, n).Draw(t, "a"), InRest: rapid.Int64Range(0, m).Draw(t, "b")}
		there, err := stats.NewLifts(n, m, []stats.Feature{f})
		if err != nil {
			t.Fatal(err)
		}
		back, err := stats.NewLifts(m, n, []stats.Feature{{"f", f.InRest, f.InGroup}})
		if err != nil {
			t.Fatal(err)
		}
		l, o := there[0], back[0]
		if l.DifferenceLow < -1 || l.DifferenceLow > l.Difference || l.DifferenceHigh < l.Difference || l.DifferenceHigh > 1 {
			t.Fatalf("difference outside its interval: %+v", l)
		}
		if l.Known && (l.Low > l.Value || l.High < l.Value || l.Low < 0 || math.IsNaN(l.High)) {
			t.Fatalf("lift outside its interval: %+v", l)
		}
		if l.Distinct != o.Distinct || math.Abs(l.DifferenceLow+o.DifferenceHigh) > 1e-12 {
			t.Fatalf("the other way round %+v and %+v", l, o)
		}
		if l.Known && o.Known && l.Value > 0 && math.Abs(l.Value*o.Value-1) > 1e-9 {
			t.Fatalf("lifts %v and %v", l.Value, o.Value)
		}
	})
}
