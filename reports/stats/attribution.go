package stats

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Model says how a conversion is shared among the touches before it.
type Model string

// The models there are. "Others" share their part equally.
const (
	FirstTouch    Model = "first"           // all to the first
	LastTouch     Model = "last"            // all to the last
	LastNonDirect Model = "last_non_direct" // all to the last that is not direct, or the last where all are
	Linear        Model = "linear"          // the same to each
	TimeDecay     Model = "time_decay"      // 2^(-Δt/h), Δt before the conversion
	UShaped       Model = "u_shaped"        // 40 % first, 40 % last, 20 % others
	WShaped       Model = "w_shaped"        // 30 % first, 30 % the one that made the lead, 30 % last, 10 % others
)

const (
	// Whole is one conversion: shares are counted in billionths, so that they
	// are integers and add up exactly.
	Whole int64 = 1_000_000_000
	// HalfLife is what TimeDecay takes where none is given.
	HalfLife = 7 * 24 * time.Hour
	// maxTouches bounds one way to a conversion; a share of each is then still
	// more than rounding.
	maxTouches = 100_000
)

// ErrModel says that there is no such model, or that a journey does not fit it.
var ErrModel = errors.New("no such attribution")

// Touch is one contact with a customer before a conversion.
type Touch struct {
	At     lifecycle.Instant
	Direct bool // came by itself: no campaign, search or link behind it
}

// Journey is one conversion and the touches of that customer, in any order.
type Journey struct {
	Touches    []Touch
	Conversion lifecycle.Instant
	// Lookback is how long before the conversion a touch still counts, that
	// instant not included; zero is without end. Touches after the conversion
	// never count.
	Lookback time.Duration
	// HalfLife is for TimeDecay; zero is seven days.
	HalfLife time.Duration
	// Lead is the index in Touches of the one that created the lead, for
	// WShaped; -1 for none. Where there is none, or it is the first or the last
	// touch, the ones there are share the 90 %.
	Lead int
}

// Attribute gives for each touch, in the order of Touches, its share of the
// conversion in billionths. Shares sum to exactly Whole, the remainder of
// rounding being the last touch's; where no touch counts all are zero and the
// conversion stays without a source. Touches at the same instant keep the order
// they are given in. With n touches: one gets all; U of two is half and half; W
// of three is a third each. The error wraps ErrModel.
func Attribute(model Model, j Journey) ([]int64, error) {
	var s Sharer
	if err := s.Take(j); err != nil {
		return nil, err
	}
	return s.Attribute(model)
}

// counted appends the indexes of the touches within (conversion - lookback,
// conversion], in the order of time.
func (j *Journey) counted(all []int) []int {
	for i, t := range j.Touches {
		if t.At <= j.Conversion && (j.Lookback == 0 || j.Conversion.Add(-j.Lookback) < t.At) {
			all = append(all, i)
		}
	}
	byTime := func(a, b int) int { return cmp.Compare(j.Touches[a].At, j.Touches[b].At) }
	if !slices.IsSortedFunc(all, byTime) {
		slices.SortStableFunc(all, byTime)
	}
	return all
}

// apportion turns weights, of which the sum is more than zero, into parts of
// Whole. Each is rounded down, and the last one with a weight takes what is
// left over. They are written into parts.
func apportion(weights []float64, parts []int64) []int64 {
	var total float64
	for _, w := range weights {
		total += w
	}
	last, left := 0, Whole
	for i, w := range weights {
		// A hair more, so that 0.3 of a billion is not one short.
		parts[i] = min(left, int64(w/total*float64(Whole)+1e-6))
		left -= parts[i]
		if w > 0 {
			last = i
		}
	}
	parts[last] += left
	return parts
}

// Credit splits an amount in micros by shares that sum to Whole, or are all
// zero. The parts sum to exactly the amount: each is cut towards zero, and the
// last one with a share takes the remainder. Negative amounts, refunds, split
// like positive ones. The error wraps ErrModel for other shares.
func Credit(micros int64, shares []int64) ([]int64, error) {
	var s Sharer
	return s.Credit(micros, shares)
}

// credit is Credit into parts, which are all zero.
func credit(micros int64, shares, parts []int64) error {
	var total int64
	last := -1
	for i, s := range shares {
		if s < 0 || s > Whole-total {
			return fmt.Errorf("stats: credit: %w: shares of more than a whole", ErrModel)
		}
		total += s
		if s > 0 {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	if total != Whole {
		return fmt.Errorf("stats: credit: %w: shares of %d of %d", ErrModel, total, Whole)
	}
	left := micros
	for i, s := range shares {
		parts[i] = portion(micros, s)
		left -= parts[i]
	}
	parts[last] += left
	return nil
}

// portion is micros · share / Whole, cut towards zero. The product has up to 94
// bits; the share is at most Whole, so the quotient fits.
func portion(micros, share int64) int64 {
	size := uint64(micros)
	if micros < 0 {
		size = -size
	}
	high, low := bits.Mul64(size, uint64(share))
	quotient, _ := bits.Div64(high, low, uint64(Whole))
	if micros < 0 {
		return -int64(quotient)
	}
	return int64(quotient)
}
