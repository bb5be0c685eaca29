package clv_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
)

func TestBGNBDRefuses(t *testing.T) {
	t.Parallel()
	m := published()
	wrong := clv.History{Repeats: 1, Last: 9, Age: 5}
	if _, _, err := m.PAlive(wrong); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("P(alive): %v", err)
	}
	if _, err := m.LogLikelihood([]clv.History{wrong}); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("log-likelihood: %v", err)
	}
	if _, err := m.ExpectedOf(wrong, 1); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("expected: %v", err)
	}
	if _, err := m.Expected(-1); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("a time ago: %v", err)
	}
	if _, err := m.Expected(1e15); !errors.Is(err, clv.ErrSeries) {
		t.Errorf("beyond all time: %v", err)
	}
	if _, err := clv.NewValue(m, publishedSpend(), clv.History{Age: 1}, 0, clv.Horizon{Steps: 10, Length: 1e15}); !errors.Is(err, clv.ErrSeries) {
		t.Errorf("value beyond all time: %v", err)
	}
	if _, err := clv.NewValue(m, publishedSpend(), clv.History{Repeats: 1, Last: 1, Age: 1}, -5, clv.Horizon{Steps: 1}); !errors.Is(err, clv.ErrSpend) {
		t.Errorf("value of a negative mean: %v", err)
	}
	if _, err := publishedSpend().LogLikelihood([]clv.Spend{{}}); !errors.Is(err, clv.ErrSpend) {
		t.Errorf("log-likelihood of nothing spent: %v", err)
	}
	many := []clv.History{{Age: 1, Customers: math.MaxInt64}, {Age: 1, Customers: 1}}
	if _, err := clv.MergeHistories(many); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("more than can be counted: %v", err)
	}
}

func TestProbabilityEdges(t *testing.T) {
	t.Parallel()
	m := published()
	for _, c := range []struct {
		n    int64
		t    float64
		want float64
	}{{0, 0, 1}, {1, 0, 0}, {-1, 5, 0}, {1, -5, 0}, {1, math.NaN(), 0}, {math.MaxInt64, 5, 0}} {
		if got := m.Probability(c.n, c.t); got != c.want {
			t.Errorf("P(X(%g)=%d) = %v, want %v", c.t, c.n, got, c.want)
		}
	}
	if got := (clv.ShiftedBetaGeometric{Alpha: 1, Beta: 2}).LeavesAfter(0); got != 0 {
		t.Errorf("%v leave before the first period", got)
	}
}

// TestSingularParameters: at a = 1 and a + b = 1 the printed formulas divide
// zero by zero; the answer there is that of the neighbours.
func TestSingularParameters(t *testing.T) {
	t.Parallel()
	for _, h := range []clv.History{{Age: 20}, {Repeats: 1, Last: 10, Age: 20}, {Repeats: 5, Last: 15, Age: 20}} {
		for _, at := range []clv.BGNBD{{R: 0.5, Alpha: 4, A: 1, B: 2}, {R: 0.5, Alpha: 4, A: 0.4, B: 0.6}} {
			below, above := at, at
			below.A, above.A = at.A-1e-4, at.A+1e-4
			low, err := below.ExpectedOf(h, 30)
			if err != nil {
				t.Fatal(err)
			}
			high, err := above.ExpectedOf(h, 30)
			if err != nil {
				t.Fatal(err)
			}
			got, err := at.ExpectedOf(h, 30)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "expected at the singular place", got, (low+high)/2, 1e-5*(1+got))
		}
	}
}

// TestObserveAnyOrder: purchases in any order, a history that can be fitted.
func TestObserveAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bought := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) clv.Purchase {
			return clv.Purchase{
				At:     lifecycle.Instant(rapid.Int64Range(-2e12, 5e13).Draw(t, "at")),
				Micros: rapid.Int64Range(-5, 1e9).Draw(t, "micros"),
			}
		}), 0, 20).Draw(t, "purchases")
		const until = 4e13
		o, ok := clv.Observe(bought, until, time.UTC)
		turned := slices.Clone(bought)
		slices.Reverse(turned)
		back, okBack := clv.Observe(turned, until, time.UTC)
		near := gocmp(1e-9)
		if ok != okBack || !cmp.Equal(o, back, near) {
			t.Fatalf("order matters: %+v and %+v", o, back)
		}
		if !ok {
			return
		}
		if _, err := clv.MergeHistories(clv.Histories([]clv.Observed{o})); err != nil {
			t.Fatal(err)
		}
		if o.Mean < 0 || math.IsNaN(o.Variation) || o.Gaps != int(o.History.Repeats) {
			t.Fatalf("observed %+v", o)
		}
	})
}

// gocmp compares sums of amounts, which depend on their order in the last bit.
func gocmp(within float64) cmp.Option {
	return cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= within*(1+math.Abs(a)) })
}
