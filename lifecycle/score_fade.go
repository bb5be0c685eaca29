package lifecycle

import (
	"math"
	"math/bits"
)

// roots are 2^-(1/2), 2^-(1/4) and so on, each the square root of the one
// before, as multiples of 2^-63.
var roots = [...]uint64{
	0x5a827999fcef3242, 0x6ba27e656b4eb57a, 0x75606373ee921c97, 0x7a92be8a92436616,
	0x7d41d96db915019d, 0x7e9f06067a4360ba, 0x7f4f08ae3dc7c426, 0x7fa765aca88f6453,
	0x7fd3ab290e46d769, 0x7fe9d3a8e07bf086, 0x7ff4e9597bed93ab, 0x7ffa748dff8dc61f,
	0x7ffd3a3f50020332, 0x7ffe9d1dbc0a75aa, 0x7fff4e8e6306ed59, 0x7fffa74712c3cdfd,
	0x7fffd3a381b1fa29, 0x7fffe9d1beed018a, 0x7ffff4e8defb81d7, 0x7ffffa746f5f012f,
}

const (
	// partBits divide a half-life, of which roots take the first twenty; between
	// two products of roots the curve is a straight line.
	partBits = 44
	restBits = partBits - len(roots)
	// fadedOut is after how many half-lives nothing is left of any points.
	fadedOut = 63
)

// fade gives what points are worth after a span: half of them after each
// half-life. It is made of whole numbers alone, so that it is the same on every
// machine, and it never rises with the span. It is off by less than one part in
// 10^12 before it is rounded towards zero.
func fade(p points, span, half Instant) points {
	if span <= 0 || half <= 0 || p == 0 {
		return p
	}
	halves := span / half
	if halves >= fadedOut {
		return 0
	}
	hi, lo := bits.Mul64(uint64(span%half), 1<<partBits)
	part, _ := bits.Div64(hi, lo, uint64(half))
	factor := uint64(1) << 63
	for i, root := range roots {
		if part>>(partBits-1-i)&1 != 0 {
			factor = times63(factor, root)
		}
	}
	// The line from here to the next product of roots.
	drop := times63(factor, 1<<63-roots[len(roots)-1])
	hi, lo = bits.Mul64(drop, part&(1<<restBits-1))
	factor -= hi<<(64-restBits) | lo>>restBits
	if p < 0 {
		return -points(times63(uint64(-p), factor) >> halves)
	}
	return points(times63(uint64(p), factor) >> halves)
}

// times63 multiplies by a number of which 2^63 is one.
func times63(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi<<1 | lo>>63
}

// fadesBelow gives the shortest span after which points above zero have faded to
// less than a level; never where that is not above zero.
func fadesBelow(p, level points, half Instant) Instant {
	switch {
	case level <= 0:
		return never
	case p < level:
		return 0
	}
	// The curve says nearly where; the rest is found by looking.
	guess := Instant(math.Log2(float64(p)/float64(level)) * float64(half))
	low, high := Instant(0), min(guess, fadedOut*half)
	if fade(p, high, half) >= level {
		low = high
		for step := Instant(1); fade(p, high, half) >= level; step *= 2 {
			low = high
			high = min(high+step, fadedOut*half)
		}
	} else {
		for step := Instant(1); high-step > 0; step *= 2 {
			if fade(p, high-step, half) >= level {
				low = high - step
				break
			}
			high -= step
		}
	}
	for high-low > 1 {
		if mid := low + (high-low)/2; fade(p, mid, half) < level {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}
