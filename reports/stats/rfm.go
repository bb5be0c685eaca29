package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Scale turns a value into a score from 1 to 5. Its cuts are the smallest
// values that reach a score of 2, 3, 4 and 5, rising; a cut that nobody reaches
// is left out. It may be written down as fixed thresholds or taken from what
// the customers have.
type Scale struct {
	Cuts []int64 `json:"cuts"`
	// Falling says that less is better, as with days since the last purchase.
	// Cuts are then those of the negated values.
	Falling bool `json:"falling"`
}

// scores is how many there are: quintiles.
const scores = 5

// NewScale cuts by rank: a value that occurs scores s where at least (s-1)
// fifths of all people have a strictly worse one, and a value between two scores
// like the worse of them. People with the same value get the same
// score, whatever the order of rows; where half of all bought once, all of
// these score 1 and nobody 2. Rows of the same value add up. The error wraps
// ErrCounts.
func NewScale(values []Count[int64], falling bool) (Scale, error) {
	s := Scale{Cuts: []int64{}, Falling: falling}
	rows := slices.Clone(values)
	var n int64
	for i, r := range rows {
		if r.N < 0 || r.N > maxPeople-n {
			return Scale{}, fmt.Errorf("stats: scale: %w: %d people", ErrCounts, r.N)
		}
		n += r.N
		rows[i].Value = s.signed(r.Value)
	}
	slices.SortFunc(rows, func(a, b Count[int64]) int { return cmp.Compare(a.Value, b.Value) })
	var worse, here int64
	for i, r := range rows {
		if i > 0 && rows[i-1].Value != r.Value {
			worse, here = worse+here, 0
		}
		here += r.N
		for r.N > 0 && len(s.Cuts) < scores-1 && worse*scores >= int64(len(s.Cuts)+1)*n {
			s.Cuts = append(s.Cuts, r.Value)
		}
	}
	return s, nil
}

// signed makes more better.
func (s Scale) signed(v int64) int64 {
	if !s.Falling {
		return v
	}
	if v == math.MinInt64 {
		return math.MaxInt64 // the only value whose negation does not fit
	}
	return -v
}

// Score gives 5 to the best values and 1 to the worst.
func (s Scale) Score(value int64) int {
	score := 1
	for _, cut := range s.Cuts {
		if s.signed(value) >= cut {
			score++
		}
	}
	return min(score, scores)
}

// RFM are a customer's three scores, 1 to 5 each.
type RFM struct {
	Recency   int `json:"recency"`   // by days since the last purchase, fewer is better
	Frequency int `json:"frequency"` // by number of purchases, or of days with one: the report says which
	Monetary  int `json:"monetary"`  // by sum, or mean, of amounts in micros of one currency: the report says which
}

// RFMScales are the scales behind the scores.
type RFMScales struct {
	Recency   Scale `json:"recency"`
	Frequency Scale `json:"frequency"`
	Monetary  Scale `json:"monetary"`
}

// Score gives the three scores of one customer.
func (s RFMScales) Score(days, purchases, micros int64) RFM {
	return RFM{s.Recency.Score(days), s.Frequency.Score(purchases), s.Monetary.Score(micros)}
}

// String writes the scores side by side, recency first: "545".
func (r RFM) String() string { return fmt.Sprintf("%d%d%d", r.Recency, r.Frequency, r.Monetary) }

// RFMGroup is a name for similar scores.
type RFMGroup string

// The groups there are, by recency R and frequency F. The names are the usual
// ones; nobody has standardised them.
const (
	Champions         RFMGroup = "champions"          // R 4-5, F 4-5
	Loyal             RFMGroup = "loyal"              // R 3 or more, F 3 or more, and no champion
	NewCustomer       RFMGroup = "new"                // R 5, F 1
	PotentialLoyalist RFMGroup = "potential_loyalist" // R 3 or more, F 1-2, and not new
	CantLose          RFMGroup = "cant_lose"          // R 1, F 4-5
	AtRisk            RFMGroup = "at_risk"            // R 1-2, F 3 or more, and none of those
	Hibernating       RFMGroup = "hibernating"        // R 1-2, F 1-2
	LostCustomer      RFMGroup = "lost"               // 111
)

// Group names the scores.
func (r RFM) Group() RFMGroup {
	switch {
	case r == RFM{1, 1, 1}:
		return LostCustomer
	case r.Recency <= 1 && r.Frequency >= 4:
		return CantLose
	case r.Recency <= 2 && r.Frequency >= 3:
		return AtRisk
	case r.Recency <= 2:
		return Hibernating
	case r.Recency >= 4 && r.Frequency >= 4:
		return Champions
	case r.Frequency >= 3:
		return Loyal
	case r.Recency >= 5 && r.Frequency <= 1:
		return NewCustomer
	}
	return PotentialLoyalist
}
