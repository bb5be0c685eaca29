package store

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

func hashOf(i int) [16]byte {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(i))
	sum := sha256.Sum256(b[:])
	return [16]byte(sum[:16])
}

func TestHashFilterMissesNothing(t *testing.T) {
	t.Parallel()
	f := hashFilter{complete: true}
	const n = 3 * filterFirst // two layers, the second in part
	for i := range n {
		h := hashOf(i)
		f.add(&h)
	}
	for i := range n {
		if h := hashOf(i); f.absent(&h) {
			t.Fatalf("hash %d of %d was added and is said to be absent", i, n)
		}
	}
	wrong := 0
	for i := range 100_000 {
		if h := hashOf(n + i); !f.absent(&h) {
			wrong++
		}
	}
	if wrong > 6_000 {
		t.Errorf("%d of 100000 hashes are looked up in vain, want at most 6 %%", wrong)
	}
}

func TestHashFilterSaysNothingBeforeItIsComplete(t *testing.T) {
	t.Parallel()
	var f hashFilter
	h := hashOf(1)
	if f.absent(&h) {
		t.Error("an incomplete filter knows nothing, and said absent")
	}
}

func TestHashFilterGivesUpWhenFull(t *testing.T) {
	t.Parallel()
	f := hashFilter{complete: true}
	for n := filterFirst; 2*n <= filterMost; n *= 2 {
		f.layers = append(f.layers, filterLayer{lines: make([][8]uint64, 1)}) // no room left
	}
	h := hashOf(1)
	f.add(&h)
	if !f.full || f.absent(&h) {
		t.Errorf("a full filter must answer nothing: full %v", f.full)
	}
}
