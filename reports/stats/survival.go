package stats

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrCounts says that counts contradict each other or are beyond what can be
// counted.
var ErrCounts = errors.New("counts that cannot be")

const (
	// z95 is the two-sided 95 % point of the normal distribution, rounded as in
	// reports.Rate.
	z95 = 1.96
	// hair is how far rounding may carry a product of fractions off the
	// fraction that it equals.
	hair = 1e-12
)

// Spell counts visits of one length: stays in a stage, waits for an answer,
// lives of a customer. Rows may come in any order, and rows of the same length
// add up.
type Spell struct {
	Length time.Duration
	Ended  int64 // ended after Length
	Open   int64 // still going on, observed for Length so far (censored)
}

// Survival is the estimate of Kaplan and Meier (JASA 53, 1958, 457-481) of how
// long spells last, which uses open ones for as long as they were seen instead
// of dropping them.
type Survival struct {
	// Spells is all of them, Ended those that came to an end.
	Spells int64 `json:"spells"`
	Ended  int64 `json:"ended"`
	// Longest is the longest time that any was observed. Nothing is known
	// beyond it.
	Longest time.Duration `json:"longest_ns"`
	// Steps are the lengths at which spells ended, rising.
	Steps []SurvivalStep `json:"steps"`
}

// SurvivalStep is one fall of the curve.
type SurvivalStep struct {
	At     time.Duration `json:"at_ns"`
	AtRisk int64         `json:"at_risk"` // lasted at least until At
	Ended  int64         `json:"ended"`
	// Share is S(t), the share that lasts longer than At, and Low to High its
	// 95 % interval by Greenwood's formula on the scale of ln(-ln S), which
	// stays within 0 and 1.
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// KaplanMeier estimates S(t) = Π over lengths up to t of (1 - ended/at risk).
// A spell that is open at a length was at risk there. The error wraps ErrCounts
// for a negative length or count.
func KaplanMeier(spells []Spell) (Survival, error) {
	rows, n, err := mergeSpells(spells)
	if err != nil {
		return Survival{}, fmt.Errorf("stats: survival: %w", err)
	}
	s := Survival{Spells: n, Steps: []SurvivalStep{}}
	// As long as nothing is censored the product is what is left of a whole;
	// computing it so keeps halves exact halves.
	share, base, whole, atRisk := 1.0, 1.0, n, n
	var greenwood float64
	low, high := 1.0, 1.0
	for _, row := range rows {
		s.Longest = row.Length
		if row.Ended > 0 {
			s.Ended += row.Ended
			left := atRisk - row.Ended
			share = base * float64(left) / float64(whole)
			greenwood += float64(row.Ended) / float64(atRisk) / float64(left)
			low, high = logLog(share, greenwood, high)
			s.Steps = append(s.Steps, SurvivalStep{At: row.Length, AtRisk: atRisk, Ended: row.Ended, Share: share, Low: low, High: high})
		}
		atRisk -= row.Ended + row.Open
		if row.Open > 0 {
			base, whole = share, atRisk
		}
	}
	return s, nil
}

// logLog is S^exp(±z·√greenwood / ln S). Where everybody is gone the formula
// has no answer; the interval then reaches up to that of the step before.
func logLog(share, greenwood, before float64) (low, high float64) {
	if share <= 0 {
		return 0, before
	}
	reach := z95 * math.Sqrt(greenwood) / math.Abs(math.Log(share))
	low, high = math.Pow(share, math.Exp(reach)), math.Pow(share, math.Exp(-reach))
	return min(low, share), max(high, share)
}

func mergeSpells(spells []Spell) ([]Spell, int64, error) {
	rows := slices.Clone(spells)
	var n int64
	for _, s := range rows {
		if s.Length < 0 || s.Ended < 0 || s.Open < 0 {
			return nil, 0, fmt.Errorf("%w: %d ended and %d open of %s", ErrCounts, s.Ended, s.Open, s.Length)
		}
		if s.Ended > math.MaxInt64-n || s.Open > math.MaxInt64-n-s.Ended {
			return nil, 0, fmt.Errorf("%w: too many", ErrCounts)
		}
		n += s.Ended + s.Open
	}
	slices.SortFunc(rows, func(a, b Spell) int { return cmp.Compare(a.Length, b.Length) })
	kept := rows[:0]
	for _, s := range rows {
		switch last := len(kept) - 1; {
		case s.Ended+s.Open == 0:
		case last >= 0 && kept[last].Length == s.Length:
			kept[last].Ended += s.Ended
			kept[last].Open += s.Open
		default:
			kept = append(kept, s)
		}
	}
	return kept, n, nil
}

// Lasting is S(t), the share that lasts longer than t. It is false beyond the
// longest observation, unless everybody was seen to end.
func (s Survival) Lasting(t time.Duration) (float64, bool) {
	if s.Spells == 0 {
		return 0, false
	}
	share := 1.0
	for _, step := range s.Steps {
		if step.At > t {
			return share, true
		}
		share = step.Share
	}
	return share, share == 0 || t <= s.Longest
}

// EndedBy is 1 - S(t): the share that ends within t, with those who are
// younger than t counted for what they have shown. For leads it is the
// lag-adjusted rate of conversion.
func (s Survival) EndedBy(t time.Duration) (float64, bool) {
	share, known := s.Lasting(t)
	if !known {
		return 0, false
	}
	return 1 - share, true
}

// Percentile is the smallest length by which so many percent, 1 to 100, have
// ended: the smallest t with S(t) <= 1 - percent/100. It is false where too few
// ended to tell.
func (s Survival) Percentile(percent int) (time.Duration, bool) {
	if percent < 1 || percent > 100 {
		return 0, false
	}
	most := 1 - float64(percent)/100 + hair
	for _, step := range s.Steps {
		if step.Share <= most {
			return step.At, true
		}
	}
	return 0, false
}

// Median is the smallest t with S(t) <= 0.5. The plain median of the spells
// that ended is too short, since long ones are the ones still open.
func (s Survival) Median() (time.Duration, bool) { return s.Percentile(50) }
