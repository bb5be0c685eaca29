package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// EventName is a lifecycle event's name, Category:Name with the name a past
// participle, for example "Order:Completed".
type EventName string

// Stage is a stage's name as the tracking plan spells it.
type Stage string

// Segment is a segment's name as the tracking plan spells it.
type Segment string

// ProfileID numbers a person. Ids are never used again; the smallest id of a
// merge survives. Zero is no person.
type ProfileID int64

// Instant is a moment in UTC microseconds since 1970. Zero means "not known"
// or "never", whichever the field says.
type Instant int64

// At converts a time; its zero value becomes zero.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMicro())
}

// Time converts back to UTC.
func (i Instant) Time() time.Time { return time.UnixMicro(int64(i)).UTC() }

// Add moves by a duration, which is cut to microseconds.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d/time.Microsecond) }

// EventID identifies one canonical event: see NewEventID.
type EventID [16]byte

// NewEventID derives the id of the event at a position (from 0) in the output
// of one raw event. The same raw event mapped again gives the same ids, which
// is what makes reprocessing harmless (rule 3 of the design).
func NewEventID(connection string, dedupe []byte, position int) EventID {
	h := sha256.New()
	h.Write([]byte(connection))
	h.Write([]byte{0})
	h.Write(dedupe)
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(position))
	h.Write(n[:])
	var id EventID
	copy(id[:], h.Sum(nil))
	return id
}

// String gives the id in lower-case hex.
func (id EventID) String() string { return hex.EncodeToString(id[:]) }

// Money is an amount in millionths of a currency unit.
type Money struct {
	Micros   int64  `json:"micros"`
	Currency string `json:"currency"` // ISO 4217, upper case
}

// Trait is one fact that an event tells about a person. A later one wins, by
// (At, event id).
type Trait struct {
	Name string `json:"n"`
	// Value is a string, bool, int64, float64, nil, []any or map[string]any of
	// the same. A nil value removes the trait.
	Value any `json:"v"`
	// At is when the value was true: the event's time, or the modification
	// time of the vendor's record it was read from.
	At Instant `json:"t"`
}

// Event is one canonical lifecycle event: something that happened to a person
// at a time, told by a connection.
type Event struct {
	ID         EventID
	Name       EventName
	At         Instant
	Connection string
	// Inbox is the raw event it was mapped from; zero for a decision made here.
	Inbox int64
	// Identity holds normalised keys of the person, strongest first, at least
	// one once the event has passed mapping.
	Identity []Key
	// BusinessKey, when set, makes (person, name, key) one event whichever tool
	// told of it; the earliest by (At, Connection, ID) supplies time and value.
	BusinessKey string
	Traits      []Trait
	// Properties describe the event itself; values as in Trait.
	Properties map[string]any
	Value      *Money
	// Claim is the stage that a connection says the person has, in our
	// spelling; empty for none.
	Claim Stage
}

// Before orders events by (time, id), the only order that decides anything
// (rule 4 of the design).
func (e *Event) Before(o *Event) bool {
	if e.At != o.At {
		return e.At < o.At
	}
	return string(e.ID[:]) < string(o.ID[:])
}

// Key is one identifier of a person, for example email:ann@example.com or
// hubspot-eu:51.
type Key struct {
	Namespace string
	Value     string
}

// String gives namespace:value.
func (k Key) String() string { return k.Namespace + ":" + k.Value }
