package lifecycle

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// finish links the conditions and notes what they read. It runs only when
// nothing was wrong.
func (d *planReader) finish() {
	p := d.p
	tracks := p.tracks()
	leaves := func(f func(l *leaf, of *track)) {
		for _, t := range tracks {
			for _, s := range t.stages {
				s.each(func(l *leaf) { f(l, t) })
			}
		}
		for _, s := range p.segments {
			s.each(func(l *leaf) { f(l, nil) })
		}
		p.accounts.leaves(func(l *leaf) { f(l, nil) })
		for _, s := range p.scores {
			s.each(func(l *leaf) { f(l, nil) })
		}
	}
	p.keep = map[EventName]int{}
	p.reads = append(p.reads, p.accounts.sums()...)
	for _, s := range p.scores {
		for i := range s.events {
			p.reads = append(p.reads, s.events[i].name)
		}
	}
	leaves(func(l *leaf, of *track) {
		for _, name := range []EventName{l.event, l.left.event, l.right.event} {
			if name != "" {
				p.reads = append(p.reads, name)
			}
		}
		for _, name := range []string{l.trait, l.left.trait, l.right.trait} {
			if name != "" {
				p.traits = append(p.traits, name)
			}
		}
		if l.kind == leafAtLeast {
			p.keep[l.event] = max(p.keep[l.event], l.n)
		}
		p.activeRead = p.activeRead || l.kind == leafInactive
		if of != nil && l.readsStage() {
			of.stageReads = true
		}
	})
	slices.Sort(p.reads)
	p.reads = slices.Compact(p.reads)
	slices.Sort(p.traits)
	p.traits = slices.Compact(p.traits)
	p.activity = map[EventName]bool{}
	for name, spec := range p.known {
		if spec.Activity {
			p.activity[name] = true
		}
	}
	slots := make(map[EventName]int, len(p.reads))
	for i, name := range p.reads {
		slots[name] = i
	}
	for _, t := range tracks {
		for _, s := range t.stages {
			s.link(slots)
			t.stageReads = t.stageReads || s.hysteresis()
		}
	}
	for _, s := range p.segments {
		s.link(slots)
	}
	p.accounts.link(slots)
	for _, s := range p.scores {
		s.link(slots)
	}
	p.judgement()
	p.print = p.fingerprint()
}

// fingerprint is a hash of everything that the engine looks at.
func (p *Plan) fingerprint() (print [sha256.Size]byte) {
	h := sha256.New()
	p.track.print(h)
	for _, t := range p.others {
		t.print(h)
	}
	for _, s := range p.segments {
		fmt.Fprintf(h, "segment %q %q %q %q %d\n", s.of, s.name, s.text, s.untilText, s.stay)
	}
	fmt.Fprintf(h, "zone %q\n", p.zone)
	fmt.Fprintf(h, "claims %q\nback %v\n", fmt.Sprint(p.claims), p.back)
	p.accounts.print(h)
	for _, s := range p.scores {
		fmt.Fprintf(h, "score %q\n", s.print)
	}
	active := make([]string, 0, len(p.activity))
	for name := range p.activity {
		active = append(active, string(name))
	}
	slices.Sort(active)
	fmt.Fprintf(h, "activity %q\n", active)
	copy(print[:], h.Sum(nil))
	return print
}
