package jobs_test

import "strings"

// bruteTrack is one lifecycle of a plan as the brute force reads it.
type bruteTrack struct {
	path, sides []bruteStage
	events      []string     // that it reads; none: all
	claims      []bruteClaim // in the order of precedence
	back        []bruteBack  // the first that fits counts
}

// bruteTrackText is what a plan says of a lifecycle.
type bruteTrackText struct {
	Events []string
	Stages []struct {
		Name        string
		Side        bool
		From        []string
		When, Until string
		Stay        string
	}
	Segments map[string]any
	Back     []bruteBack
}

// bruteCourse is where a person is in one lifecycle.
type bruteCourse struct {
	of      *bruteTrack
	read    []*bruteEvent // those that the lifecycle reads, oldest first
	reached int           // place on the path; -1 before the first look
	spells  []bruteSpell
	side    string // the side stage that its own condition shows
	// a move back that a policy holds up, and since when.
	fall      string
	fallSince int64
}

// track reads one lifecycle, and adds its segments to the plan's.
func (p *brutePlan) track(id string, text *bruteTrackText, gate func(when, until, stay string) bruteGate) bruteTrack {
	t := bruteTrack{events: text.Events, back: text.Back}
	for _, s := range text.Stages {
		stage := bruteStage{s.Name, s.Side, s.From, gate(s.When, s.Until, s.Stay)}
		if s.Side {
			t.sides = append(t.sides, stage)
		} else {
			t.path = append(t.path, stage)
		}
	}
	for name, src := range text.Segments {
		p.home[name] = id
		if simple, ok := src.(string); ok {
			p.segments[name] = gate(simple, "", "")
			continue
		}
		field := func(name string) string {
			s, _ := src.(map[string]any)[name].(string)
			return s
		}
		p.segments[name] = gate(field("when"), field("until"), field("stay"))
	}
	return t
}

// reads tells whether an event of a name is one that the lifecycle reads.
func (p *bruteTrack) reads(name string) bool {
	for _, e := range p.events {
		if e == name || strings.HasSuffix(e, "*") && strings.HasPrefix(name, strings.TrimSuffix(e, "*")) {
			return true
		}
	}
	return len(p.events) == 0
}

// beside gives stage and since of every further lifecycle that the person is in.
func (l *bruteLife) beside() map[string]bruteSpell {
	all := map[string]bruteSpell{}
	for id, c := range l.courses {
		if id != "" && c.stage() != "" {
			all[id] = c.spells[len(c.spells)-1]
		}
	}
	return all
}
