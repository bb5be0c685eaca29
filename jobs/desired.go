package jobs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// desired is what a connection should hold of a person, a pure function of the
// profile, the plan's segments and the connection's push block.
type desired struct {
	// member: the person is in the connection's audience.
	member bool
	state  connectors.State
}

// want computes the desired state of a person at a connection. managed are the
// segment names that the connection ever pushed, in our spelling.
func want(c *Conn, plan *lifecycle.Plan, prof *lifecycle.Profile, managed []string) desired {
	p := &c.Push
	d := desired{member: p.Audience == "" || prof.In(lifecycle.Segment(p.Audience))}
	d.state.Stage, d.state.Since = vendorStage(p, prof.Stage), prof.Since
	for name := range pushedSegments(p, plan, managed) {
		if prof.In(lifecycle.Segment(name)) {
			d.state.Segments = append(d.state.Segments, name)
		} else {
			d.state.Absent = append(d.state.Absent, name)
		}
	}
	slices.Sort(d.state.Segments)
	slices.Sort(d.state.Absent)
	if len(p.Traits) > 0 {
		d.state.Traits = make(map[string]any, len(p.Traits))
		for theirs, ours := range p.Traits {
			if plan.TraitPII(ours) != lifecycle.PIISensitive {
				d.state.Traits[theirs] = prof.Trait(ours)
			}
		}
	}
	addLifecycles(&d.state, p, prof)
	return d
}

// vendorStage translates a stage of ours; empty leaves the vendor's alone.
func vendorStage(p *connectors.PushConfig, s lifecycle.Stage) string {
	if len(p.Stages) == 0 {
		return string(s)
	}
	if theirs, ok := p.Stages[string(s)]; ok {
		return theirs
	}
	if p.Unmapped == "keep" {
		return string(s)
	}
	return ""
}

// pushedSegments are the names of the managed set: those selected now and
// those pushed before, which are to be taken away.
func pushedSegments(p *connectors.PushConfig, plan *lifecycle.Plan, managed []string) map[string]bool {
	names := map[string]bool{}
	for _, s := range plan.Segments() {
		if Pushes(p, string(s.Name)) {
			names[string(s.Name)] = true
		}
	}
	for _, n := range managed {
		if _, ok := names[n]; !ok {
			names[n] = false
		}
	}
	return names
}

// Pushes tells whether a connection is told of a segment.
func Pushes(p *connectors.PushConfig, segment string) bool {
	switch {
	case p.Segments == "none":
		return false
	case len(p.SegmentNames) > 0:
		return slices.Contains(p.SegmentNames, segment)
	}
	return true
}

// before is what must be remembered of a person while a batch changes it.
type before struct {
	known    bool // the person existed
	stage    lifecycle.Stage
	since    lifecycle.Instant
	segments []lifecycle.Membership
	traits   map[string]any // those that some connection is sent, and email
	moves    int64
	// lifecycles beside the main one that the person was in.
	lifecycles []lifecycle.Lifecycle
	// conflicts as the list of conflicts has them.
	conflicts []lifecycle.Conflict
}

// watched are the traits whose change makes somebody due: by connection, our names.
func watched(c *Conn) []string {
	names := make([]string, 0, len(c.Push.Traits)+1)
	for _, ours := range c.Push.Traits {
		names = append(names, ours)
	}
	return append(names, lifecycle.TraitEmail)
}

func remember(cfg *Config, prof *lifecycle.Profile) before {
	b := before{known: true, stage: prof.Stage, since: prof.Since, segments: slices.Clone(prof.Segments), moves: prof.Moves, conflicts: slices.Collect(prof.Conflicts()),
		lifecycles: slices.Collect(prof.Lifecycles())}
	for _, c := range cfg.Pushing {
		for _, name := range watched(c) {
			if v := prof.Trait(name); v != nil {
				if b.traits == nil {
					b.traits = map[string]any{}
				}
				b.traits[name] = v
			}
		}
	}
	return b
}

// due tells whether a change makes a person due at a connection. It compares
// what the push block reads, so that a person is not touched for what the
// vendor never sees.
func due(c *Conn, plan *lifecycle.Plan, b *before, prof *lifecycle.Profile, announced bool) bool {
	p := &c.Push
	if c.takesEvents() {
		return announced && (p.Audience == "" || prof.In(lifecycle.Segment(p.Audience)))
	}
	if p.Audience != "" && !prof.In(lifecycle.Segment(p.Audience)) && !b.in(p.Audience) {
		return false
	}
	if !b.known || vendorStage(p, b.stage) != vendorStage(p, prof.Stage) {
		return true
	}
	if pushesElsewhere(p, b, prof) {
		return true
	}
	for _, name := range watched(c) {
		if !sameValue(b.traits[name], prof.Trait(name)) {
			return true
		}
	}
	for _, m := range b.segments {
		if Pushes(p, string(m.Name)) && !prof.In(m.Name) {
			return true
		}
	}
	for _, m := range prof.Segments {
		if Pushes(p, string(m.Name)) && !b.in(string(m.Name)) {
			return true
		}
	}
	return false
}

func (b *before) in(segment string) bool {
	return slices.ContainsFunc(b.segments, func(m lifecycle.Membership) bool { return string(m.Name) == segment })
}

func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func (c *Conn) takesEvents() bool {
	d := c.Destination()
	return d != nil && d.Limits().Takes == connectors.TakesEvents
}

// sameState compares two states as the vendor would see them.
func sameState(a, b *connectors.State) bool {
	return a.Stage == b.Stage && slices.Equal(a.Segments, b.Segments) && subset(b.Absent, a.Absent) &&
		maps.EqualFunc(a.Traits, b.Traits, sameValue)
}

// subset: every name that must be absent is known to be so.
func subset(want, known []string) bool {
	for _, n := range want {
		if _, ok := slices.BinarySearchFunc(known, n, strings.Compare); !ok {
			return false
		}
	}
	return true
}
