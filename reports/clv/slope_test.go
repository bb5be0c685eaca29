package clv

import (
	"context"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestSlopes compares the slopes in closed form with differences: a wrong one
// would still find the maximum, by the slower search without slopes.
func TestSlopes(t *testing.T) {
	t.Parallel()
	histories, err := MergeHistories([]History{{Age: 20}, {Age: 30, Customers: 3}, {Repeats: 1, Last: 4, Age: 30}, {Repeats: 4, Last: 25, Age: 30}, {Repeats: 40, Last: 29, Age: 39}})
	if err != nil {
		t.Fatal(err)
	}
	spends, _, err := mergeSpends([]Spend{{Purchases: 1, Mean: 12}, {Purchases: 2, Mean: 30, Customers: 4}, {Purchases: 9, Mean: 80}})
	if err != nil {
		t.Fatal(err)
	}
	lifetimes := []Lifetime{{1, 30, 10}, {2, 12, 20}, {3, 6, 40}}
	for name, c := range map[string]struct {
		dim int
		f   likelihood
	}{
		"BG/NBD": {4, func(p, g []float64) float64 {
			return BGNBD{p[0], p[1], p[2], p[3]}.sum(histories, timesOf(histories), g)
		}},
		"gamma-gamma": {3, func(p, g []float64) float64 { return GammaGamma{p[0], p[1], p[2]}.sum(spends, g) }},
		"geometric":   {2, func(p, g []float64) float64 { return ShiftedBetaGeometric{p[0], p[1]}.sum(lifetimes, g) }},
	} {
		rapid.Check(t, func(t *rapid.T) {
			params := rapid.SliceOfN(rapid.Float64Range(0.2, 8), c.dim, c.dim).Draw(t, "params")
			grad, unused := make([]float64, c.dim), make([]float64, c.dim)
			c.f(params, grad)
			for i, at := range params {
				const step = 1e-5
				params[i] = at + step
				above := c.f(params, unused)
				params[i] = at - step
				below := c.f(params, unused)
				params[i] = at
				if want := (above - below) / (2 * step); math.Abs(grad[i]-want) > 1e-4*(1+math.Abs(want)) {
					t.Fatalf("%s: slope %d at %v is %v, by differences %v", name, i, params, grad[i], want)
				}
			}
		})
	}
}

// TestMaximise covers the ends of the search that good data do not reach.
func TestMaximise(t *testing.T) {
	t.Parallel()
	nowhere := func(_, grad []float64) float64 { clear(grad); return math.NaN() }
	if _, _, err := maximise(t.Context(), 1, [][]float64{{1}}, nowhere); !errors.Is(err, ErrNotFitted) {
		t.Errorf("a likelihood without numbers: %v", err)
	}
	// A slope that points the wrong way; the top is at 3.
	lying := func(p, grad []float64) float64 {
		grad[0] = 5
		return -(p[0] - 3) * (p[0] - 3)
	}
	params, fit, err := maximise(t.Context(), 1, [][]float64{{1}}, lying)
	if err != nil || math.Abs(params[0]-3) > 1e-3 || fit.AtEdge {
		t.Errorf("found %v, %+v, %v", params, fit, err)
	}
	rising := func(p, grad []float64) float64 { grad[0] = 1 / p[0]; return math.Log(p[0]) }
	if params, fit, err := maximise(t.Context(), 1, [][]float64{{1}}, rising); err != nil || !fit.AtEdge {
		t.Errorf("without a top: %v, %+v, %v", params, fit, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := maximise(ended, 1, [][]float64{{1}}, rising); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}
