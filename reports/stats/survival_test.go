package stats_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/stats"
)

const day = 24 * time.Hour

// near fails unless got is want, give or take tolerance.
func near(t testing.TB, name string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.7g, want %.7g ± %g", name, got, want, tolerance)
	}
}

func TestKaplanMeier(t *testing.T) {
	t.Parallel()
	s, err := stats.KaplanMeier([]stats.Spell{
		{Length: 10 * day, Open: 1}, {Length: 1 * day, Ended: 1}, {Length: 3 * day, Open: 1}, {Length: 2 * day, Ended: 1},
		{Length: 8 * day, Ended: 1}, {Length: 6 * day, Open: 1}, {Length: 4 * day, Ended: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		at     time.Duration
		atRisk int64
		share  float64
	}{{1 * day, 7, 0.8571}, {2 * day, 6, 0.7143}, {4 * day, 4, 0.5357}, {8 * day, 2, 0.2679}} {
		if step := s.Steps[i]; step.At != want.at || step.AtRisk != want.atRisk {
			t.Errorf("step %d: %+v, want %+v", i, step, want)
		}
		near(t, "share", s.Steps[i].Share, want.share, 0.00005)
	}
	if len(s.Steps) != 4 || s.Spells != 7 || s.Ended != 4 {
		t.Errorf("counted %+v", s)
	}
	if median, ok := s.Median(); !ok || median != 8*day {
		t.Errorf("median %s, %v, want 8 days", median, ok)
	}
	if p, ok := s.Percentile(90); ok {
		t.Errorf("90 %% ended by %s, which nobody can know", p)
	}
	if by, ok := s.EndedBy(5 * day); !ok || math.Abs(by-0.4643) > 0.00005 {
		t.Errorf("ended within 5 days: %v, %v", by, ok)
	}
	if left, ok := s.Lasting(11 * day); ok {
		t.Errorf("%v last beyond what was seen", left)
	}
	if left, ok := s.Lasting(10 * day); !ok || left != s.Steps[3].Share {
		t.Errorf("%v, %v last to the longest", left, ok)
	}
}

// TestKaplanMeierInterval computes the interval by hand: ten spells, three of
// which ended at one day. Greenwood's sum is 3/(10·7); ln(-ln 0.7) = -1.030930.
func TestKaplanMeierInterval(t *testing.T) {
	t.Parallel()
	s, err := stats.KaplanMeier([]stats.Spell{{Length: day, Ended: 3}, {Length: 2 * day, Open: 7}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "low", s.Steps[0].Low, 0.3287, 0.0001)
	near(t, "high", s.Steps[0].High, 0.8919, 0.0001)
}

func TestKaplanMeierEdges(t *testing.T) {
	t.Parallel()
	none, err := stats.KaplanMeier(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := none.Median(); ok {
		t.Error("nobody has a median")
	}
	if _, ok := none.Lasting(0); ok {
		t.Error("nobody lasts")
	}
	all, err := stats.KaplanMeier([]stats.Spell{{Length: 2 * day, Ended: 5}})
	if err != nil {
		t.Fatal(err)
	}
	if left, ok := all.Lasting(50 * day); !ok || left != 0 {
		t.Errorf("%v, %v last after everybody is gone", left, ok)
	}
	for _, bad := range [][]stats.Spell{
		{{Length: -1, Ended: 1}}, {{Ended: -1}}, {{Open: -1}}, {{Ended: math.MaxInt64}, {Open: 1}},
	} {
		if _, err := stats.KaplanMeier(bad); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func spells(t *rapid.T, name string) []stats.Spell {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Spell {
		return stats.Spell{
			Length: time.Duration(rapid.Int64Range(0, 20).Draw(t, "length")) * time.Hour,
			Ended:  rapid.Int64Range(0, 3).Draw(t, "ended"),
			Open:   rapid.Int64Range(0, 3).Draw(t, "open"),
		}
	}), 0, 30).Draw(t, name)
}

// TestSurvivalLaws: the curve never rises and is the plain product; two halves
// of the same spells in any order give the curve of the whole.
func TestSurvivalLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := spells(t, "a"), spells(t, "b")
		s, err := stats.KaplanMeier(append(slices.Clone(a), b...))
		if err != nil {
			t.Fatal(err)
		}
		turned, err := stats.KaplanMeier(append(slices.Clone(b), a...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, turned); diff != "" {
			t.Fatalf("order matters:\n%s", diff)
		}
		product, before := 1.0, 1.0
		for _, step := range s.Steps {
			product *= 1 - float64(step.Ended)/float64(step.AtRisk)
			if math.Abs(product-step.Share) > 1e-9 {
				t.Fatalf("share at %s is %v, the product %v", step.At, step.Share, product)
			}
			if step.Share >= before || step.Low < 0 || step.Low > step.Share || step.High < step.Share || step.High > 1 {
				t.Fatalf("step %+v after a share of %v", step, before)
			}
			before = step.Share
		}
	})
}

// TestPercentileAgreesWithSurvival: where nothing is open both are the nearest
// rank, and that is the value in its place of the sorted list.
func TestPercentileAgreesWithSurvival(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 40), 1, 60).Draw(t, "values")
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		var ended []stats.Spell
		for _, v := range values {
			ended = append(ended, stats.Spell{Length: time.Duration(v), Ended: 1})
		}
		s, err := stats.KaplanMeier(ended)
		if err != nil {
			t.Fatal(err)
		}
		fromCurve, ok := s.Percentile(percent)
		got, ok2 := stats.Percentile(stats.CountValues(values), percent)
		slices.Sort(values)
		want := values[(percent*len(values)+99)/100-1]
		if !ok || !ok2 || got != want || int64(fromCurve) != want {
			t.Fatalf("percentile %d is %d, of the curve %d, want %d", percent, got, fromCurve, want)
		}
	})
}

func TestPercentileEdges(t *testing.T) {
	t.Parallel()
	if _, ok := stats.Percentile[int64](nil, 50); ok {
		t.Error("nothing has a median")
	}
	for _, percent := range []int{-1, 0, 101} {
		if _, ok := stats.Percentile([]stats.Count[int64]{{1, 1}}, percent); ok {
			t.Errorf("there is a percentile %d", percent)
		}
	}
	counts := []stats.Count[int64]{{30, 1 << 40}, {10, math.MaxInt64}, {20, -5}, {10, 1 << 50}}
	if got, ok := stats.Percentile(counts, 100); !ok || got != 30 {
		t.Errorf("the largest is %d, %v", got, ok)
	}
	if got, ok := stats.Percentile(counts, 50); !ok || got != 10 {
		t.Errorf("the median is %d, %v", got, ok)
	}
	if _, ok := stats.Percentile([]stats.Count[int64]{{1, math.MaxInt64}, {2, math.MaxInt64}, {3, 2}}, 50); ok {
		t.Error("more than can be counted has a median")
	}
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	waits := []stats.Spell{
		{Length: time.Minute, Ended: 4}, {Length: 3 * time.Minute, Open: 2}, {Length: 5 * time.Minute, Ended: 1},
		{Length: 2 * time.Hour, Ended: 2}, {Length: 30 * time.Hour, Ended: 1},
	}
	s, err := stats.NewSpeed(waits, stats.LeadGoal)
	if err != nil {
		t.Fatal(err)
	}
	// 6 of 10 last beyond a minute; two leave unseen; 3 of the 4 left last
	// beyond five minutes: 0.6 · 3/4 = 0.45.
	near(t, "answered within five minutes", s.Within.Value, 0.55, 1e-12)
	if s.Leads != 10 || s.Answered != 8 || !s.Within.Known || !s.Median.Known || s.Median.Value != 5*time.Minute ||
		!s.P90.Known || s.P90.Value != 30*time.Hour {
		t.Errorf("speed is %+v", s)
	}
}
