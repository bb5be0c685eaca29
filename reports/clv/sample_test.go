package clv

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestManyRowsFitAsFewDo: where a sample finds the beginning, the end is the
// maximum over all rows that the search without a sample finds.
func TestManyRowsFitAsFewDo(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []History
	for range sampleOver + 500 {
		h := History{Age: float64(26+rnd.IntN(78)) + rnd.Float64(), Customers: 1}
		if h.Repeats = int64(rnd.ExpFloat64()); h.Repeats > 0 {
			h.Last = h.Age * (0.05 + 0.9*rnd.Float64())
		}
		all = append(all, h)
	}
	model, fit, err := FitBGNBD(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := MergeHistories(all)
	if err != nil || len(rows) <= sampleOver {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	params, whole, err := maximise(t.Context(), fit.Customers, [][]float64{{1, 50, 1, 1}}, func(p, grad []float64) float64 {
		return BGNBD{p[0], p[1], p[2], p[3]}.sum(rows, timesOf(rows), grad)
	})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(fit.LogLikelihood-whole.LogLikelihood) > 0.01 || math.Abs(model.R-params[0]) > 0.001*params[0] || math.Abs(model.Alpha-params[1]) > 0.001*params[1] {
		t.Errorf("%+v %+v, without a sample %v %+v", model, fit, params, whole)
	}
}
