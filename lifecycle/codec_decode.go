package lifecycle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// ErrProfileBytes says that bytes are not a profile as AppendBinary writes it.
var ErrProfileBytes = errors.New("lifecycle: not an encoded profile")

// DecodeProfile reads what AppendBinary wrote. Bytes of any other origin give
// ErrProfileBytes (wrapped), never a panic, and never make it allocate more
// than a small multiple of their length. The profile keeps nothing of b.
func DecodeProfile(b []byte) (*Profile, error) {
	if len(b) == 0 || len(b) > maxProfileBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrProfileBytes, len(b))
	}
	if b[0] != codecVersion {
		return nil, fmt.Errorf("%w: version %d", ErrProfileBytes, b[0])
	}
	// One copy serves all texts of the profile.
	r := decoder{b: b[1:], s: string(b[1:])}
	prof := &Profile{
		ID:          ProfileID(r.int()),
		PlanVersion: r.int(),
		FirstSeen:   Instant(r.int()),
	}
	r.base = prof.FirstSeen
	prof.Stage = Stage(r.text())
	prof.Since = r.instant()
	prof.StageEvent = r.id()
	prof.StageInbox = r.int()
	prof.Path = Stage(r.text())
	prof.PathSince = r.instant()
	prof.Segments = r.memberships()
	prof.Source = r.text()
	prof.LastSeen = r.instant()
	prof.LastActivity = r.instant()
	prof.Events = r.int()
	prof.NewestAt = r.instant()
	prof.NewestID = r.id()
	prof.NextCheck = r.instant()
	prof.Moves = r.int()
	prof.position = Stage(r.text())
	prof.fallTo = Stage(r.text())
	prof.fallSince = r.instant()
	prof.timed = r.instant()
	prof.idle = r.number(maxIdleMoves)
	prof.facts = r.facts()
	prof.traits = r.traits()
	prof.visits = r.visits()
	r.stances(prof)
	if r.at != len(r.b) {
		r.bad = true
	}
	if r.bad {
		return nil, fmt.Errorf("%w: broken at byte %d of %d", ErrProfileBytes, r.at+1, len(b))
	}
	return prof, nil
}

// decoder reads; after the first mistake bad is set and every read gives zero.
type decoder struct {
	b    []byte
	s    string // the same bytes
	at   int
	base Instant
	bad  bool
}

func (r *decoder) fail() { r.bad, r.at = true, len(r.b) }

func (r *decoder) int() int64 {
	v, n := binary.Varint(r.b[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

// number reads a count up to a limit.
func (r *decoder) number(limit int) int {
	if r.at < len(r.b) && r.b[r.at] < 0x80 && int(r.b[r.at]) <= limit {
		r.at++
		return int(r.b[r.at-1])
	}
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 || v > uint64(limit) {
		r.fail()
		return 0
	}
	r.at += n
	return int(v)
}

// size reads how many items follow, each of at least so many bytes.
func (r *decoder) size(least int) int { return r.number((len(r.b) - r.at) / least) }

func (r *decoder) text() string {
	n := r.number(len(r.b) - r.at)
	if n > len(r.b)-r.at {
		r.fail()
		return ""
	}
	r.at += n
	return r.s[r.at-n : r.at]
}

func (r *decoder) id() (id EventID) {
	if len(r.b)-r.at < len(id) {
		r.fail()
		return id
	}
	r.at += copy(id[:], r.b[r.at:])
	return id
}

func (r *decoder) instant() Instant {
	code, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	if code == 0 {
		return 0
	}
	code--
	i := r.base + (Instant(code>>1) ^ -Instant(code&1))
	if i == 0 {
		return r.base + math.MinInt64
	}
	return i
}

func (r *decoder) byte() byte {
	if r.at >= len(r.b) {
		r.fail()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *decoder) memberships() []Membership {
	n := r.size(2)
	if n == 0 {
		return nil
	}
	list := make([]Membership, n)
	for i := range list {
		list[i] = Membership{Segment(r.text()), r.instant()}
		if i > 0 && list[i].Name <= list[i-1].Name {
			r.fail()
		}
	}
	return list
}

func (r *decoder) facts() []Fact {
	n := r.size(6)
	if n == 0 || n > math.MaxInt16 {
		r.bad = r.bad || n > 0
		return nil
	}
	list := make([]Fact, n, n+1)
	for i := range list {
		f := &list[i]
		f.Name = EventName(r.text())
		if i > 0 && f.Name <= list[i-1].Name {
			r.fail()
		}
		f.Count, f.First, f.Last = r.int(), r.instant(), r.instant()
		if n := r.size(2); n > 0 {
			f.Sums = make([]Money, n)
			for j := range f.Sums {
				f.Sums[j].Currency = r.text()
				f.Sums[j].Micros = r.int()
				if j > 0 && f.Sums[j].Currency <= f.Sums[j-1].Currency {
					r.fail()
				}
			}
		}
		if n := r.size(1); n > 0 {
			f.Newest = make([]Instant, n, n+1)
			for j := range f.Newest {
				f.Newest[j] = r.instant()
			}
		}
	}
	return list
}

func (r *decoder) traits() []TraitState {
	n := r.size(3)
	if n == 0 {
		return nil
	}
	list := make([]TraitState, n, n+1)
	for i := range list {
		t := &list[i]
		flags := r.byte()
		t.Name = r.text()
		if i > 0 && t.Name <= list[i-1].Name || i == 0 && flags&traitSameTeller != 0 {
			r.fail()
		}
		if flags&traitSameTeller != 0 && i > 0 {
			t.At, t.Event = list[i-1].At, list[i-1].Event
		} else {
			t.At, t.Event = r.instant(), r.id()
		}
		t.Since = t.At
		if flags&traitFresh == 0 {
			t.Since = r.instant()
		}
		t.Value = r.value(0)
	}
	return list
}

func (r *decoder) value(depth int) any {
	if depth > maxTraitDepth+1 {
		r.fail()
		return nil
	}
	switch r.byte() {
	case valueNil:
		return nil
	case valueFalse:
		return false
	case valueTrue:
		return true
	case valueInt:
		return r.int()
	case valueFloat:
		if len(r.b)-r.at < 8 {
			r.fail()
			return nil
		}
		r.at += 8
		f := math.Float64frombits(binary.LittleEndian.Uint64(r.b[r.at-8:]))
		if math.IsNaN(f) || math.IsInf(f, 0) {
			r.fail()
			return nil
		}
		return f
	case valueText:
		return r.text()
	case valueList:
		list := make([]any, r.size(1))
		for i := range list {
			list[i] = r.value(depth + 1)
		}
		return list
	case valueMap:
		m := map[string]any{}
		last := ""
		for i := range r.size(2) {
			k := r.text()
			if i > 0 && strings.Compare(k, last) <= 0 {
				r.fail()
			}
			m[k], last = r.value(depth+1), k
		}
		return m
	}
	r.fail()
	return nil
}

func (r *decoder) visits() []Visit {
	n := r.size(6)
	if n == 0 {
		return nil
	}
	list := make([]Visit, n, n+1)
	for i := range list {
		list[i] = Visit{Stage(r.text()), r.int(), r.instant(), r.instant(), r.instant(), r.int()}
	}
	return list
}

func (r *decoder) stances(prof *Profile) {
	if n := r.size(3 + len(EventID{})); n > 0 {
		prof.claims = make([]Claim, n)
		for i := range prof.claims {
			prof.claims[i] = Claim{r.text(), Stage(r.text()), r.instant(), r.id()}
			if i > 0 && prof.claims[i].Connection <= prof.claims[i-1].Connection {
				r.fail()
			}
		}
	}
	if n := r.size(4 + len(EventID{})); n > 0 {
		prof.conflicts = make([]Conflict, n)
		for i := range prof.conflicts {
			prof.conflicts[i] = Conflict{r.text(), Stage(r.text()), r.instant(), r.id(), ConflictReason(r.text())}
		}
	}
	prof.pin.Stage = Stage(r.text())
	if prof.pin.Stage == "" {
		return
	}
	prof.pin.At, prof.pin.Until = r.instant(), r.instant()
	prof.pin.Event = r.id()
	prof.pin.Reason = r.text()
}
