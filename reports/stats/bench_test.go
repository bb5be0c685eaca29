package stats_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/reports/stats"
)

const million = 1_000_000

// BenchmarkConcentration sorts a million customers, nearly all different.
func BenchmarkConcentration(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	rows := make([]stats.Count[int64], million)
	for i := range rows {
		rows[i] = stats.Count[int64]{Value: int64(rng.ExpFloat64() * 1e8), N: 1}
	}
	for b.Loop() {
		if _, err := stats.NewConcentration("EUR", rows, 20, 80); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKaplanMeier estimates from a million spells, nearly all different.
func BenchmarkKaplanMeier(b *testing.B) {
	rng := rand.New(rand.NewPCG(2, 2))
	rows := make([]stats.Spell, million)
	for i := range rows {
		rows[i] = stats.Spell{Length: time.Duration(rng.ExpFloat64() * float64(30*day)), Ended: 1}
		if rng.IntN(4) == 0 {
			rows[i].Ended, rows[i].Open = 0, 1
		}
	}
	for b.Loop() {
		if _, err := stats.KaplanMeier(rows); err != nil {
			b.Fatal(err)
		}
	}
}
