package lifecycle

import (
	"bytes"
	"cmp"
	"slices"
)

// Decision says what an edge rests on.
type Decision uint8

const (
	// Observed: an event named the keys together. The guards judge it.
	Observed Decision = iota
	// DecidedMerge: somebody decided that the keys are one person's. It joins their
	// people over every guard, except over a split that names two of the keys
	// and was decided later.
	DecidedMerge
	// DecidedSplit: somebody decided that Keys are one person's and Apart another's.
	// It holds for all time, so edges before it can no longer join the two
	// sides either; a later DecidedMerge or DecidedSplit that puts two of the keys on one
	// side lifts it for those two.
	DecidedSplit
)

// Edge is the evidence of one event, or of one decision, that keys belong to
// one person.
type Edge struct {
	At   Instant
	ID   EventID
	Keys []Key // as SortKeys gives them
	// Decision is Observed for a connection's event.
	Decision Decision
	// Apart is the other side of a DecidedSplit, else nil.
	Apart []Key
	// Merger says that whoever keeps the records made one of them: the limit that
	// all vendors' ids share does not count them. Every other guard holds.
	Merger bool
}

// Refusal is a key that stayed where it was although an edge named it
// together with another, for a person to look at.
type Refusal struct {
	Edge   EventID // the earliest that was refused
	At     Instant
	Key    Key
	With   Key    // the edge's anchor
	Reason string // one of the Refused constants
}

// Joined is a key that an edge brought to the person of another.
type Joined struct {
	Edge     EventID
	At       Instant
	Decision Decision
	Key      Key
	With     Key // the edge's anchor
}

// Partition says which keys belong to the same person.
type Partition struct {
	// Groups has one entry per person, every key in at most one. Keys are in
	// the order of SortKeys, groups in the order of their first keys.
	Groups [][]Key
	// Refused is in the order of the edges, with one entry per pair of Key and
	// With. What other edges joined in the end is left out, for nobody need
	// look at it.
	Refused []Refusal
	// Joined is what brought the keys of each person together, in the order of
	// the edges: one entry fewer than a person has keys.
	Joined []Joined
	// Anchor tells, for every edge with a usable key, the key whose person the
	// event belongs to: the first that Usable gives.
	Anchor map[EventID]Key
}

// Partition is the definition of who is who; it is a function of the set of
// edges, so order and duplicates in the argument mean nothing.
//
// Edges are applied in the order of (At, ID). Of an edge's usable keys the
// first is the anchor; a key new to us becomes a person. Each further key, in
// order, brings its person into the anchor's, or is given to it when nobody
// owns it yet, unless Joins objects or a split forbids: then the key is
// refused and stays where it is, with nobody if it was with nobody. A limit
// or a weak key therefore never takes anything away from a person, and of two
// claims on one key the older wins.
//
// Two keys are connected when a chain of edges leads from one to the other,
// refused or not. Connected sets do not touch each other, so a store may ask
// about one at a time, given all its edges, decisions included. It need not
// ask at all
//
//   - for an observed edge, no Merger, whose usable keys an earlier observed edge
//     has named exactly so: repeating changes nothing, so the earliest edge of
//     each list of keys is all that has to be kept;
//   - for an observed edge later than every edge of the connected sets it
//     touches, where these hold no split and the guards no windows: applying it,
//     unless it is a Merger, is asking Joins for each further key;
//   - for any other observed edge, where Allows accepts the union of all the
//     connected sets it touches and these hold no split: Allows is monotone
//     and knows only the union, so it would have accepted every step in every
//     order, and plain union is the answer.
//
// What remains, a late edge at a contested set, is rebuilt from its edges.
func (g Guards) Partition(edges []Edge) Partition {
	r := newResolver(g, edges)
	for i := range r.edges {
		r.apply(&r.edges[i])
	}
	return Partition{Groups: r.groups(), Refused: r.refusals(), Joined: r.joined, Anchor: r.anchor}
}

// compareEdges puts edges in the order in which they apply. Where time and id
// are equal the content decides, so that even an id that was used twice gives
// one answer.
func compareEdges(a, b *Edge) int {
	if c := cmp.Compare(a.At, b.At); c != 0 {
		return c
	}
	if c := bytes.Compare(a.ID[:], b.ID[:]); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(a.Decision, b.Decision),
		slices.CompareFunc(a.Keys, b.Keys, compareKeys),
		slices.CompareFunc(a.Apart, b.Apart, compareKeys),
		truthLast(a.Merger, b.Merger),
	)
}

func truthLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
