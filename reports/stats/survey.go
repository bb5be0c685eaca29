package stats

import (
	"fmt"
	"math"

	"github.com/stagebridge/stagebridge/reports"
)

// NPS is the net promoter score of answers to "how likely are you to recommend
// us", from 0 to 10.
type NPS struct {
	Promoters  int64 `json:"promoters"`  // 9 and 10
	Passives   int64 `json:"passives"`   // 7 and 8
	Detractors int64 `json:"detractors"` // 0 to 6
	// Known is false without an answer. Score is in points from -100 to 100:
	// percent promoters - percent detractors. Low to High is its 95 % interval,
	// ± 1.96·√((p + d - (p-d)²)/n), which is rough below about 30 answers.
	Known bool    `json:"known"`
	Score float64 `json:"score"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// NewNPS counts answers, at i those of i points. The error wraps ErrCounts.
func NewNPS(answers [11]int64) (NPS, error) {
	if err := checkAnswers(answers[:]); err != nil {
		return NPS{}, fmt.Errorf("stats: nps: %w", err)
	}
	var s NPS
	for points, n := range answers {
		switch {
		case points >= 9:
			s.Promoters += n
		case points >= 7:
			s.Passives += n
		default:
			s.Detractors += n
		}
	}
	total := float64(s.Promoters + s.Passives + s.Detractors)
	if total == 0 {
		return s, nil
	}
	s.Known = true
	p, d := float64(s.Promoters)/total, float64(s.Detractors)/total
	net := float64(s.Promoters-s.Detractors) / total
	reach := z95 * math.Sqrt(max(0, p+d-net*net)/total)
	s.Score, s.Low, s.High = 100*net, max(-100, 100*(net-reach)), min(100, 100*(net+reach))
	return s, nil
}

// CSAT is the share of satisfied answers, 4 or 5 of 5 points. Answers has at i
// those of i+1 points. The error wraps ErrCounts.
func CSAT(answers [5]int64) (reports.Rate, error) {
	if err := checkAnswers(answers[:]); err != nil {
		return reports.Rate{}, fmt.Errorf("stats: csat: %w", err)
	}
	satisfied := answers[3] + answers[4]
	return reports.NewRate(satisfied, satisfied+answers[0]+answers[1]+answers[2]), nil
}

// CES is the customer effort score: the mean of the answers, in points.
// Answers has at i those of i+1 points, on a scale as long as answers, 7 by
// custom. It is false without an answer. The error wraps ErrCounts.
func CES(answers []int64) (float64, bool, error) {
	if err := checkAnswers(answers); err != nil {
		return 0, false, fmt.Errorf("stats: ces: %w", err)
	}
	var points, n float64
	for i, count := range answers {
		points += float64(i+1) * float64(count)
		n += float64(count)
	}
	if n == 0 {
		return 0, false, nil
	}
	return points / n, true, nil
}

func checkAnswers(answers []int64) error {
	for i, n := range answers {
		if n < 0 || n > maxPeople {
			return fmt.Errorf("%w: %d answers in place %d", ErrCounts, n, i)
		}
	}
	return nil
}
