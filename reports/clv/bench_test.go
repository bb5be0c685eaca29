package clv_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stagebridge/stagebridge/reports/clv"
)

// BenchmarkFitBGNBD fits 100,000 customers, who differ to the day.
func BenchmarkFitBGNBD(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var all []clv.History
	for range 100_000 {
		h := draw(rng, clv.BGNBD{R: 0.3, Alpha: 5, A: 0.8, B: 2.5}, 20+float64(rng.IntN(600))/7)
		if h.Last = float64(int(h.Last*7)) / 7; h.Last == 0 {
			h.Repeats = 0
		}
		all = append(all, h)
	}
	for b.Loop() {
		if _, _, err := clv.FitBGNBD(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValue values one customer over a year of weeks.
func BenchmarkValue(b *testing.B) {
	over := clv.Horizon{Steps: 52, Discount: clv.PerStep(0.15, 52)}
	for b.Loop() {
		if _, err := clv.NewValue(published(), publishedSpend(), clv.History{Repeats: 2, Last: 30.43, Age: 38.86}, 22.35, over); err != nil {
			b.Fatal(err)
		}
	}
}
