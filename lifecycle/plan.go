package lifecycle

import (
	"crypto/sha256"
	"time"
)

// Plan is a tracking plan, checked and compiled: the stages and segments, the
// conditions that decide about them, and what becomes of claims and unplanned
// events. It never changes and is safe for concurrent use. ParsePlan makes one.
type Plan struct {
	name    string
	version int64
	zone    *time.Location // whose midnights the days of a calendar begin at
	// track is the main lifecycle; others are the further ones, sorted by id.
	track
	others []*track
	// segments of all lifecycles, sorted by name.
	segments []*segment
	claims   []claimRule
	accounts *accountPlan
	scores   []*score // in the order of the plan

	rules   governance
	judged  map[EventName]*judged
	events  Vocabulary // described by the plan itself
	known   Vocabulary // these and the vocabulary
	listed  bool       // the plan describes events, so others are unplanned
	revenue []EventName
	guards  Guards

	reads      []EventName // that conditions read, sorted
	keep       map[EventName]int
	traits     []string // that conditions read, sorted
	activity   map[EventName]bool
	activeRead bool // a condition looks at activity
	print      [sha256.Size]byte
}

type stage struct {
	name Stage
	side bool
	path int    // place on the path; -1 for a side stage
	from uint64 // path stages from which a side stage may show, as bits
	gate
}

// anywhere is the from of a side stage that names none.
const anywhere = ^uint64(0)

type segment struct {
	name Segment
	of   string // the lifecycle that it belongs to; empty: the main one
	why  string // for a transition's Condition
	out  string // the same for leaving
	gate
}

type claimMode uint8

const (
	claimIgnore claimMode = iota
	claimAdvance
	claimHold
)

var claimModes = [...]string{claimIgnore: "ignore", claimAdvance: "advance", claimHold: "hold"}

// claimRule says what the claims of a connection are worth. The order of the
// rules is the precedence.
type claimRule struct {
	connection string // exact, or with a trailing *
	mode       claimMode
	span       Instant // how long a claim holds; zero: until the next one
}

type backPolicy uint8

const (
	backAllow backPolicy = iota
	backForbid
	backAfter
)

// backRule governs moves back along the path; the first that fits decides.
type backRule struct {
	from, to uint64 // path stages, as bits
	policy   backPolicy
	span     Instant
}
