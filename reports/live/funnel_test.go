package live

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// 1 goes all the way; 2 skips being a Subscriber; 3 is bought from at once; 4 is
// a Subscriber 40 days after the visit; 5 visits on the last day.
const funnelStory = `
1 2026-01-01 -> Visit
1 2026-01-11 -> Subscriber
1 2026-02-15 -> Qualified Lead
1 2026-02-20 -> Customer
2 2026-01-05 -> Visit
2 2026-01-15 -> Customer
3 2026-02-01 -> Customer
4 2026-02-03 -> Visit
4 2026-03-15 -> Subscriber
5 2026-12-31 -> Visit
`

func TestFunnel(t *testing.T) {
	t.Parallel()
	people := told(t, funnelStory)
	steps := func(text string) map[string][3]int64 {
		t.Helper()
		got := map[string][3]int64{}
		for _, s := range answer(t, "funnel", text, people).Data.(reports.Funnel).Steps {
			got[string(s.Stage)] = [3]int64{s.People, s.FromPrevious.Hits, s.FromPrevious.Of}
		}
		return got
	}
	for _, tt := range []struct {
		options string
		want    map[string][3]int64
	}{
		{"", map[string][3]int64{"Visit": {5}, "Subscriber": {4, 4, 5}, "Qualified Lead": {3, 3, 4}, "Customer": {3, 3, 3}}},
		// Who was bought from at once never came to the first stage.
		{"counting:entered", map[string][3]int64{"Visit": {4}, "Subscriber": {2, 2, 4}, "Qualified Lead": {1, 1, 2}, "Customer": {2, 1, 1}}},
		// 30 days from each stage to the next one: 4 took 40, 1 took 35 to qualify
		// and five more to buy, 50 in all.
		{"window:30", map[string][3]int64{"Visit": {4}, "Subscriber": {3, 3, 4}, "Qualified Lead": {2, 2, 4}, "Customer": {2, 3, 3}}},
		{"window:30 counting:entered", map[string][3]int64{"Visit": {3}, "Subscriber": {1, 1, 3}, "Qualified Lead": {0, 0, 2}, "Customer": {1, 1, 1}}},
		{"from:2026-02-01 to:2026-03-01", map[string][3]int64{"Visit": {2}, "Subscriber": {2, 2, 2}, "Qualified Lead": {1, 1, 2}, "Customer": {1, 1, 1}}},
	} {
		got := steps(tt.options)
		for stage, want := range tt.want {
			if got[stage] != want {
				t.Errorf("%s: %s: people, of the stage before: %v, want %v", tt.options, stage, got[stage], want)
			}
		}
	}
	noted(t, answer(t, "funnel", "window:30", people), "1 people came to the first stage too lately for their window to be over")
	// On 16 March, 1 qualified and 4 subscribed less than 30 days ago. That 1 is a
	// customer already is known, but of those who are not yet nothing is.
	noted(t, answer(t, "funnel", "window:30 now:2026-03-16", people), "2 people came to a later stage too lately for its window to be over")
}

// By the month, or week, that people came to the first stage in.
func TestFunnelByPeriod(t *testing.T) {
	t.Parallel()
	people := told(t, funnelStory)
	r := answer(t, "funnel", "by:month", people)
	f := r.Data.(reports.Funnel)
	if len(f.Cohorts) != 3 || f.Cohorts[0].Period != "2026-01" || f.Cohorts[1].Period != "2026-02" || f.Cohorts[2].Period != "2026-12" {
		t.Fatalf("%+v", f.Cohorts)
	}
	if row := rowOf(t, r, "Funnel by the month", "2026-01"); strings.Join(row[:5], ";") != "2026-01;2;2 (100.0 %);2 (100.0 %);2 (100.0 %)" {
		t.Errorf("January: %q", row)
	}
	if row := rowOf(t, r, "Funnel by the month", "2026-02"); strings.Join(row[:5], ";") != "2026-02;2;2 (100.0 %);1 (50.0 %);1 (50.0 %)" {
		t.Errorf("February: %q", row)
	}
	noted(t, r, "younger cohorts had less time")
	// What the months add up to is the whole.
	for i, s := range f.Steps {
		var sum int64
		for _, c := range f.Cohorts {
			sum += c.Steps[i].People
		}
		if sum != s.People {
			t.Errorf("%s: the months have %d people, the whole %d", s.Stage, sum, s.People)
		}
	}
	if f := answer(t, "funnel", "by:week", people).Data.(reports.Funnel); len(f.Cohorts) != 5 || f.Cohorts[0].Period != "2026-W01" {
		t.Errorf("by week: %d cohorts", len(f.Cohorts))
	}
	if f := answer(t, "funnel", "", people).Data.(reports.Funnel); f.Cohorts != nil {
		t.Errorf("cohorts that nobody asked for: %+v", f.Cohorts)
	}
	o := options(t, "by:month")
	if err := o.Check("attribution"); err == nil || !strings.Contains(err.Error(), "for funnel only") {
		t.Errorf("touches by month: %v", err)
	}
}

// TestFunnelByBruteForce holds the counts against the formula, worked out for
// each pair of stages anew: #{c in C: t_i <= t_j <= t_i + w} / #{c in C: t_i}, of
// those whose window since t_i is over.
func TestFunnelByBruteForce(t *testing.T) {
	t.Parallel()
	path := []lifecycle.Stage{"Visit", "Subscriber", "Qualified Lead", "Customer", "Retained Customer", "Advocate"}
	day := lifecycle.Instant(day24.Microseconds())
	begin := lifecycle.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	rapid.Check(t, func(t *rapid.T) {
		o := Options{Now: begin + 40*day, Settings: Settings{By: "week"}}
		o.Counting = rapid.SampledFrom([]reports.Counting{reports.Reached, reports.Entered}).Draw(t, "counting")
		o.Window = time.Duration(rapid.IntRange(0, 15).Draw(t, "window")) * day24
		if rapid.Bool().Draw(t, "bounded") {
			o.From, o.To = begin+5*day, begin+30*day
		}
		var people []summary.Person
		for i := range rapid.IntRange(0, 12).Draw(t, "people") {
			p, when := summary.Person{ID: lifecycle.ProfileID(i + 1)}, begin
			for range rapid.IntRange(0, 6).Draw(t, "moves") {
				when += day * lifecycle.Instant(rapid.IntRange(0, 12).Draw(t, "days"))
				p.Moves = append(p.Moves, summary.Move{Stage: rapid.SampledFrom(append(path, "Churned", "")).Draw(t, "stage"), At: when})
			}
			people = append(people, p)
		}
		r, err := count(classic(), "funnel", o, people)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Data.(reports.Funnel)
		// came is t_i, and false for a stage that was not come to.
		came := func(p *summary.Person, i int) (lifecycle.Instant, bool) {
			for _, m := range p.Moves { // in the order of time
				for k := i; k < len(path); k++ {
					if m.Stage == path[k] && (k == i || o.Counting == reports.Reached) {
						return m.At, true
					}
				}
			}
			return 0, false
		}
		over := func(at lifecycle.Instant) bool { return o.Window == 0 || at.Add(o.Window) <= o.Now }
		step := func(i, j int) reports.Rate {
			var hits, of int64
			for k := range people {
				p := &people[k]
				first, ok := came(p, 0)
				if !ok || !over(first) || o.To != 0 && (first < o.From || first >= o.To) {
					continue
				}
				if a, ok := came(p, i); ok && over(a) {
					of++
					if b, ok := came(p, j); ok && a <= b && (o.Window == 0 || b <= a.Add(o.Window)) {
						hits++
					}
				}
			}
			return reports.NewRate(hits, of)
		}
		for j := 1; j < len(path); j++ {
			if diff := cmp.Diff([]reports.Rate{step(j-1, j), step(0, j)}, []reports.Rate{got.Steps[j].FromPrevious, got.Steps[j].FromFirst}); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", path[j], diff)
			}
			sum := got.Steps[j].FromPrevious.Hits
			for _, c := range got.Cohorts {
				sum -= c.Steps[j].FromPrevious.Hits
			}
			if sum != 0 {
				t.Fatalf("%s: the weeks do not add up to the whole: %+v", path[j], got)
			}
		}
		// Without a window, what was reached multiplies to the whole.
		if product := 1.0; o.Window == 0 && o.Counting == reports.Reached && got.Steps[5].FromFirst.Hits > 0 {
			for j := 1; j < len(path); j++ {
				product *= got.Steps[j].FromPrevious.Value
			}
			if !near(product, got.Steps[5].FromFirst.Value, 1e-12) {
				t.Fatalf("the steps multiply to %v, the whole is %v", product, got.Steps[5].FromFirst.Value)
			}
		}
	})
}
