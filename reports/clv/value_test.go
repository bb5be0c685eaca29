package clv_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/clv"
)

func TestGammaGammaPublished(t *testing.T) {
	t.Parallel()
	unrounded := clv.GammaGamma{P: 6.248805, Q: 3.744588, Gamma: 15.447740}
	for _, c := range []struct {
		model     clv.GammaGamma
		purchases int64
		mean      float64
		want      float64
	}{
		{unrounded, 2, 22.35, 24.65},
		{unrounded, 1, 11.77, 18.91},
		{unrounded, 0, 0, 35.17},
		{unrounded, 0, 99, 35.17}, // the mean of no purchases is not read
		{publishedSpend(), 0, 0, 35.22},
	} {
		got, err := c.model.Mean(c.purchases, c.mean)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("expected value after %d of %g", c.purchases, c.mean), got, c.want, 0.01)
	}
}

func TestGammaGammaRecovers(t *testing.T) {
	t.Parallel()
	truth := clv.GammaGamma{P: 4, Q: 6, Gamma: 50}
	rng := rand.New(rand.NewPCG(3, 4))
	var all []clv.Spend
	for range 20_000 {
		rate := gamma(rng, truth.Q) / truth.Gamma
		x := int64(1 + rng.IntN(8))
		all = append(all, clv.Spend{Purchases: x, Mean: gamma(rng, truth.P*float64(x)) / (rate * float64(x))})
	}
	m, fit, err := clv.FitGammaGamma(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p", m.P, truth.P, 0.2)
	near(t, "q", m.Q, truth.Q, 0.4)
	near(t, "γ", m.Gamma, truth.Gamma, 6)
	atTruth, err := truth.LogLikelihood(all)
	if err != nil {
		t.Fatal(err)
	}
	if fit.LogLikelihood < atTruth || fit.LogLikelihood > atTruth+15 {
		t.Errorf("log-likelihood %.2f, at the truth %.2f", fit.LogLikelihood, atTruth)
	}
}

func TestGammaGammaRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spends []clv.Spend
		want   error
	}{
		"nobody":             {nil, clv.ErrNotFitted},
		"nothing bought":     {[]clv.Spend{{Mean: 3}}, clv.ErrSpend},
		"nothing spent":      {[]clv.Spend{{Purchases: 1}}, clv.ErrSpend},
		"no number":          {[]clv.Spend{{Purchases: 1, Mean: math.NaN()}}, clv.ErrSpend},
		"negative customers": {[]clv.Spend{{Purchases: 1, Mean: 1, Customers: -2}}, clv.ErrSpend},
	} {
		if _, _, err := clv.FitGammaGamma(t.Context(), c.spends); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := (clv.GammaGamma{P: 2, Q: 0.8, Gamma: 1}).Mean(0, 0); !errors.Is(err, clv.ErrNoMean) {
		t.Errorf("a mean of means without one: %v", err)
	}
}

// TestGammaGammaShrinks: an expected value lies between what the customer spent
// and what everybody spends, the nearer to the customer the more is known.
func TestGammaGammaShrinks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := clv.GammaGamma{
			P: rapid.Float64Range(0.1, 50).Draw(t, "p"), Q: rapid.Float64Range(1.01, 50).Draw(t, "q"),
			Gamma: rapid.Float64Range(0.01, 1000).Draw(t, "gamma"),
		}
		z := rapid.Float64Range(0.01, 10_000).Draw(t, "z")
		everybody, err := m.Mean(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		before := math.Abs(everybody - z)
		for _, x := range []int64{1, 2, 10, 1000} {
			got, err := m.Mean(x, z)
			if err != nil {
				t.Fatal(err)
			}
			off := math.Abs(got - z)
			if off > before*(1+1e-9)+1e-9 || (got-z)*(everybody-z) < -1e-6*z*z {
				t.Fatalf("%d purchases of %g, everybody %g: %g", x, z, everybody, got)
			}
			before = off
		}
	})
}

func TestValuePublished(t *testing.T) {
	t.Parallel()
	over := clv.Horizon{Steps: 52, Discount: clv.PerStep(0.15, 52)}
	for _, c := range []struct {
		h                            clv.History
		mean                         float64
		purchases, discounted, total float64
	}{
		{clv.History{Repeats: 2, Last: 30.43, Age: 38.86}, 22.35, 1.558721, 1.459953, 36.0079},
		{clv.History{Age: 38.86}, 0, 0.252073, 0.235685, 8.3006},
	} {
		v, err := clv.NewValue(published(), publishedSpend(), c.h, c.mean, over)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "purchases", v.Purchases, c.purchases, 1e-6)
		near(t, "discounted", v.Discounted, c.discounted, 1e-6)
		near(t, "value", v.Total, c.total, 1e-4)
		whole, err := published().ExpectedOf(c.h, 52)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "sum of the steps", v.Purchases, whole, 1e-12)
	}
	half, err := clv.NewValue(published(), publishedSpend(), clv.History{Age: 38.86}, 0,
		clv.Horizon{Steps: 52, Discount: clv.PerStep(0.15, 52), Margin: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value at half the margin", half.Total, 8.3006/2, 1e-4)
}

func TestValueRefuses(t *testing.T) {
	t.Parallel()
	for _, over := range []clv.Horizon{{Steps: -1}, {Steps: 1 << 40}, {Steps: 1, Length: -1}, {Steps: 1, Discount: -1}, {Steps: 1, Discount: math.NaN()}} {
		if _, err := clv.NewValue(published(), publishedSpend(), clv.History{Age: 1}, 0, over); !errors.Is(err, clv.ErrHistory) {
			t.Errorf("%+v: %v", over, err)
		}
	}
	v, err := clv.NewValue(published(), publishedSpend(), clv.History{Repeats: 1, Last: 2, Age: 5}, 0, clv.Horizon{Steps: 10})
	if err != nil || v.Total != 0 || v.Purchases <= 0 {
		t.Errorf("repeats that were worth nothing: %+v, %v", v, err)
	}
}

func TestGeometricPublished(t *testing.T) {
	t.Parallel()
	line := []int64{1000, 631, 468, 382, 326, 289, 262, 241}
	lifetimes, err := clv.Survivors(line)
	if err != nil {
		t.Fatal(err)
	}
	m, fit, err := clv.FitGeometric(t.Context(), lifetimes)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("α %.5f β %.5f, log-likelihood %.4f", m.Alpha, m.Beta, fit.LogLikelihood)
	near(t, "α", m.Alpha, 0.7041, 0.00005)
	near(t, "β", m.Beta, 1.1820, 0.00005)
	near(t, "log-likelihood", fit.LogLikelihood, -1680.265, 0.0005)
	near(t, "customers", float64(fit.Customers), 1000, 0)
	for year, left := range line {
		near(t, fmt.Sprintf("survival after %d", year), m.Survival(year), float64(left)/1000, 0.01)
	}
	first, err := m.Value(100, 0, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "three payments", first, 100*(1+m.Survival(1)+m.Survival(2)), 1e-9)
}

// TestGeometricLaws: the recursions of the paper hold, survival never rises,
// and retention never falls.
func TestGeometricLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := clv.ShiftedBetaGeometric{
			Alpha: rapid.Float64Range(0.01, 50).Draw(t, "alpha"), Beta: rapid.Float64Range(0.01, 50).Draw(t, "beta"),
		}
		close := func(name string, got, want float64) {
			if math.Abs(got-want) > 1e-9 {
				t.Fatalf("%s is %v, want %v", name, got, want)
			}
		}
		close("P(1)", m.LeavesAfter(1), m.Alpha/(m.Alpha+m.Beta))
		for n := 2; n < 60; n++ {
			s := float64(n)
			close("P", m.LeavesAfter(n), m.LeavesAfter(n-1)*(m.Beta+s-2)/(m.Alpha+m.Beta+s-1))
			close("S", m.Survival(n), m.Survival(n-1)-m.LeavesAfter(n))
			close("r", m.Retention(n)*m.Survival(n-1), m.Survival(n))
			if m.Retention(n) < m.Retention(n-1) {
				t.Fatalf("retention falls at %d", n)
			}
		}
	})
}

// TestGeometricMergesCohorts: rows of any order and split give one answer.
func TestGeometricMergesCohorts(t *testing.T) {
	t.Parallel()
	a, _, err := clv.FitGeometric(t.Context(), []clv.Lifetime{{1, 30, 10}, {2, 12, 20}, {3, 6, 40}})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := clv.FitGeometric(t.Context(), []clv.Lifetime{{3, 0, 40}, {1, 30, 0}, {2, 12, 0}, {3, 6, 0}, {2, 0, 20}, {1, 0, 10}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "α", b.Alpha, a.Alpha, 1e-5)
	near(t, "β", b.Beta, a.Beta, 1e-5)
}

func TestGeometricRefuses(t *testing.T) {
	t.Parallel()
	if _, err := clv.Survivors([]int64{10, 12}); !errors.Is(err, clv.ErrLifetimes) {
		t.Errorf("a rising line: %v", err)
	}
	if _, err := clv.Survivors([]int64{10}); !errors.Is(err, clv.ErrLifetimes) {
		t.Errorf("no period: %v", err)
	}
	for name, c := range map[string]struct {
		rows []clv.Lifetime
		want error
	}{
		"nobody":             {nil, clv.ErrNotFitted},
		"nobody left":        {[]clv.Lifetime{{3, 0, 10}}, clv.ErrNotFitted},
		"nobody stayed":      {[]clv.Lifetime{{1, 10, 0}}, clv.ErrNotFitted},
		"before the first":   {[]clv.Lifetime{{0, 10, 1}}, clv.ErrLifetimes},
		"negative":           {[]clv.Lifetime{{1, -10, 1}}, clv.ErrLifetimes},
		"more than counters": {[]clv.Lifetime{{2, math.MaxInt64, math.MaxInt64}}, clv.ErrLifetimes},
	} {
		if _, _, err := clv.FitGeometric(t.Context(), c.rows); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := (clv.ShiftedBetaGeometric{Alpha: 1, Beta: 1}).Value(1, 0, 0, 1<<40); !errors.Is(err, clv.ErrLifetimes) {
		t.Errorf("endless: %v", err)
	}
}
