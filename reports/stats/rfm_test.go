package stats_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/stats"
)

func TestScale(t *testing.T) {
	t.Parallel()
	// Half bought once: nobody is worse than they are, and all score 1.
	purchases, err := stats.NewScale([]stats.Count[int64]{{1, 25}, {2, 10}, {1, 25}, {3, 20}, {9, 20}}, false)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[int64]int{0: 1, 1: 1, 2: 3, 3: 4, 4: 4, 9: 5, 100: 5} {
		if got := purchases.Score(value); got != want {
			t.Errorf("%d purchases score %d, want %d (cuts %v)", value, got, want, purchases.Cuts)
		}
	}
	days, err := stats.NewScale([]stats.Count[int64]{{0, 1}, {10, 1}, {20, 1}, {30, 1}, {40, 1}}, true)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[int64]int{0: 5, 10: 4, 15: 3, 20: 3, 30: 2, 40: 1, 400: 1, math.MinInt64: 5} {
		if got := days.Score(value); got != want {
			t.Errorf("%d days score %d, want %d (cuts %v)", value, got, want, days.Cuts)
		}
	}
	fixed := stats.RFMScales{
		Recency:   stats.Scale{Cuts: []int64{-365, -180, -90, -30}, Falling: true},
		Frequency: stats.Scale{Cuts: []int64{2, 3, 5, 10}},
		Monetary:  stats.Scale{Cuts: []int64{10_000_000, 50_000_000, 100_000_000, 500_000_000}},
	}
	if got := fixed.Score(30, 4, 99_999_999).String(); got != "533" {
		t.Errorf("by fixed thresholds %s, want 533", got)
	}
	for _, bad := range [][]stats.Count[int64]{{{1, -1}}, {{1, math.MaxInt64}, {2, 1}}} {
		if _, err := stats.NewScale(bad, false); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if none, err := stats.NewScale(nil, false); err != nil || none.Score(5) != 1 {
		t.Errorf("a scale of nobody: %+v, %v", none, err)
	}
}

// TestScaleLaws: the score is one more than the whole fifths of people who are
// strictly worse, so ties are honest and a better value never scores less.
func TestScaleLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 12), 1, 50).Draw(t, "values")
		falling := rapid.Bool().Draw(t, "falling")
		scale, err := stats.NewScale(stats.CountValues(values), falling)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			worse := 0
			for _, o := range values {
				if (!falling && o < v) || (falling && o > v) {
					worse++
				}
			}
			if got, want := scale.Score(v), 1+5*worse/len(values); got != want {
				t.Fatalf("%d scores %d, want %d: %d of %d are worse", v, got, want, worse, len(values))
			}
		}
	})
}

func TestRFMGroups(t *testing.T) {
	t.Parallel()
	for score, want := range map[stats.RFM]stats.RFMGroup{
		{5, 5, 5}: stats.Champions, {4, 4, 1}: stats.Champions, {3, 3, 3}: stats.Loyal, {5, 3, 2}: stats.Loyal, {3, 5, 5}: stats.Loyal,
		{5, 1, 4}: stats.NewCustomer, {4, 1, 1}: stats.PotentialLoyalist, {5, 2, 2}: stats.PotentialLoyalist, {3, 1, 5}: stats.PotentialLoyalist,
		{2, 3, 3}: stats.AtRisk, {1, 3, 3}: stats.AtRisk, {2, 5, 5}: stats.AtRisk, {1, 4, 4}: stats.CantLose, {1, 5, 1}: stats.CantLose,
		{2, 1, 1}: stats.Hibernating, {1, 2, 1}: stats.Hibernating, {1, 1, 2}: stats.Hibernating, {1, 1, 1}: stats.LostCustomer,
	} {
		if got := score.Group(); got != want {
			t.Errorf("%s is %s, want %s", score, got, want)
		}
	}
}
