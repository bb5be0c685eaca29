package lifecycle

import "strings"

// track is one lifecycle of a plan: its main one, or a further one that goes on
// beside it.
type track struct {
	id    string // empty for the main one
	about string
	// reading are the names of the events that it reads, exact or with a
	// trailing *; nil: all.
	reading []string
	stages  []*stage // in the order of the plan
	path    []*stage // those that are not side stages
	sides   []*stage
	back    []backRule
	// stageReads: what stage is next depends on where the person is or was.
	stageReads bool
}

func (t *track) stage(name Stage) *stage {
	for _, s := range t.stages {
		if s.name == name {
			return s
		}
	}
	return nil
}

// PathIndex gives a stage's place on the path from 0, or -1 for a side stage
// and for one the plan does not have. Asked of a Plan it is about the main
// lifecycle.
func (t *track) PathIndex(name Stage) int {
	if s := t.stage(name); s != nil {
		return s.path
	}
	return -1
}

func (t *track) pathNames(bits uint64) []Stage {
	var names []Stage
	for i, s := range t.path {
		if bits&(1<<i) != 0 {
			names = append(names, s.name)
		}
	}
	return names
}

// backRuleFor gives the policy for a move back from one path place to an
// earlier one; to is -1 where no stage is left.
func (t *track) backRuleFor(from, to int) (backPolicy, Instant) {
	for _, r := range t.back {
		if r.from&(1<<from) != 0 && (r.to == anywhere || to >= 0 && r.to&(1<<to) != 0) {
			return r.policy, r.span
		}
	}
	return backAllow, 0
}

// reads tells whether the lifecycle reads an event.
func (t *track) reads(name EventName) bool {
	if t.reading == nil {
		return true
	}
	for _, pattern := range t.reading {
		prefix, open := strings.CutSuffix(pattern, "*")
		if string(name) == pattern || open && strings.HasPrefix(string(name), prefix) {
			return true
		}
	}
	return false
}

// tracks gives all lifecycles, the main one first.
func (p *Plan) tracks() []*track { return append([]*track{&p.track}, p.others...) }

// other gives a further lifecycle of the plan by id, or nil.
func (p *Plan) other(id string) *track {
	for _, t := range p.others {
		if t.id == id {
			return t
		}
	}
	return nil
}

// trackOf gives a lifecycle by id; an empty text and MainLifecycle are the main one.
func (p *Plan) trackOf(id string) *track {
	if id == "" || id == MainLifecycle {
		return &p.track
	}
	return p.other(id)
}

// patience is how often timers alone may move a person between two events,
// over all lifecycles.
func (p *Plan) patience() int { return maxIdleMoves * (1 + len(p.others)) }
