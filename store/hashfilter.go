package store

import (
	"context"
	"database/sql"
	"encoding/binary"
)

// hashFilter answers for a hash that it is certainly not in the table of
// hashes, which is what holds for nearly every event that comes in, without
// asking the table: a Bloom filter over hashes that are uniform already. It
// grows by layers, each twice as large as the one before, and gives up at
// filterMost hashes, after which the table is asked again.
type hashFilter struct {
	layers []filterLayer
	full   bool
	// complete says that every hash of the table is in it.
	complete bool
}

// A layer spends ten bits a hash and sets filterProbes of them in one cache
// line: about one hash in a hundred is looked up in vain.
const (
	filterProbes = 6
	filterFirst  = 1 << 18 // hashes in the first layer
	filterMost   = 1 << 26 // in all: about 84 MB
)

type filterLayer struct {
	lines [][8]uint64
	room  int // hashes it still takes
}

// add notes a hash.
func (f *hashFilter) add(hash *[16]byte) {
	if f.full {
		return
	}
	if n := len(f.layers); n == 0 || f.layers[n-1].room == 0 {
		size := filterFirst << n
		if 2*size > filterMost {
			f.full, f.layers = true, nil
			f.complete = false
			return
		}
		f.layers = append(f.layers, filterLayer{lines: make([][8]uint64, size*10/512), room: size})
	}
	l := &f.layers[len(f.layers)-1]
	l.room--
	line, bits := l.place(hash)
	for range filterProbes {
		line[bits>>6&7] |= 1 << (bits & 63)
		bits >>= 9
	}
}

// absent reports that a hash is certainly not there.
func (f *hashFilter) absent(hash *[16]byte) bool {
	if !f.complete {
		return false
	}
	for i := range f.layers {
		line, bits := f.layers[i].place(hash)
		hit := true
		for range filterProbes {
			hit = hit && line[bits>>6&7]&(1<<(bits&63)) != 0
			bits >>= 9
		}
		if hit {
			return false
		}
	}
	return true
}

// place gives the line of a hash and the bits to look at, nine for each.
func (l *filterLayer) place(hash *[16]byte) (line *[8]uint64, bits uint64) {
	at := binary.LittleEndian.Uint64(hash[:8]) % uint64(len(l.lines))
	return &l.lines[at], binary.LittleEndian.Uint64(hash[8:])
}

// filterChunk is how many hashes are read from the table at once.
const filterChunk = 5_000

// fillFilter adds what is in the table, once per process and beside the work.
// Hashes that come to the table meanwhile were added when they came in.
func (s *Store) fillFilter() {
	q := &s.recent
	after := []byte{}
	for {
		chunk, err := s.hashesAfter(after)
		if err != nil {
			s.log.Warn("dedupe hashes are looked up one by one", "error", err)
			return
		}
		q.mu.Lock()
		for i := range chunk {
			q.filter.add(&chunk[i])
		}
		done := len(chunk) < filterChunk
		q.filter.complete = done && !q.filter.full
		done = done || q.filter.full
		q.mu.Unlock()
		if done {
			return
		}
		after = chunk[len(chunk)-1][:]
		select {
		case <-s.closed:
			return
		default:
		}
	}
}

func (s *Store) hashesAfter(after []byte) ([][16]byte, error) {
	var chunk [][16]byte
	ctx := context.Background()
	rows, err := s.query(ctx, "select hash from dedupes where hash > ? order by hash limit ?", after, filterChunk)
	err = each(rows, err, func(rows *sql.Rows) error {
		var hash []byte
		err := rows.Scan(&hash)
		chunk = append(chunk, [16]byte(hash))
		return err
	})
	return chunk, err
}
