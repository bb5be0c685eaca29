package clv_test

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
)

func at(t *testing.T, text string) lifecycle.Instant {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle.At(v)
}

func TestObserve(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	bought := []clv.Purchase{
		{at(t, "2026-03-29T21:30:00Z"), 5_000_000}, // 29 March, 23:30 in Berlin
		{at(t, "2026-03-08T10:00:00Z"), 10_000_000},
		{at(t, "2026-03-22T22:59:00Z"), 20_000_000}, // 22 March, 23:59 in Berlin
		{at(t, "2026-03-22T08:00:00Z"), 4_000_000},
		{at(t, "2026-04-01T08:00:00Z"), -4_000_000}, // a refund
		{at(t, "2026-05-01T08:00:00Z"), 90_000_000}, // after the end
	}
	// The end is the first instant of 20 April in Berlin.
	got, ok := clv.Observe(bought, at(t, "2026-04-19T22:00:00Z"), berlin)
	want := clv.Observed{
		History: clv.History{Repeats: 2, Last: 3, Age: 6, Customers: 1},
		Mean:    14.5, Gaps: 2, Variation: 3.5 / 10.5,
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("observed %v (-want +got):\n%s", ok, diff)
	}
	if _, ok := clv.Observe(bought, at(t, "2026-03-08T10:00:00Z"), berlin); ok {
		t.Error("a purchase at the end counts")
	}
	once, ok := clv.Observe(bought[:1], at(t, "2026-04-05T12:00:00Z"), time.UTC)
	if want := (clv.Observed{History: clv.History{Age: 1, Customers: 1}}); !ok || once != want {
		t.Errorf("one purchase gives %+v, want %+v", once, want)
	}
}

func TestAssess(t *testing.T) {
	t.Parallel()
	many := func(n int64, h clv.History, mean float64, gaps int, variation float64) clv.Observed {
		h.Customers = n
		return clv.Observed{History: h, Mean: mean, Gaps: gaps, Variation: variation}
	}
	year := clv.History{Repeats: 4, Last: 40, Age: 52}
	for name, c := range map[string]struct {
		observed    []clv.Observed
		subscribers int64
		want        []clv.Code
		refused     bool
	}{
		"nobody": {nil, 0, []clv.Code{clv.TooFewRepeats, clv.TooShort}, true},
		"enough": {[]clv.Observed{many(300, year, 20, 4, 0.9)}, 0, nil, false},
		"just too few": {
			[]clv.Observed{many(199, year, 20, 4, 0.9), many(800, clv.History{Age: 52}, 0, 0, 0)}, 0,
			[]clv.Code{clv.TooFewRepeats, clv.OnceOnly}, true,
		},
		"too short":          {[]clv.Observed{many(300, clv.History{Repeats: 1, Last: 3, Age: 25}, 5, 1, 0)}, 0, []clv.Code{clv.TooShort}, true},
		"some subscriptions": {[]clv.Observed{many(300, year, 20, 4, 0.9)}, 20, []clv.Code{clv.Subscriptions}, false},
		"all subscriptions": {[]clv.Observed{many(300, year, 20, 4, 0.02)}, 300,
			[]clv.Code{clv.Subscriptions, clv.Regular}, true},
		"value follows number": {
			[]clv.Observed{many(150, year, 20, 4, 0.9), many(150, clv.History{Repeats: 1, Last: 40, Age: 52}, 5, 1, 0)}, 0,
			[]clv.Code{clv.Correlated}, false,
		},
	} {
		a := clv.Assess(c.observed, c.subscribers)
		var got []clv.Code
		for _, w := range a.Warnings {
			got = append(got, w.Code)
			if w.Text == "" {
				t.Errorf("%s: %s says nothing", name, w.Code)
			}
		}
		if !slices.Equal(got, c.want) || a.Refused() != c.refused {
			t.Errorf("%s: warns of %v, refused %v; want %v, %v", name, got, a.Refused(), c.want, c.refused)
		}
	}
}

func TestFitWarnings(t *testing.T) {
	t.Parallel()
	if all := clv.FitWarnings(clv.Fit{}, &clv.GammaGamma{P: 1, Q: 2, Gamma: 3}); len(all) != 0 {
		t.Errorf("a good fit warns of %v", all)
	}
	all := clv.FitWarnings(clv.Fit{AtEdge: true}, &clv.GammaGamma{P: 1, Q: 0.9, Gamma: 3})
	if len(all) != 2 || all[0].Code != clv.AtEdge || all[1].Code != clv.WideMean || !all[1].Refuse {
		t.Errorf("warns of %v", all)
	}
}

func TestAverages(t *testing.T) {
	t.Parallel()
	a := clv.Average([]clv.Observed{
		{History: clv.History{Repeats: 3, Last: 9, Age: 10}, Mean: 20},
		{History: clv.History{Repeats: 1, Last: 2, Age: 10}, Mean: 40},
		{History: clv.History{Age: 10, Customers: 2}},
	})
	purchases, value := a.Value(clv.Horizon{Steps: 20})
	near(t, "purchases within 20 weeks", purchases, 2, 1e-12) // 4 in 40 weeks
	near(t, "their value", value, 50, 1e-12)                  // 25 each
	// A tenth of a purchase a week, worth a half and then a quarter.
	_, value = a.Value(clv.Horizon{Steps: 2, Discount: 1, Margin: 0.8})
	near(t, "discounted, times margin", value, 0.1*25*0.8*0.75, 1e-12)
	if got := clv.Average(nil); got != (clv.Averages{}) {
		t.Errorf("nobody averages %+v", got)
	}
}
