package clv

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// same fails where two sums differ by more than rounding does.
func same(t *rapid.T, name string, got, want, size float64) {
	if !(math.Abs(got-want) <= 1e-10*(size+math.Abs(want))) {
		t.Fatalf("%s: %v, want %v", name, got, want)
	}
}

// What is looked up in tables and multiplied is what is computed row by row.
func TestTablesAreRowByRow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := BGNBD{
			R: math.Exp(rapid.Float64Range(-12, 12).Draw(t, "ln r")), Alpha: math.Exp(rapid.Float64Range(-12, 12).Draw(t, "ln alpha")),
			A: math.Exp(rapid.Float64Range(-12, 12).Draw(t, "ln a")), B: math.Exp(rapid.Float64Range(-12, 12).Draw(t, "ln b")),
		}
		x := rapid.Int64Range(1, 300).Draw(t, "x")
		var rows []History
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			age := rapid.IntRange(1, 12).Draw(t, "age")
			rows = append(rows, History{Repeats: x, Last: float64(rapid.IntRange(1, age).Draw(t, "last")) * 8 / 7, Age: float64(age) * 8 / 7, Customers: rapid.Int64Range(1, 9).Draw(t, "customers")})
		}
		got, want := m.tabled(rows, 0, len(rows), timesOf(rows).under(m)), m.plain(rows)
		size := want.weight * (m.R + float64(x)) // what the parts of a sum are like, which may cancel out
		same(t, "weight", got.weight, want.weight, 0)
		same(t, "value", got.value, want.value, 20*size)
		same(t, "gone", got.gone, want.gone, want.weight)
		same(t, "logs", got.logs, want.logs, 20*want.weight)
		same(t, "inverses", got.inverses, want.inverses, 0)
	})
}

// Tables are used where they pay, and the likelihood is the same without.
func TestLikelihoodWithoutTables(t *testing.T) {
	t.Parallel()
	var all []History
	for day := range 400 {
		for x := range 4 {
			h := History{Repeats: int64(x), Age: float64(day%60+1) / 7}
			if x > 0 {
				h.Last = float64((day*x)%(day%60+1)+1) / 7
			}
			all = append(all, h)
		}
	}
	rows, err := MergeHistories(all)
	if err != nil {
		t.Fatal(err)
	}
	m := BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}
	with, without := make([]float64, 4), make([]float64, 4)
	got, want := m.sum(rows, timesOf(rows), with), m.sum(rows, nil, without)
	if len(rows) <= 4*60 || math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%d rows: %v with tables, %v without", len(rows), got, want)
	}
	for i := range with {
		if math.Abs(with[i]-without[i]) > 1e-9*(1+math.Abs(without[i])) {
			t.Errorf("slope %d: %v with tables, %v without", i, with[i], without[i])
		}
	}
	many := make([]History, maxTimes+1)
	for i := range many {
		many[i] = History{Age: 1 + float64(i)/7}
	}
	if timesOf(many) != nil {
		t.Errorf("%d times have tables", len(many))
	}
}

// Spends whose products would be no numbers are added up one by one.
func TestSpendsOfAllSizes(t *testing.T) {
	t.Parallel()
	m := GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}
	rapid.Check(t, func(t *rapid.T) {
		var rows []Spend
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			rows = append(rows, Spend{Purchases: 3, Mean: math.Exp(rapid.Float64Range(-600, 600).Draw(t, "ln z")), Customers: rapid.Int64Range(1, 9).Draw(t, "customers")})
		}
		weight, lnZ, lnReach, inverse := m.reaches(rows)
		var wantWeight, wantZ, wantReach, wantInverse float64
		for _, s := range rows {
			w := float64(s.Customers)
			wantWeight, wantZ, wantReach, wantInverse = wantWeight+w, wantZ+w*math.Log(s.Mean), wantReach+w*math.Log(m.Gamma+3*s.Mean), wantInverse+w/(m.Gamma+3*s.Mean)
		}
		same(t, "customers", weight, wantWeight, 0)
		same(t, "ln z", lnZ, wantZ, 600*wantWeight)
		same(t, "ln of reach", lnReach, wantReach, 600*wantWeight)
		same(t, "inverse", inverse, wantInverse, 0)
	})
}
