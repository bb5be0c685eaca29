package stats_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// order is one line of CDNOW_sample.txt.
type order struct {
	at     lifecycle.Instant
	micros int64
}

// cdnow reads the orders of the sample, by customer; it skips the test where
// STAGEBRIDGE_TEST_DATA names no folder.
func cdnow(t *testing.T) map[string][]order {
	t.Helper()
	folder := storetest.DataFolder(t)
	raw, err := os.ReadFile(filepath.Join(folder, "cdnow", "CDNOW_sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]order{}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) != 5 {
			t.Fatalf("line %q", line)
		}
		day, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		dollars, err := strconv.ParseFloat(f[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		all[f[1]] = append(all[f[1]], order{lifecycle.At(day), int64(math.Round(dollars * 1e6))})
	}
	if len(all) != 2357 {
		t.Fatalf("%d customers, want 2357", len(all))
	}
	return all
}

func TestCDNOWConcentration(t *testing.T) {
	t.Parallel()
	var revenue []stats.Count[int64]
	for _, orders := range cdnow(t) {
		row := stats.Count[int64]{N: 1}
		for _, o := range orders {
			row.Value += o.micros
		}
		revenue = append(revenue, row)
	}
	c, err := stats.NewConcentration("USD", revenue, 20, 80)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("top %d have %.4f, %d (%.4f) have 80 %%, gini %.4f", c.Top, c.TopShare, c.Few, c.FewShare, c.Gini)
	near(t, "total", float64(c.Total)/1e6, 244_091.94, 0.005)
	near(t, "share of the top 20 %", c.TopShare, 0.6746, 0.00005)
	near(t, "share who have 80 %", c.FewShare, 0.3297, 0.00005)
	near(t, "gini", c.Gini, 0.6309, 0.00005)
	near(t, "mean", float64(c.Mean)/1e6, 103.56, 0.005)
	near(t, "median", float64(c.Median)/1e6, 43.06, 0.005)
	if c.Top != 472 || c.Few != 777 || c.Zero != 8 || c.Customers != 2357 {
		t.Errorf("concentration %+v", c)
	}
}

func TestCDNOWRetention(t *testing.T) {
	t.Parallel()
	var people [][]stats.Period
	var repeaters int
	var gaps []int64
	for _, orders := range cdnow(t) {
		var months, days []stats.Period
		for _, o := range orders {
			months = append(months, stats.Month.Of(o.at, time.UTC))
			days = append(days, stats.Day.Of(o.at, time.UTC))
		}
		people = append(people, months)
		slices.Sort(days)
		days = slices.Compact(days)
		if len(days) > 1 {
			repeaters++
		}
		for i := range days[1:] {
			gaps = append(gaps, int64(days[i+1]-days[i]))
		}
	}
	through := stats.Month.Of(lifecycle.At(time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)), time.UTC)
	r, err := stats.NewRetention(stats.Bounded, stats.Month, through, stats.CountRetention(stats.Bounded, slices.Values(people)))
	if err != nil {
		t.Fatal(err)
	}
	january := r.Cohorts[0]
	if january.Label != "1997-01" || january.People != 781 || len(january.Cells) != 18 || len(r.Cohorts) != 3 {
		t.Fatalf("the first cohort is %s of %d in %d months", january.Label, january.People, len(january.Cells))
	}
	for n, want := range []int64{781, 124, 95, 70, 65, 77, 65} {
		if got := january.Cells[n].Hits; got != want {
			t.Errorf("month %d: %d came back, want %d", n, got, want)
		}
	}
	if repeaters != 1139 || len(gaps) != 4339 {
		t.Errorf("%d bought again, with %d gaps; want 1139 and 4339", repeaters, len(gaps))
	}
	if median, ok := stats.Percentile(stats.CountValues(gaps), 50); !ok || median != 34 {
		t.Errorf("median gap %d days, want 34", median)
	}
}

// TestCDNOWScores shows ties on real data: more than half bought on one day
// only, and all of them score 1.
func TestCDNOWScores(t *testing.T) {
	t.Parallel()
	var days []int64
	for _, orders := range cdnow(t) {
		distinct := map[lifecycle.Instant]bool{}
		for _, o := range orders {
			distinct[o.at] = true
		}
		days = append(days, int64(len(distinct)))
	}
	scale, err := stats.NewScale(stats.CountValues(days), false)
	if err != nil {
		t.Fatal(err)
	}
	if one, two := scale.Score(1), scale.Score(2); one != 1 || two != 3 {
		t.Errorf("one day scores %d and two score %d, want 1 and 3", one, two)
	}
}
