package summary

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Numbers of every length are read as they were written, and one that is cut
// short is told.
func TestReaderReadsNumbersOfAnyLength(t *testing.T) {
	t.Parallel()
	for bits := range 64 {
		for _, v := range []uint64{1<<bits - 1, 1 << bits, 1<<bits + 1, math.MaxUint64 >> bits} {
			whole := append(binary.AppendUvarint(nil, v), 0x81, 0x02, 0x03, 0x04)
			n := len(whole) - 4
			r := reader{b: whole}
			if got := r.uvarint(); got != v || r.at != n || r.bad {
				t.Fatalf("%d: read %d in %d of %d bytes", v, got, r.at, n)
			}
			for short := range n {
				if r := (reader{b: whole[:short]}); r.uvarint() != 0 || !r.bad {
					t.Fatalf("%d: %d of %d bytes are taken for a number", v, short, n)
				}
			}
		}
	}
}

// What is wanted is told by name or by category, which ends at the colon.
func TestWantByCategory(t *testing.T) {
	t.Parallel()
	w := Want{Events: []lifecycle.EventName{"Deal:Won"}, Categories: []string{"Content"}}
	for name, want := range map[lifecycle.EventName]bool{"Content:Viewed": true, "Content:Own": true, "Deal:Won": true, "Deal:Lost": false, "Contents:Viewed": false, "": false} {
		if w.event(name) != want {
			t.Errorf("%s is wanted: %v", name, !want)
		}
	}
	if (&Want{Moves: true}).events() || !w.events() || !(&Want{Categories: []string{"Content"}}).events() {
		t.Error("whether any event is wanted is not told")
	}
}
