package lifecycle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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
	if b[0] < 1 || b[0] > codecVersion {
		return nil, fmt.Errorf("%w: version %d", ErrProfileBytes, b[0])
	}
	// One copy serves all texts of the profile.
	r := decoder{version: b[0], b: b[1:], s: string(b[1:])}
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
	prof.idle = r.number(maxIdleMoves * (1 + MaxLifecycles))
	if r.version >= 2 {
		prof.bySide = r.number(1) == 1
	}
	prof.facts = r.facts()
	prof.traits = r.traits()
	prof.visits = r.visits()
	r.stances(prof)
	if r.version >= 3 {
		prof.decays = r.decays()
		prof.lifecycles = r.lifecycles()
	}
	if r.version >= 4 {
		prof.history = historyPrint(r.fixed())
	}
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
	version byte
	b       []byte
	s       string // the same bytes
	at      int
	base    Instant
	bad     bool
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

// fixed reads eight bytes, the lowest first.
func (r *decoder) fixed() uint64 {
	if len(r.b)-r.at < 8 {
		r.fail()
		return 0
	}
	r.at += 8
	return binary.LittleEndian.Uint64(r.b[r.at-8:])
}

func (r *decoder) byte() byte {
	if r.at >= len(r.b) {
		r.fail()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}
