package summary

import (
	"encoding/binary"
	"errors"
)

// Version is of the form that blocks have. A change of the form, or of what is
// kept of a person, takes the next number, and all summaries are then made anew.
const Version = 3

// errCorrupt says that a block's bytes are not what encode wrote.
var errCorrupt = errors.New("summary: a block cannot be read")

// Units of times and of amounts: most are whole seconds, days or cents, and
// take half the bytes when that is used.
var (
	timeUnits  = [4]int64{1, 1_000, 1_000_000, 86_400_000_000}
	moneyUnits = [4]int64{1, 100, 10_000, 1_000_000}
)

// writer packs whole numbers and places in the table of texts.
type writer struct{ b []byte }

func (w *writer) size(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

// scaled writes a number in the largest unit that it is a multiple of; one that
// has no room beside its unit is written plainly behind a code of its own.
func (w *writer) scaled(v int64, units *[4]int64) {
	unit := 3
	for v%units[unit] != 0 {
		unit--
	}
	n := v / units[unit]
	z := uint64(n<<1) ^ uint64(n>>63)
	if z >= 1<<62 {
		w.b = append(w.b, escape)
		w.b = binary.LittleEndian.AppendUint64(w.b, uint64(v))
		return
	}
	w.b = binary.AppendUvarint(w.b, z<<2|uint64(unit))
}

// escape is zero in the smallest unit, which scaled writes in the largest.
const escape = 0

// reader unpacks; once something does not fit it answers zeros and bad is true.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) left() int { return len(r.b) - r.at }

func (r *reader) fail() { r.bad, r.at = true, len(r.b) }

func (r *reader) uvarint() uint64 {
	if r.at < len(r.b) {
		if c := r.b[r.at]; c < 0x80 {
			r.at++
			return uint64(c)
		}
	}
	return r.longer()
}

// longer reads a number of two bytes or more. Those of up to four, which times
// within a year take, are put together here: they are most of what there is.
func (r *reader) longer() uint64 {
	if r.left() >= 4 {
		b := r.b[r.at : r.at+4]
		v := uint64(b[0]&0x7f) | uint64(b[1]&0x7f)<<7
		if b[1] < 0x80 {
			r.at += 2
			return v
		}
		if v |= uint64(b[2]&0x7f) << 14; b[2] < 0x80 {
			r.at += 3
			return v
		}
		if v |= uint64(b[3]&0x7f) << 21; b[3] < 0x80 {
			r.at += 4
			return v
		}
	}
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

// count reads a number of things that take at least so many bytes each, so
// that what is made for them is bounded by what is there.
func (r *reader) count(bytes int) int {
	n := r.uvarint()
	if n > uint64(r.left()/bytes) {
		r.fail()
		return 0
	}
	return int(n)
}

// place reads a number below an end.
func (r *reader) place(end int) int {
	n := r.uvarint()
	if n >= uint64(end) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) scaled(units *[4]int64) int64 {
	v := r.uvarint()
	if v == escape {
		return int64(r.word())
	}
	return signed(v>>2) * units[v&3]
}

// word reads eight bytes.
func (r *reader) word() uint64 {
	if r.left() < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b[r.at:])
	r.at += 8
	return v
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > r.left() {
		r.fail()
		return nil
	}
	b := r.b[r.at : r.at+n]
	r.at += n
	return b
}

// signed undoes the folding that puts small negative numbers among small ones.
func signed(z uint64) int64 { return int64(z>>1) ^ -int64(z&1) }
