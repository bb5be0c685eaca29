package lifecycle

import (
	"slices"
	"time"
)

// StageInfo describes a stage of a plan.
type StageInfo struct {
	Name Stage
	Side bool
	// From holds the path stages from which a side stage may show; nil: any.
	From []Stage
	// When is the condition; empty on a first stage that everybody has.
	When string
	// Until is the condition that leads out of a side stage; empty: that When
	// does not hold. Stay is the least time in it; zero: none.
	Until string
	Stay  time.Duration
}

// SegmentInfo describes a segment of a plan.
type SegmentInfo struct {
	Name Segment
	When string
	// Until and Stay are as in StageInfo.
	Until string
	Stay  time.Duration
	// Lifecycle is the further lifecycle that it belongs to; empty: the main one.
	Lifecycle string
}

// ClaimInfo describes what the claims of a connection are worth.
type ClaimInfo struct {
	Connection string // exact, or with a trailing *
	Mode       string // ignore, advance, hold
	For        time.Duration
}

// Name gives the plan's name.
func (p *Plan) Name() string { return p.name }

// Version gives the number the plan was published under; 0 for a draft.
func (p *Plan) Version() int64 { return p.version }

// WithVersion gives the same plan under a version, which transitions and
// profiles then carry.
func (p *Plan) WithVersion(version int64) *Plan {
	c := *p
	c.version = version
	return &c
}

// Stages gives all stages in the order of the plan.
func (p *Plan) Stages() []StageInfo { return p.info() }

// StageNames gives the names of all stages in the order of the plan.
func (p *Plan) StageNames() []Stage {
	names := make([]Stage, len(p.stages))
	for i, s := range p.stages {
		names[i] = s.name
	}
	return names
}

// Segments gives the segments, sorted by name.
func (p *Plan) Segments() []SegmentInfo {
	list := make([]SegmentInfo, len(p.segments))
	for i, s := range p.segments {
		list[i] = SegmentInfo{s.name, s.text, s.untilText, s.stay.span(), s.of}
	}
	return list
}

// Claims gives the claim rules in the order of their precedence.
func (p *Plan) Claims() []ClaimInfo {
	list := make([]ClaimInfo, len(p.claims))
	for i, c := range p.claims {
		list[i] = ClaimInfo{c.connection, claimModes[c.mode], time.Duration(c.span) * time.Microsecond}
	}
	return list
}

// Until gives the instant from which a claim no longer holds; never is the
// largest Instant, and the claim's own time says that it does not hold at all.
func (p *Plan) Until(c Claim) Instant {
	rule := p.claimRule(c.Connection)
	switch {
	case rule < 0 || p.claims[rule].mode != claimHold:
		return c.At
	case p.claims[rule].span == 0:
		return never
	}
	return c.At.after(p.claims[rule].span)
}

// Revenue gives the events whose values reports count as revenue.
func (p *Plan) Revenue() []EventName { return slices.Clone(p.revenue) }

// Value sums a person's revenue by currency, sorted by currency; nil when
// there is none.
func (p *Plan) Value(prof *Profile) []Money {
	var total Fact
	for _, name := range p.revenue {
		if i, ok := prof.findFact(name); ok {
			for _, m := range prof.facts[i].Sums {
				total.add(m)
			}
		}
	}
	return total.Sums
}

// Events gives the descriptions of all events that the plan knows, its own
// before the vocabulary's. It must not be changed.
func (p *Plan) Events() Vocabulary { return p.known }

// Reads gives the events that the conditions read, sorted.
func (p *Plan) Reads() []EventName { return slices.Clone(p.reads) }

// ReadsTraits gives the traits that the conditions read, sorted.
func (p *Plan) ReadsTraits() []string { return slices.Clone(p.traits) }

// Keep gives how many of an event's newest times the conditions ask for.
func (p *Plan) Keep(name EventName) int { return p.keep[name] }

// NeedsDerive tells whether people kept under an older plan have to be derived
// anew from their events: whenever the two differ in anything that the engine
// looks at. A plan that differs in its name or descriptions alone does not.
func (p *Plan) NeedsDerive(old *Plan) bool { return old == nil || p.print != old.print }

// claimRule gives the first rule that fits a connection, or -1.
func (p *Plan) claimRule(connection string) int {
	for i := range p.claims {
		if fitsConnection(p.claims[i].connection, connection) {
			return i
		}
	}
	return -1
}

// readsTrait tells whether a condition reads a trait.
func (p *Plan) readsTrait(name string) bool {
	_, ok := slices.BinarySearch(p.traits, name)
	return ok
}

// readsEvent gives whether a condition reads an event.
func (p *Plan) readsEvent(name EventName) bool {
	_, ok := slices.BinarySearch(p.reads, name)
	return ok
}
