package clv_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/reports/clv"
)

// A forecast of many is that of each: what it remembers of one customer it says
// of others only where it is the same.
func TestForecastIsEachValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := clv.BGNBD{
			R: rapid.Float64Range(0.05, 5).Draw(t, "r"), Alpha: rapid.Float64Range(0.5, 30).Draw(t, "alpha"),
			A: rapid.Float64Range(0.05, 5).Draw(t, "a"), B: rapid.Float64Range(0.05, 5).Draw(t, "b"),
		}
		over := clv.Horizon{Steps: rapid.IntRange(1, 60).Draw(t, "weeks"), Margin: rapid.Float64Range(0, 1).Draw(t, "margin")}
		if rapid.Bool().Draw(t, "discounted") {
			over.Discount = rapid.Float64Range(0.0001, 0.01).Draw(t, "discount")
		}
		var all []clv.History
		for range rapid.IntRange(1, 8).Draw(t, "customers") {
			// Few different ones, so that some have x and T in common.
			h := clv.History{Repeats: rapid.Int64Range(0, 2).Draw(t, "x"), Age: float64(rapid.IntRange(1, 3).Draw(t, "T") * 7)}
			if h.Repeats > 0 {
				h.Last = h.Age * rapid.Float64Range(0.1, 1).Draw(t, "last")
			}
			all = append(all, h)
		}
		f, err := clv.NewForecast(t.Context(), m, over, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range all {
			want, err := clv.NewValue(m, publishedSpend(), h, 22.35, over)
			if err != nil {
				t.Fatal(err)
			}
			o, err := f.Of(h)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Value(o, publishedSpend(), h, 22.35)
			if err != nil || got != want {
				t.Fatalf("%+v: %+v, %v, want %+v", h, got, err, want)
			}
			number, err := m.ExpectedOf(h, float64(over.Steps))
			if err != nil || math.Abs(o.Purchases-number) > 1e-9*(1+number) {
				t.Fatalf("%+v: %v purchases, %v, want %v", h, o.Purchases, err, number)
			}
			if alive, _, _ := m.PAlive(h); o.PAlive != alive {
				t.Fatalf("%+v: P(alive) %v, want %v", h, o.PAlive, alive)
			}
		}
	})
}

func TestForecastRefuses(t *testing.T) {
	t.Parallel()
	known := clv.History{Repeats: 2, Last: 30, Age: 39}
	if _, err := clv.NewForecast(t.Context(), published(), clv.Horizon{Steps: -1}, nil); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("a horizon behind: %v", err)
	}
	if _, err := clv.NewForecast(t.Context(), published(), clv.Horizon{Steps: 1}, []clv.History{{Repeats: -1}}); !errors.Is(err, clv.ErrHistory) {
		t.Errorf("no history: %v", err)
	}
	f, err := clv.NewForecast(t.Context(), published(), clv.Horizon{Steps: 10, Length: 1e15, Discount: 0.1}, []clv.History{known})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Of(known); !errors.Is(err, clv.ErrSeries) {
		t.Errorf("beyond all time: %v", err)
	}
	for _, h := range []clv.History{{Age: 7}, {Repeats: 2, Last: 40, Age: 39}} {
		if _, err := f.Of(h); !errors.Is(err, clv.ErrHistory) {
			t.Errorf("%+v: %v", h, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := clv.NewForecast(ctx, published(), clv.Horizon{Steps: 1}, []clv.History{known}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}
