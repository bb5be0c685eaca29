package stats_test

import (
	"errors"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	in, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func instant(t testing.TB, text string) lifecycle.Instant {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle.At(v)
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit          stats.Unit
		at, in        string
		label, starts string
	}{
		{stats.Day, "2026-03-29T23:30:00Z", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{stats.Day, "2026-03-29T21:30:00Z", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{stats.Week, "2027-01-03T12:00:00Z", "UTC", "2026-W53", "2026-12-28T00:00:00Z"},
		{stats.Week, "1969-12-30T12:00:00Z", "UTC", "1970-W01", "1969-12-29T00:00:00Z"},
		{stats.Month, "2026-11-30T23:30:00Z", "Europe/Berlin", "2026-12", "2026-11-30T23:00:00Z"},
		{stats.Month, "1969-12-31T23:59:59Z", "UTC", "1969-12", "1969-12-01T00:00:00Z"},
		// Midnight of 6 September 2026 does not exist in Santiago.
		{stats.Day, "2026-09-06T12:00:00Z", "America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"},
		// Midnight of 1 November 2026 exists twice in Havana.
		{stats.Day, "2026-11-01T12:00:00Z", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
	} {
		in := zone(t, c.in)
		p := c.unit.Of(instant(t, c.at), in)
		if got := c.unit.Label(p); got != c.label {
			t.Errorf("%s %s in %s: %s, want %s", c.unit, c.at, c.in, got, c.label)
		}
		if got := c.unit.Start(p, in).Time().Format(time.RFC3339); got != c.starts {
			t.Errorf("%s %s in %s starts %s, want %s", c.unit, c.label, c.in, got, c.starts)
		}
	}
	if _, err := stats.ParseUnit("fortnight"); err == nil {
		t.Error("a fortnight is a unit")
	}
	if u, err := stats.ParseUnit("week"); err != nil || u != stats.Week {
		t.Errorf("week is %q, %v", u, err)
	}
}

// TestPeriodsJoin: every period begins where the one before ends, whatever the
// clocks of the place do.
func TestPeriodsJoin(t *testing.T) {
	t.Parallel()
	names := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Atlantic/Azores", "Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"}
	rapid.Check(t, func(rt *rapid.T) {
		in := zone(t, rapid.SampledFrom(names).Draw(rt, "zone"))
		unit := rapid.SampledFrom([]stats.Unit{stats.Day, stats.Week, stats.Month}).Draw(rt, "unit")
		at := lifecycle.Instant(rapid.Int64Range(-1e15, 4e15).Draw(rt, "at"))
		p := unit.Of(at, in)
		start, next := unit.Start(p, in), unit.Start(p+1, in)
		if at < start || at >= next || unit.Of(start, in) != p || unit.Of(start-1, in) != p-1 {
			rt.Fatalf("%s at %s in %s: from %s to %s", unit.Label(p), at.Time(), in, start.Time(), next.Time())
		}
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	people := [][]stats.Period{{10, 11, 13}, {10}, {10, 12, 10, 13}, {11, 13}, {11, 12}, {14, 15}, {}}
	for kind, want := range map[stats.RetentionKind][][]int64{
		stats.Bounded: {{3, 1, 1, 2}, {2, 1, 1}},
		stats.Rolling: {{3, 2, 2, 2}, {2, 2, 1}},
	} {
		r, err := stats.NewRetention(kind, stats.Week, 13, stats.CountRetention(kind, slices.Values(people)))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Cohorts) != 2 {
			t.Fatalf("%s: %d cohorts, want those begun by period 13", kind, len(r.Cohorts))
		}
		for i, row := range r.Cohorts {
			var got []int64
			for _, c := range row.Cells {
				got = append(got, c.Hits)
				if c.Of != row.People {
					t.Errorf("%s: of %d, want %d", kind, c.Of, row.People)
				}
			}
			if !slices.Equal(got, want[i]) {
				t.Errorf("%s cohort %d: %v, want %v", kind, row.Cohort, got, want[i])
			}
		}
		if last := r.Overall[3]; last != reports.NewRate(2, 3) {
			t.Errorf("%s: only the older cohort is three periods old, and overall is %+v", kind, last)
		}
		if first := r.Overall[1]; first.Of != 5 {
			t.Errorf("%s: overall is of %d people, want 5", kind, first.Of)
		}
	}
}

// TestRetentionRollingSeesLater: somebody seen only after the last whole period
// still counts as having stayed.
func TestRetentionRollingSeesLater(t *testing.T) {
	t.Parallel()
	people := [][]stats.Period{{10, 20}}
	r, err := stats.NewRetention(stats.Rolling, stats.Day, 12, stats.CountRetention(stats.Rolling, slices.Values(people)))
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Cohorts[0].Cells; len(c) != 3 || c[2].Hits != 1 {
		t.Errorf("cells %+v", c)
	}
}

// TestRetentionTooOld: one bogus date of long ago is said, and spoils nothing.
func TestRetentionTooOld(t *testing.T) {
	t.Parallel()
	people := [][]stats.Period{{-5000, 6, 7}, {-1 << 63, 6}, {6, 7}}
	for _, kind := range []stats.RetentionKind{stats.Bounded, stats.Rolling} {
		r, err := stats.NewRetention(kind, stats.Day, 8, stats.CountRetention(kind, slices.Values(people)))
		if err != nil {
			t.Fatal(err)
		}
		if r.TooOld != 2 || len(r.Cohorts) != 1 || r.Cohorts[0].Cells[1].Hits != 1 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
}

func TestRetentionRefuses(t *testing.T) {
	t.Parallel()
	for name, counts := range map[string][]stats.CohortCount{
		"before the first": {{5, 4, 1}},
		"negative":         {{5, 5, -1}},
		"more than all":    {{5, 5, 2}, {5, 6, 3}},
		"too many":         {{5, 5, 1 << 62}},
	} {
		if _, err := stats.NewRetention(stats.Bounded, stats.Day, 8, counts); !errors.Is(err, stats.ErrCounts) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stats.NewRetention("loose", stats.Day, 8, nil); err == nil {
		t.Error("a loose retention")
	}
}

func active(t *rapid.T, name string) [][]stats.Period {
	return rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Period {
		return stats.Period(rapid.Int64Range(0, 15).Draw(t, "period"))
	}), 0, 8), 0, 12).Draw(t, name)
}

// TestRetentionLaws counts by hand, compares the two kinds, and adds halves up.
func TestRetentionLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const through = 12
		a, b := active(t, "a"), active(t, "b")
		everybody := append(slices.Clone(a), b...)
		tables := map[stats.RetentionKind]stats.Retention{}
		for _, kind := range []stats.RetentionKind{stats.Bounded, stats.Rolling} {
			whole, err := stats.NewRetention(kind, stats.Day, through, stats.CountRetention(kind, slices.Values(everybody)))
			if err != nil {
				t.Fatal(err)
			}
			halves, err := stats.NewRetention(kind, stats.Day, through,
				append(stats.CountRetention(kind, slices.Values(b)), stats.CountRetention(kind, slices.Values(a))...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(whole, halves); diff != "" {
				t.Fatalf("%s: halves differ from the whole:\n%s", kind, diff)
			}
			tables[kind] = whole
			for _, row := range whole.Cohorts {
				for n, cell := range row.Cells {
					if want := retained(everybody, kind, row.Cohort, row.Cohort+stats.Period(n)); cell.Hits != want {
						t.Fatalf("%s cohort %d at %d: %d, want %d", kind, row.Cohort, n, cell.Hits, want)
					}
				}
			}
		}
		for i, row := range tables[stats.Rolling].Cohorts {
			for n, cell := range row.Cells {
				if cell.Hits < tables[stats.Bounded].Cohorts[i].Cells[n].Hits || (n > 0 && cell.Hits > row.Cells[n-1].Hits) {
					t.Fatalf("rolling retention rises or is below bounded: %+v", row)
				}
			}
		}
	})
}

// retained goes through everybody.
func retained(people [][]stats.Period, kind stats.RetentionKind, cohort, at stats.Period) int64 {
	var n int64
	for _, periods := range people {
		if len(periods) == 0 || slices.Min(periods) != cohort {
			continue
		}
		if slices.Contains(periods, at) || (kind == stats.Rolling && slices.Max(periods) >= at) {
			n++
		}
	}
	return n
}

func TestSplit(t *testing.T) {
	t.Parallel()
	var c stats.SplitCounter
	for _, periods := range [][]stats.Period{{1, 2, 4}, {2, 1}, {3}, {4, 1, 1}} {
		c.Add(periods)
	}
	got, err := c.Between(1, 5)
	if err != nil {
		t.Fatal(err)
	}
	want := []stats.Split{
		{Period: 1, New: 3},
		{Period: 2, Returning: 2, Dormant: 1},
		{Period: 3, New: 1, Dormant: 2},
		{Period: 4, Resurrecting: 2, Dormant: 1},
		{Period: 5, Dormant: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("split (-want +got):\n%s", diff)
	}
	if ps := c.Periods(); !slices.Equal(ps, []stats.Period{1, 2, 3, 4, 5}) {
		t.Errorf("periods %v", ps)
	}
	if all, err := c.Between(5, 1); err != nil || len(all) != 0 {
		t.Errorf("backwards: %v, %v", all, err)
	}
	if _, err := c.Between(-1<<63, 1<<62); !errors.Is(err, stats.ErrCounts) {
		t.Errorf("endless: %v", err)
	}
}

// TestSplitLaws: the parts make up those active, the difference of two periods
// is the growth, and counters of two halves merge to that of the whole.
func TestSplitLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := active(t, "a"), active(t, "b")
		var whole, first, second stats.SplitCounter
		for _, p := range a {
			whole.Add(p)
			first.Add(p)
		}
		for _, p := range b {
			whole.Add(p)
			second.Add(p)
		}
		second.Merge(&first)
		got, err := whole.Between(-1, 17)
		if err != nil {
			t.Fatal(err)
		}
		merged, err := second.Between(-1, 17)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, merged); diff != "" {
			t.Fatalf("merged counters differ:\n%s", diff)
		}
		before := int64(0)
		for _, s := range got {
			var want int64
			for _, periods := range append(slices.Clone(a), b...) {
				if slices.Contains(periods, s.Period) {
					want++
				}
			}
			if s.Active() != want || s.Growth() != want-before {
				t.Fatalf("%+v: %d active, want %d after %d", s, s.Active(), want, before)
			}
			before = want
		}
	})
}

func micros(t time.Time) lifecycle.Instant { return lifecycle.At(t) }
