package stats

import (
	"cmp"
	"math/bits"
	"slices"
)

// Count is how often a value occurs. Rows may come in any order, and rows of
// the same value add up.
type Count[T cmp.Ordered] struct {
	Value T
	N     int64
}

// CountValues counts equal values, in rising order.
func CountValues[T cmp.Ordered](values []T) []Count[T] {
	sorted := slices.Sorted(slices.Values(values))
	var all []Count[T]
	for _, v := range sorted {
		if n := len(all) - 1; n >= 0 && cmp.Compare(all[n].Value, v) == 0 {
			all[n].N++
			continue
		}
		all = append(all, Count[T]{v, 1})
	}
	return all
}

// Percentile is the smallest value that at least so many percent, 1 to 100, of
// all do not exceed (nearest rank: the ceil(percent·n/100)-th in rising order).
// It is always a value that occurs, in its own unit, and the same as a
// Survival's percentile where nothing is open. It is false without values;
// counts below one are left out.
func Percentile[T cmp.Ordered](counts []Count[T], percent int) (T, bool) {
	var none T
	if percent < 1 || percent > 100 {
		return none, false
	}
	sorted := slices.DeleteFunc(slices.Clone(counts), func(c Count[T]) bool { return c.N < 1 })
	slices.SortFunc(sorted, func(a, b Count[T]) int { return cmp.Compare(a.Value, b.Value) })
	var n uint64
	for _, c := range sorted {
		sum, carry := bits.Add64(n, uint64(c.N), 0)
		if carry != 0 {
			return none, false
		}
		n = sum
	}
	left := ceilPercent(n, uint64(percent))
	for _, c := range sorted {
		if uint64(c.N) >= left {
			return c.Value, true
		}
		left -= uint64(c.N)
	}
	return none, false
}

// ceilPercent is ceil(percent·n/100) for percent up to 100, without overflow
// and without the rounding of fractions, which would move a rank by one.
func ceilPercent(n, percent uint64) uint64 {
	hi, lo := bits.Mul64(n, percent)
	quotient, rest := bits.Div64(hi, lo, 100)
	if rest > 0 {
		quotient++
	}
	return quotient
}
