package imports

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// Repeats tells the first row of some content from the second with the same, so
// that a row twice in one file is two events, and the same two when the file is
// read again, longer or mended. A first reading finds, in memory bounded by
// the length of the file, which contents may be there twice; only these are
// counted in the second.
type Repeats struct {
	seen  []uint64         // bits, of the first reading
	twice map[uint64]int64 // how often so far, of the second
	rows  int64
}

// Bounds of the bits of the first reading, in words: they are a quarter of the
// file's bytes, at least 64 KiB and at most 64 MiB.
const (
	leastWords = 8 << 10
	mostWords  = 8 << 20
)

// repeatProbes is how many bits one content sets.
const repeatProbes = 4

func newRepeats(size int64) *Repeats {
	words := int64(leastWords)
	for words*32 < size && words < mostWords {
		words *= 2
	}
	return &Repeats{seen: make([]uint64, words), twice: map[uint64]int64{}}
}

// note is the first reading.
func (r *Repeats) note(hash uint64) {
	there := true
	bit, step := hash, hash>>32|1
	for range repeatProbes {
		word, mask := &r.seen[bit>>6%uint64(len(r.seen))], uint64(1)<<(bit&63)
		there = there && *word&mask != 0
		*word |= mask
		bit += step<<6 + 1
	}
	if there {
		r.twice[hash] = 0
	}
	r.rows++
}

// turn is the second reading: the how-manieth row of its content it is, from 1.
func (r *Repeats) turn(hash uint64) int64 {
	n, counted := r.twice[hash]
	if !counted {
		return 1
	}
	r.twice[hash] = n + 1
	return n + 1
}

// Rows is how many good rows the first reading found.
func (r *Repeats) Rows() int64 { return r.rows }

// FindRepeats is the first reading of a file of so many bytes; tell, when not
// nil, hears of each row.
func FindRepeats(ctx context.Context, rows *Reader, m *Mapper, size int64, tell func()) (*Repeats, error) {
	found := newRepeats(size)
	for ctx.Err() == nil {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if tell != nil {
			tell()
		}
		if e, values, err := m.event(&row); err == nil {
			found.note(binary.BigEndian.Uint64(contentOf(e.Type, values)))
		}
	}
	return nil, ctx.Err()
}
