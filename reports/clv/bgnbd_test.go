package clv_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/clv"
)

// TestBGNBDPublished holds the formulas against printed values.
func TestBGNBDPublished(t *testing.T) {
	t.Parallel()
	m := published()
	for horizon, want := range map[float64]float64{0.1429: 0.0078, 1: 0.0533, 3: 0.1509, 31.8571: 1.0420, 32: 1.0452, 78: 1.8605} {
		got, err := m.Expected(horizon)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "expected purchases of a new customer", got, want, 0.0001)
	}
	for _, c := range []struct {
		h    clv.History
		want float64
	}{
		{clv.History{Repeats: 2, Last: 30.43, Age: 38.86}, 1.226},
		{clv.History{Age: 38.86}, 0.1951},
	} {
		got, err := m.ExpectedOf(c.h, 39)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "expected purchases", got, c.want, 0.0005)
	}
	alive, known, err := m.PAlive(clv.History{Repeats: 2, Last: 30.43, Age: 38.86})
	if err != nil || !known {
		t.Fatal(known, err)
	}
	near(t, "P(alive)", alive, 0.7266, 0.00005)
	if alive, known, err := m.PAlive(clv.History{Age: 38.86}); err != nil || known || alive != 1 {
		t.Errorf("P(alive) without a repeat is %v, %v, %v", alive, known, err)
	}
	near(t, "P(X(39)=0)", m.Probability(0, 39), 0.5737864, 5e-8)
	near(t, "P(X(2)=10)", m.Probability(10, 2), 1.07869e-07, 5e-13)
}

// TestBGNBDRecovers fits customers that were drawn from the model itself.
func TestBGNBDRecovers(t *testing.T) {
	t.Parallel()
	truth := clv.BGNBD{R: 0.8, Alpha: 6, A: 0.9, B: 3}
	rng := rand.New(rand.NewPCG(1, 2))
	var all []clv.History
	for range 20_000 {
		all = append(all, draw(rng, truth, 60))
	}
	m, fit, err := clv.FitBGNBD(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	// Four standard errors, roughly, at this many customers.
	near(t, "r", m.R, truth.R, 0.06)
	near(t, "α", m.Alpha, truth.Alpha, 0.6)
	near(t, "a/(a+b)", m.A/(m.A+m.B), truth.A/(truth.A+truth.B), 0.02)
	atTruth, err := truth.LogLikelihood(all)
	if err != nil {
		t.Fatal(err)
	}
	if fit.LogLikelihood < atTruth || fit.LogLikelihood > atTruth+15 {
		t.Errorf("log-likelihood %.2f, at the truth %.2f", fit.LogLikelihood, atTruth)
	}
}

// draw lives through one customer by the story of the
// model.
func draw(rng *rand.Rand, m clv.BGNBD, age float64) clv.History {
	rate := gamma(rng, m.R) / m.Alpha
	x, y := gamma(rng, m.A), gamma(rng, m.B)
	leave := x / (x + y)
	h := clv.History{Age: age}
	for at := rng.ExpFloat64() / rate; at < age; at += rng.ExpFloat64() / rate {
		h.Repeats, h.Last = h.Repeats+1, at
		if rng.Float64() < leave {
			break
		}
	}
	return h
}

// gamma draws by Marsaglia and Tsang (2000); shapes below one are lifted by
// one and scaled down.
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := math.Pow(1+c*x, 3)
		if v > 0 && math.Log(rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func TestFitBGNBDOrderAndCounts(t *testing.T) {
	t.Parallel()
	one := []clv.History{
		{Age: 30}, {Age: 30}, {Age: 20}, {Repeats: 1, Last: 4, Age: 30}, {Repeats: 3, Last: 25, Age: 30},
		{Repeats: 2, Last: 6, Age: 28}, {Repeats: 9, Last: 27, Age: 29}, {Repeats: 1, Last: 20, Age: 22},
	}
	counted := []clv.History{
		{Repeats: 9, Last: 27, Age: 29}, {Repeats: 2, Last: 6, Age: 28}, {Age: 20}, {Repeats: 1, Last: 20, Age: 22},
		{Repeats: 3, Last: 25, Age: 30}, {Age: 30, Customers: 2}, {Repeats: 1, Last: 4, Age: 30},
	}
	a, _, err := clv.FitBGNBD(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	b, fit, err := clv.FitBGNBD(t.Context(), counted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("order or counting matters (-one by one +counted):\n%s", diff)
	}
	if fit.Customers != 8 {
		t.Errorf("%d customers, want 8", fit.Customers)
	}
}

func TestMergeHistories(t *testing.T) {
	t.Parallel()
	one := clv.History{Repeats: 2, Last: 5, Age: 9}
	older, later := one, one
	older.Age, later.Last = 10, 6
	counted := one
	counted.Customers = 3
	got, err := clv.MergeHistories([]clv.History{older, one, later, counted, one})
	if err != nil {
		t.Fatal(err)
	}
	older.Customers, later.Customers, counted.Customers = 1, 1, 5
	if diff := cmp.Diff([]clv.History{counted, older, later}, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
}

func TestFitBGNBDRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		histories []clv.History
		want      error
	}{
		"nobody":                {nil, clv.ErrNotFitted},
		"no repeats":            {[]clv.History{{Age: 10}, {Age: 20}}, clv.ErrNotFitted},
		"last after the end":    {[]clv.History{{Repeats: 1, Last: 11, Age: 10}}, clv.ErrHistory},
		"negative repeats":      {[]clv.History{{Repeats: -1, Age: 10}}, clv.ErrHistory},
		"no number":             {[]clv.History{{Repeats: 1, Last: 1, Age: math.NaN()}}, clv.ErrHistory},
		"infinite":              {[]clv.History{{Repeats: 1, Last: 1, Age: math.Inf(1)}}, clv.ErrHistory},
		"repeats in no time":    {[]clv.History{{Repeats: 1, Age: 10}}, clv.ErrHistory},
		"time without a repeat": {[]clv.History{{Last: 1, Age: 10}}, clv.ErrHistory},
		"negative customers":    {[]clv.History{{Age: 10, Customers: -1}}, clv.ErrHistory},
	} {
		if _, _, err := clv.FitBGNBD(t.Context(), c.histories); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := clv.FitBGNBD(ended, []clv.History{{Repeats: 1, Last: 1, Age: 10}}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// TestFitBGNBDEdge fits customers that are all alike, whose likelihood has no
// maximum at any finite place.
func TestFitBGNBDEdge(t *testing.T) {
	t.Parallel()
	m, fit, err := clv.FitBGNBD(t.Context(), []clv.History{{Repeats: 5, Last: 50, Age: 52, Customers: 300}})
	if err != nil {
		t.Fatal(err)
	}
	if !fit.AtEdge {
		t.Errorf("found %+v inside the range", m)
	}
	got, err := m.ExpectedOf(clv.History{Repeats: 5, Last: 50, Age: 52}, 52)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "purchases of the next year", got, 5, 0.5)
}

// TestBGNBDLaws holds for any parameters and histories.
func TestBGNBDLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		param := func(name string) float64 { return math.Exp(rapid.Float64Range(-3, 3).Draw(t, name)) }
		m := clv.BGNBD{R: param("r"), Alpha: param("alpha"), A: param("a"), B: param("b")}
		h := clv.History{Age: rapid.Float64Range(1, 500).Draw(t, "age")}
		if h.Repeats = rapid.Int64Range(0, 300).Draw(t, "repeats"); h.Repeats > 0 {
			h.Last = h.Age * rapid.Float64Range(0.01, 1).Draw(t, "last")
		}
		alive, known, err := m.PAlive(h)
		if err != nil || known != (h.Repeats > 0) || !(alive >= 0 && alive <= 1) {
			t.Fatalf("P(alive) = %v, %v", alive, err)
		}
		before := 0.0
		for _, horizon := range []float64{0, 0.1, 1, 10, 100, 1000} {
			y, err := m.ExpectedOf(h, horizon)
			if err != nil || math.IsNaN(y) || y < before*(1-1e-9)-1e-6 {
				t.Fatalf("within %g: %v after %v, %v", horizon, y, before, err)
			}
			// Nobody buys faster than somebody who never leaves.
			if most := horizon * (m.R + float64(h.Repeats)) / (m.Alpha + h.Age); y > most*(1+1e-6)+1e-6 {
				t.Fatalf("within %g: %v, at most %v", horizon, y, most)
			}
			before = y
		}
		var sum float64
		for n := range int64(40) {
			p := m.Probability(n, h.Age/50)
			if !(p >= 0 && p <= 1) {
				t.Fatalf("P(X=%d) = %v", n, p)
			}
			sum += p
		}
		if sum > 1+1e-9 {
			t.Fatalf("probabilities sum to %v", sum)
		}
	})
}

// TestBGNBDMeanOfProbabilities compares two independent formulas.
func TestBGNBDMeanOfProbabilities(t *testing.T) {
	t.Parallel()
	for _, m := range []clv.BGNBD{published(), {R: 2, Alpha: 5, A: 1, B: 1.5}, {R: 1, Alpha: 3, A: 0.3, B: 0.7}} {
		var mean, whole float64
		for n := range int64(600) {
			p := m.Probability(n, 30)
			whole += p
			mean += float64(n) * p
		}
		want, err := m.Expected(30)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "sum of probabilities", whole, 1, 1e-6)
		near(t, "mean of probabilities", mean, want, 1e-5*(1+want))
	}
}

func TestBGNBDHugeHistories(t *testing.T) {
	t.Parallel()
	m := published()
	h := clv.History{Repeats: 100_000, Last: 380, Age: 390}
	ll, err := m.LogLikelihood([]clv.History{h})
	if err != nil || math.IsNaN(ll) || math.IsInf(ll, 0) {
		t.Errorf("log-likelihood %v, %v", ll, err)
	}
	y, err := m.ExpectedOf(clv.History{Repeats: 100_000, Last: 390, Age: 390}, 52)
	if err != nil || !(y > 10_000 && y < 14_000) {
		t.Errorf("expected %v, %v", y, err)
	}
	if _, err := m.ExpectedOf(h, math.Inf(1)); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("an endless horizon: %v", err)
	}
}
