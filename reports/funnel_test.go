package reports

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

func TestNewRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		hits, n          int64
		known            bool
		value, low, high float64
	}{
		{"thirty of 120", 30, 120, true, 0.25, 0.1811, 0.3344},
		{"none of ten", 0, 10, true, 0, 0, 0.2775},
		{"all of ten", 10, 10, true, 1, 0.7225, 1},
		{"one of one", 1, 1, true, 1, 0.2065, 1},
		{"half of a million", 500_000, 1_000_000, true, 0.5, 0.4990, 0.5010},
		{"of nothing", 0, 0, false, 0, 0, 0},
		{"more than all", 11, 10, false, 0, 0, 0},
		{"negative", -1, 10, false, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := NewRate(tt.hits, tt.n)
			if r.Known != tt.known || !near(r.Value, tt.value, 1e-12) || !near(r.Low, tt.low, 5e-5) || !near(r.High, tt.high, 5e-5) {
				t.Errorf("NewRate(%d, %d) = %+v", tt.hits, tt.n, r)
			}
		})
	}
}

func TestRateKeepsItsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, math.MaxInt64).Draw(t, "n")
		r := NewRate(rapid.Int64Range(0, n).Draw(t, "hits"), n)
		if !r.Known || !(0 <= r.Low && r.Low <= r.Value && r.Value <= r.High && r.High <= 1) {
			t.Fatalf("%+v", r)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}

// story has 200 visitors, of whom 120 became leads and 30 customers; the window
// of ten leads is not over yet.
var story = []StageCount{
	{Stage: "Visit", People: 200},
	{Stage: "Lead", People: 120, Before: 200, FromPrevious: 120, FromFirst: 120},
	{Stage: "Customer", People: 30, Before: 110, FromPrevious: 25, FromFirst: 30},
}

func TestNewFunnel(t *testing.T) {
	t.Parallel()
	f, err := NewFunnel(Cohort{}, Reached, story)
	if err != nil {
		t.Fatal(err)
	}
	want := []FunnelStep{
		{Stage: "Visit", People: 200},
		{Stage: "Lead", People: 120, FromPrevious: NewRate(120, 200), FromFirst: NewRate(120, 200)},
		{Stage: "Customer", People: 30, FromPrevious: NewRate(25, 110), FromFirst: NewRate(30, 200)},
	}
	if diff := cmp.Diff(want, f.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestNewFunnelSaysWhoAndHowLong(t *testing.T) {
	t.Parallel()
	from := lifecycle.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	to := lifecycle.At(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
	tests := []struct {
		cohort   Cohort
		counting Counting
		want     []string
	}{
		{Cohort{From: from, To: to, Window: 90 * 24 * time.Hour}, Reached, []string{"t_i <= t_j <= t_i + 90 d / people", "was from 2026-01-01T00:00:00Z and before 2026-04-01T00:00:00Z; who came to i less than 90 d ago", "a skipped stage counts as passed"}},
		{Cohort{From: from}, Entered, []string{"t_i <= t_j / people", "was from 2026-01-01T00:00:00Z on; first entries", "entry into the stage itself"}},
		{Cohort{To: to, Window: 36 * time.Hour}, Reached, []string{"t_i + 36h0m0s", "was before 2026-04-01T00:00:00Z"}},
		{Cohort{}, Reached, []string{"at any time"}},
	}
	for _, tt := range tests {
		f, err := NewFunnel(tt.cohort, tt.counting, story)
		for _, want := range tt.want {
			if err != nil || !strings.Contains(f.Formula, want) {
				t.Errorf("formula = %q, %v; want %q in it", f.Formula, err, want)
			}
		}
	}
}

func TestNewFunnelOfNobody(t *testing.T) {
	t.Parallel()
	f, err := NewFunnel(Cohort{}, Reached, []StageCount{{Stage: "Visit"}, {Stage: "Lead"}})
	if err != nil || len(f.Steps) != 2 || f.Steps[1].FromPrevious.Known {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := NewFunnel(Cohort{}, Entered, nil); err != nil || len(f.Steps) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestNewFunnelRefusesContradictions(t *testing.T) {
	t.Parallel()
	_, err := NewFunnel(Cohort{}, Reached, []StageCount{
		{Stage: "A", People: 10},
		{Stage: "B", People: 12, Before: 4},
		{Stage: "C", People: 5, Before: 4, FromPrevious: 5},
		{Stage: "D", People: 5, FromFirst: 6},
		{Stage: "E", People: -1},
	})
	want := []string{
		`stage "B": 12 came to it and 4 to the stage before, and the cohort is 10`,
		`stage "C": 5 came from the stage before, to which 4 came`,
		`stage "D": 6 came from the first stage, and 5 at all`,
		`stage "E": a negative count`,
	}
	if err == nil || err.Error() != "reports: funnel: "+strings.Join(want, "\n") {
		t.Errorf("error = %v", err)
	}
	if _, err := NewFunnel(Cohort{}, "guessed", story); err == nil || !strings.Contains(err.Error(), `"guessed"`) {
		t.Errorf("error = %v", err)
	}
}
