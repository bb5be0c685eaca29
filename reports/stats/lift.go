package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/stagebridge/stagebridge/reports"
)

// Feature is something that people may have in common: a trait's value, a
// source, an event, a piece of content.
type Feature struct {
	Name string
	// InGroup and InRest are how many of the group, and of the rest, have it.
	InGroup, InRest int64
}

// Lift says how much more common a feature is in a group than in the rest.
type Lift struct {
	Name  string       `json:"name"`
	Group reports.Rate `json:"group"`
	Rest  reports.Rate `json:"rest"`
	// Known says that there is a ratio: somebody in the rest has the feature.
	Known bool `json:"known"`
	// Value is share in the group / share in the rest, Low to High its 95 %
	// interval on the logarithmic scale (Katz and others, Biometrics 34, 1978,
	// 469-474): ln ± 1.96·√(1/a - 1/n + 1/b - 1/m). Where nobody in the group
	// has it, half a person is added everywhere for the upper end.
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// Difference is share in the group - share in the rest, with its 95 %
	// interval from the two Wilson intervals (Newcombe, Statistics in Medicine
	// 17, 1998, 873-890, method 10). It is there even where the ratio is not.
	Difference     float64 `json:"difference"`
	DifferenceLow  float64 `json:"difference_low"`
	DifferenceHigh float64 `json:"difference_high"`
	// Distinct says that the difference is no coincidence, considering that so
	// many features were looked at.
	Distinct bool `json:"distinct"`
}

// minExpected is the people that either side must be expected to have with and
// without a feature for the test to hold; fewer prove nothing.
const minExpected = 5

// NewLifts compares a group of so many people with the rest of so many, none of
// whom is in both: the top 20 % with the others, who won with who lost, who had
// an event before a move with who had it at other times. The result is sorted
// by how sure the difference is, then by name. The error wraps ErrCounts.
func NewLifts(group, rest int64, features []Feature) ([]Lift, error) {
	if group <= 0 || rest <= 0 || group > maxPeople || rest > maxPeople {
		return nil, fmt.Errorf("stats: lift: %w: a group of %d and a rest of %d", ErrCounts, group, rest)
	}
	type scored struct {
		Lift
		score float64
	}
	all := make([]scored, 0, len(features))
	// Bonferroni: with m features each must be m times as sure.
	sure := math.Sqrt2 * math.Erfinv(1-0.05/float64(max(1, len(features))))
	for _, f := range features {
		if f.InGroup < 0 || f.InGroup > group || f.InRest < 0 || f.InRest > rest {
			return nil, fmt.Errorf("stats: lift: %q: %w: %d of %d and %d of %d", f.Name, ErrCounts, f.InGroup, group, f.InRest, rest)
		}
		l, score := newLift(f, group, rest)
		l.Distinct = math.Abs(score) > sure
		all = append(all, scored{l, math.Abs(score)})
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.Name, b.Name))
	})
	lifts := make([]Lift, len(all))
	for i, s := range all {
		lifts[i] = s.Lift
	}
	return lifts, nil
}

func newLift(f Feature, group, rest int64) (Lift, float64) {
	l := Lift{Name: f.Name, Group: reports.NewRate(f.InGroup, group), Rest: reports.NewRate(f.InRest, rest)}
	a, n, b, m := float64(f.InGroup), float64(group), float64(f.InRest), float64(rest)
	if f.InRest > 0 {
		l.Known = true
		l.Value = l.Group.Value / l.Rest.Value
		reach := func(a, n, b, m float64) float64 { return math.Exp(z95 * math.Sqrt(1/a-1/n+1/b-1/m)) }
		if f.InGroup > 0 {
			l.Low, l.High = l.Value/reach(a, n, b, m), l.Value*reach(a, n, b, m)
		} else {
			l.High = 0.5 / (n + 0.5) / ((b + 0.5) / (m + 0.5)) * reach(0.5, n+0.5, b+0.5, m+0.5)
		}
	}
	p, q := l.Group, l.Rest
	l.Difference = p.Value - q.Value
	l.DifferenceLow = max(-1, l.Difference-math.Hypot(p.Value-p.Low, q.High-q.Value))
	l.DifferenceHigh = min(1, l.Difference+math.Hypot(p.High-p.Value, q.Value-q.Low))
	return l, score(a, n, b, m)
}

// score is the difference in standard errors, pooled over both sides, and zero
// where too few people have, or lack, the feature for that to mean anything.
func score(a, n, b, m float64) float64 {
	pooled := (a + b) / (n + m)
	if min(pooled, 1-pooled)*min(n, m) < minExpected {
		return 0
	}
	return (a/n - b/m) / math.Sqrt(pooled*(1-pooled)*(1/n+1/m))
}
