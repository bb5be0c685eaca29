package lifecycle

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// codecVersion is the first byte of an encoded profile. A change of the form
// takes the next number, and DecodeProfile goes on reading the older ones.
const codecVersion = 4

// AppendBinary appends the profile's stored form: a version byte, then the
// fields in a fixed order, whole numbers as varints and instants as distances
// from FirstSeen. Equal profiles give equal bytes. The error says that a trait
// holds a value of a foreign type, which the engine never stores.
func (prof *Profile) AppendBinary(dst []byte) ([]byte, error) {
	w := encoder{b: append(dst, codecVersion), base: prof.FirstSeen}
	w.int(int64(prof.ID))
	w.int(prof.PlanVersion)
	w.int(int64(prof.FirstSeen))
	w.text(string(prof.Stage))
	w.instant(prof.Since)
	w.id(prof.StageEvent)
	w.int(prof.StageInbox)
	w.text(string(prof.Path))
	w.instant(prof.PathSince)
	w.size(len(prof.Segments))
	for i := range prof.Segments {
		w.text(string(prof.Segments[i].Name))
		w.instant(prof.Segments[i].Since)
	}
	w.text(prof.Source)
	w.instant(prof.LastSeen)
	w.instant(prof.LastActivity)
	w.int(prof.Events)
	w.instant(prof.NewestAt)
	w.id(prof.NewestID)
	w.instant(prof.NextCheck)
	w.int(prof.Moves)
	w.text(string(prof.position))
	w.text(string(prof.fallTo))
	w.instant(prof.fallSince)
	w.instant(prof.timed)
	w.size(prof.idle)
	w.flag(prof.bySide)
	w.facts(prof.facts)
	w.traits(prof.traits)
	w.visits(prof.visits)
	w.stances(prof)
	w.decays(prof.decays)
	w.lifecycles(prof.lifecycles)
	w.b = binary.LittleEndian.AppendUint64(w.b, uint64(prof.history))
	if w.foreign != nil {
		return dst, fmt.Errorf("lifecycle: encode profile %d: trait value of type %T", prof.ID, w.foreign)
	}
	return w.b, nil
}

type encoder struct {
	b       []byte
	base    Instant
	foreign any // a value that can't be written
}

func (w *encoder) int(i int64)   { w.b = binary.AppendVarint(w.b, i) }
func (w *encoder) size(n int)    { w.b = binary.AppendUvarint(w.b, uint64(n)) }
func (w *encoder) text(s string) { w.size(len(s)); w.b = append(w.b, s...) }
func (w *encoder) id(id EventID) { w.b = append(w.b, id[:]...) }

func (w *encoder) flag(on bool) {
	var b byte
	if on {
		b = 1
	}
	w.b = append(w.b, b)
}

// instant writes 0 for "never", else one more than the zigzag distance from the
// base. The largest distance has no code left and takes the one that a zero
// instant, which is "never", does not use. Differences may wrap around; adding
// wraps them back.
func (w *encoder) instant(i Instant) {
	if i == 0 {
		w.b = append(w.b, 0)
		return
	}
	d := int64(i - w.base)
	if d == math.MinInt64 {
		d = int64(-w.base)
	}
	w.b = binary.AppendUvarint(w.b, uint64(d<<1)^uint64(d>>63)+1)
}

func (w *encoder) facts(facts []Fact) {
	w.size(len(facts))
	for i := range facts {
		f := &facts[i]
		w.text(string(f.Name))
		w.int(f.Count)
		w.instant(f.First)
		w.instant(f.Last)
		w.size(len(f.Sums))
		for _, m := range f.Sums {
			w.text(m.Currency)
			w.int(m.Micros)
		}
		w.size(len(f.Newest))
		for _, at := range f.Newest {
			w.instant(at)
		}
	}
}

// traits writes each with a leading byte: whether it was told by the same
// event as the one before, as traits of one record are, and whether its value
// is as old as its newest telling.
func (w *encoder) traits(traits []TraitState) {
	w.size(len(traits))
	var before TraitState
	for i := range traits {
		t := &traits[i]
		var flags byte
		if i > 0 && t.At == before.At && t.Event == before.Event {
			flags |= traitSameTeller
		}
		if t.Since == t.At {
			flags |= traitFresh
		}
		w.b = append(w.b, flags)
		w.text(t.Name)
		if flags&traitSameTeller == 0 {
			w.instant(t.At)
			w.id(t.Event)
		}
		if flags&traitFresh == 0 {
			w.instant(t.Since)
		}
		w.value(t.Value, 0)
		before = *t
	}
}

const (
	traitSameTeller = 1 << iota
	traitFresh
)

// Kinds of a value.
const (
	valueNil byte = iota
	valueFalse
	valueTrue
	valueInt
	valueFloat
	valueText
	valueList
	valueMap
)

func (w *encoder) value(v any, depth int) {
	switch x := v.(type) {
	case nil:
		w.b = append(w.b, valueNil)
	case bool:
		kind := valueFalse
		if x {
			kind = valueTrue
		}
		w.b = append(w.b, kind)
	case int64:
		w.b = append(w.b, valueInt)
		w.int(x)
	case float64:
		w.b = append(w.b, valueFloat)
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x))
	case string:
		w.b = append(w.b, valueText)
		w.text(x)
	case []any:
		w.b = append(w.b, valueList)
		w.size(len(x))
		for _, item := range x {
			w.value(item, depth+1)
		}
	case map[string]any:
		w.b = append(w.b, valueMap)
		w.size(len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			w.text(k)
			w.value(x[k], depth+1)
		}
	default:
		w.foreign = v
	}
}

func (w *encoder) visits(visits []Visit) {
	w.size(len(visits))
	for i := range visits {
		v := &visits[i]
		w.text(string(v.Stage))
		w.int(v.Count)
		w.instant(v.First)
		w.instant(v.Last)
		w.instant(v.Left)
		w.int(v.Total)
	}
}

// stances writes claims, conflicts and the pin.
func (w *encoder) stances(prof *Profile) {
	w.size(len(prof.claims))
	for i := range prof.claims {
		c := &prof.claims[i]
		w.text(c.Connection)
		w.text(string(c.Stage))
		w.instant(c.At)
		w.id(c.Event)
	}
	w.size(len(prof.conflicts))
	for i := range prof.conflicts {
		c := &prof.conflicts[i]
		w.text(c.Connection)
		w.text(string(c.Stage))
		w.instant(c.At)
		w.id(c.Event)
		w.text(string(c.Reason))
		w.text(string(c.Won))
		w.text(c.By)
	}
	w.pin(&prof.pin)
}
