package stats

import (
	"fmt"
	"maps"
	"slices"
)

// maxSplits bounds the periods of one answer: ten years of days.
const maxSplits = 3660

// Split says of whom the people active in one period are made up.
type Split struct {
	Period       Period `json:"period"`
	New          int64  `json:"new"`          // active for the first time ever
	Returning    int64  `json:"returning"`    // active now and in the period before
	Resurrecting int64  `json:"resurrecting"` // active now, not in the period before, but earlier
	// Dormant were active in the period before and are not now. It is a count;
	// charts draw it downwards.
	Dormant int64 `json:"dormant"`
}

// Active is everybody active in the period: new + returning + resurrecting.
func (s Split) Active() int64 { return s.New + s.Returning + s.Resurrecting }

// Growth is how many more are active than in the period before: new +
// resurrecting - dormant.
func (s Split) Growth() int64 { return s.New + s.Resurrecting - s.Dormant }

// SplitCounter counts people by period. Its zero value is ready; it is not safe
// for concurrent use. Counters of disjoint people can be merged.
type SplitCounter struct {
	byPeriod map[Period]Split
}

// Add counts one person by all the periods they were active in, in any order,
// repeats allowed.
func (c *SplitCounter) Add(active []Period) {
	if c.byPeriod == nil {
		c.byPeriod = map[Period]Split{}
	}
	periods := slices.Compact(slices.Sorted(slices.Values(active)))
	for i, p := range periods {
		s := c.byPeriod[p]
		switch {
		case i == 0:
			s.New++
		case periods[i-1] == p-1:
			s.Returning++
		default:
			s.Resurrecting++
		}
		c.byPeriod[p] = s
		if i+1 == len(periods) || periods[i+1] != p+1 {
			next := c.byPeriod[p+1]
			next.Dormant++
			c.byPeriod[p+1] = next
		}
	}
}

// Merge adds the counts of another counter, whose people are not in this one.
func (c *SplitCounter) Merge(o *SplitCounter) {
	if c.byPeriod == nil {
		c.byPeriod = map[Period]Split{}
	}
	for p, s := range o.byPeriod {
		mine := c.byPeriod[p]
		mine.New += s.New
		mine.Returning += s.Returning
		mine.Resurrecting += s.Resurrecting
		mine.Dormant += s.Dormant
		c.byPeriod[p] = mine
	}
}

// Between gives every period from one to another, both included, those without
// anybody too; it is empty where from is after to. Give the last one that is
// over as to: in a period that still runs, people are dormant who have yet to
// come. The error wraps ErrCounts beyond 3,660 periods.
func (c *SplitCounter) Between(from, to Period) ([]Split, error) {
	if from > to {
		return []Split{}, nil
	}
	if n := to - from; n < 0 || n >= maxSplits {
		return nil, fmt.Errorf("stats: split: %w: more than %d periods", ErrCounts, maxSplits)
	}
	all := make([]Split, 0, to-from+1)
	for p := from; p <= to; p++ {
		s := c.byPeriod[p]
		s.Period = p
		all = append(all, s)
	}
	return all, nil
}

// Periods are those in which anything was counted, in order, the one after
// somebody's last included.
func (c *SplitCounter) Periods() []Period { return slices.Sorted(maps.Keys(c.byPeriod)) }
