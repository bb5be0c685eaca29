package jobs_test

import (
	"math"
	"slices"
	"testing"
)

// bruteScore is a score of a plan as the brute force reads it.
type bruteScore struct {
	half     float64 // microseconds; 0: it does not fade
	min, max float64
	events   map[string]brutePoints
	traits   []bruteTrait
}

type brutePoints struct{ points, most float64 }

type bruteTrait struct {
	when   bruteCondition
	points float64
}

// bruteScoreText is a score as it stands in a plan.
type bruteScoreText struct {
	HalfLife string `yaml:"half_life"`
	Min, Max *float64
	Events   map[string]any
	Traits   map[string]float64
}

func readBruteScore(t testing.TB, text *bruteScoreText, condition func(string) bruteCondition) *bruteScore {
	t.Helper()
	s := &bruteScore{min: math.Inf(-1), max: math.Inf(1), events: map[string]brutePoints{}}
	if text.HalfLife != "" {
		s.half = float64(bruteSpan(t, text.HalfLife))
	}
	if text.Min != nil {
		s.min = *text.Min
	}
	if text.Max != nil {
		s.max = *text.Max
	}
	for name, v := range text.Events {
		rule := brutePoints{brutePoint(v), math.Inf(1)}
		if fields, ok := v.(map[string]any); ok {
			rule = brutePoints{brutePoint(fields["points"]), brutePoint(fields["most"])}
		}
		s.events[name] = rule
	}
	for src, points := range text.Traits {
		s.traits = append(s.traits, bruteTrait{condition(src), points})
	}
	return s
}

func brutePoint(v any) float64 {
	switch x := v.(type) {
	case uint64:
		return float64(x)
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return 0
}

// scored adds up everything that happened so far.
func (l *bruteLife) scored(s *bruteScore) float64 {
	total := l.worth(s, l.now)
	for _, c := range s.traits {
		if c.when(l) {
			total += c.points
		}
	}
	return min(max(math.Floor(total+0.5), s.min), s.max)
}

// worth is what the events are worth at a time from now on.
func (l *bruteLife) worth(s *bruteScore, now int64) (total float64) {
	held, at := map[string]float64{}, map[string]int64{}
	fade := func(p float64, span int64) float64 {
		if s.half == 0 {
			return p
		}
		return p * math.Exp2(-float64(span)/s.half)
	}
	for _, e := range l.events {
		if rule, ok := s.events[e.name]; ok {
			p := fade(held[e.name], e.at-at[e.name]) + rule.points
			held[e.name], at[e.name] = min(max(p, -rule.most), rule.most), e.at
		}
	}
	for name, p := range held {
		total += fade(p, now-at[name])
	}
	return total
}

// expectScores notes when fading passes the middle between two whole points.
func (l *bruteLife) expectScores() {
	for _, s := range l.plan.scores {
		worth := math.Abs(l.worth(s, l.now))
		for n := math.Floor(worth); n >= 0 && s.half > 0; n-- {
			if span := s.half * math.Log2(worth/(n+0.5)); span >= 0 {
				l.note(l.now + int64(span) + 5)
			}
		}
	}
	l.ahead = slices.Compact(l.ahead)
}
