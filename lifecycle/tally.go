package lifecycle

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Tally is what people add to their account: one number per measure of the
// plan, sorted by measure, none of them zero. The sum of the tallies of all
// its people is that of an account, whatever the order they came in.
type Tally []Measured

// Measured is one number of a Tally.
type Measured struct {
	// Measure names what is counted or summed by a hash of its text, so that a
	// number keeps its meaning when the plan changes around it.
	Measure uint64
	// N counts people, or is money in millionths.
	N int64
}

// ErrTallyBytes says that bytes are not a tally as AppendBinary writes it.
var ErrTallyBytes = errors.New("lifecycle: not an encoded tally")

// maxTally is more measures than the plans of an installation can leave behind
// in one tally.
const maxTally = 4 * MaxConditionLeaves

// Of gives the number of a measure; zero where there is none.
func (t Tally) Of(measure uint64) int64 {
	if i, ok := slices.BinarySearchFunc(t, measure, func(m Measured, want uint64) int { return cmp.Compare(m.Measure, want) }); ok {
		return t[i].N
	}
	return 0
}

// Plus gives the sum of two tallies as a new one; times is 1, or -1 to take
// the other away. Sums wrap, so that adding and taking away are exact.
func (t Tally) Plus(other Tally, times int64) Tally {
	sum := make(Tally, 0, len(t)+len(other))
	for i, j := 0, 0; i < len(t) || j < len(other); {
		var m Measured
		switch {
		case j == len(other) || i < len(t) && t[i].Measure < other[j].Measure:
			m, i = t[i], i+1
		case i == len(t) || other[j].Measure < t[i].Measure:
			m, j = Measured{other[j].Measure, times * other[j].N}, j+1
		default:
			m, i, j = Measured{t[i].Measure, t[i].N + times*other[j].N}, i+1, j+1
		}
		if m.N != 0 {
			sum = append(sum, m)
		}
	}
	return sum
}

// AppendBinary writes the tally: each measure in eight bytes, then its number.
func (t Tally) AppendBinary(b []byte) ([]byte, error) {
	for _, m := range t {
		b = binary.BigEndian.AppendUint64(b, m.Measure)
		b = binary.AppendVarint(b, m.N)
	}
	return b, nil
}

// DecodeTally reads what AppendBinary wrote; no bytes are the empty tally.
// Bytes of any other origin give ErrTallyBytes (wrapped), never a panic.
func DecodeTally(b []byte) (Tally, error) {
	if len(b) > maxTally*(8+binary.MaxVarintLen64) {
		return nil, fmt.Errorf("%w: %d bytes", ErrTallyBytes, len(b))
	}
	var t Tally
	for len(b) > 0 {
		if len(b) < 9 {
			return nil, fmt.Errorf("%w: cut short", ErrTallyBytes)
		}
		m := Measured{Measure: binary.BigEndian.Uint64(b)}
		n, size := binary.Varint(b[8:])
		if size <= 0 || n == 0 || len(t) > 0 && t[len(t)-1].Measure >= m.Measure {
			return nil, fmt.Errorf("%w: broken at measure %d", ErrTallyBytes, len(t))
		}
		m.N = n
		t, b = append(t, m), b[8+size:]
	}
	return t, nil
}
