package lifecycle

import "time"

// Explain says where a person stands at an instant and why, without changing
// the profile. Timers due by then are taken into account.
func (p *Plan) Explain(prof *Profile, now Instant) Explanation {
	prof = prof.Clone()
	p.Advance(prof, now)
	r := p.start(prof, now)
	r.now = now
	x := r.explain(&r.course)
	for _, s := range p.segments {
		x.Segments = append(x.Segments, r.segmentWhy(s))
	}
	for _, s := range p.scores {
		x.Scores = append(x.Scores, r.scoreReason(s))
	}
	for i := range r.others {
		x.Lifecycles = append(x.Lifecycles, r.explain(&r.others[i]))
	}
	return x
}

// explain says where the person stands in one lifecycle.
func (r *run) explain(c *course) Explanation {
	d := r.decide(c)
	at := c.at
	x := Explanation{
		Lifecycle: c.id, Stage: at.Stage, Since: at.Since, Via: d.via, Condition: d.why, Event: at.StageEvent, Inbox: at.StageInbox,
		Path: at.Path, PathSince: at.PathSince, NextCheck: r.prof.NextCheck,
	}
	if s := c.stage(at.Stage); s != nil {
		if d.stage != at.Stage {
			// Stages that chase each other: the person rests in this one.
			x.Via, x.Condition = ViaPath, s.text
			if s.side {
				x.Via = ViaSide
			}
		}
		if x.Via == ViaSide || x.Via == ViaPath {
			x.Why = r.reason(s.when)
		}
		if in, since := c.shown(s); in {
			x.Leave, x.LeaveWhy, x.StaysUntil = s.untilText, r.reason(s.until), r.staysUntil(&s.gate, since)
		}
	}
	r.explainHold(c, &x, &d)
	for _, s := range c.track.path[c.path+1:] {
		if s.name != at.Stage {
			x.Next = append(x.Next, r.outlook(s, &d))
		}
	}
	for _, s := range c.sides {
		if s.name != at.Stage {
			x.Next = append(x.Next, r.outlook(s, &d))
		}
	}
	return x
}

// explainHold tells of the pin, claim or policy that shows the stage.
func (r *run) explainHold(c *course, x *Explanation, d *decision) {
	switch d.via {
	case ViaPin:
		pin := c.at.pin
		x.Pin, x.Until = &pin, pin.Until
	case ViaClaim:
		for _, claim := range r.prof.claims {
			if claim.Stage == d.stage && claimReason(claim.Connection) == d.why {
				x.Claim = &claim
				x.Until = known(r.plan.Until(claim))
			}
		}
	case ViaKept:
		free := decision{path: d.path, next: never}
		if !r.decideClaim(c, &free) && !r.decideSide(c, &free) && d.path >= 0 {
			free.stage = c.track.path[d.path].name
		}
		x.Wanted = free.stage
		policy, span := c.backRuleFor(c.held(), c.PathIndex(free.stage))
		if policy == backAfter {
			x.Until = known(d.fallSince.after(span))
		}
	}
}

func (r *run) outlook(s *stage, d *decision) Outlook {
	ok, next := s.enter(&r.view)
	o := Outlook{Stage: s.name, Side: s.side, Condition: s.text, Why: r.reason(s.when), Due: known(next)}
	if s.when != nil {
		o.Unmet = r.unmet(s.when, true, nil)
	}
	if s.until != nil {
		o.Unmet = r.unmet(s.until, false, o.Unmet)
	}
	switch {
	case s.side && s.from != anywhere && (d.path < 0 || s.from&(1<<d.path) == 0):
		o.Blocked = "from"
	case d.via == ViaPin, d.via == ViaClaim, ok:
		o.Blocked = string(d.via)
	}
	return o
}

func (r *run) segmentWhy(s *segment) SegmentReason {
	in, since := false, Instant(0)
	for _, m := range r.prof.Segments {
		if m.Name == s.name {
			in, since = true, m.Since
		}
	}
	ok, next := s.holds(&r.view, in, since)
	w := SegmentReason{
		Name: s.name, In: ok, Condition: s.text, Why: r.reason(s.when),
		Leave: s.untilText, LeaveWhy: r.reason(s.until), Due: known(next),
	}
	if in && ok {
		w.Since, w.StaysUntil = since, r.staysUntil(&s.gate, since)
	}
	return w
}

// staysUntil gives the end of the least time; zero when it is over.
func (r *run) staysUntil(g *gate, since Instant) Instant {
	if free := since.after(g.stay); g.stay != 0 && r.now < free {
		return free
	}
	return 0
}

// reason evaluates every part of a condition; nil for none.
func (r *run) reason(x *expr) *Reason {
	if x == nil {
		return nil
	}
	ok, next := x.eval(&r.view)
	if x.op == opLeaf {
		leaf := r.leafReason(x.leaf, ok, next)
		return &leaf
	}
	why := &Reason{Op: opNames[x.op], Holds: ok, Flips: known(next)}
	for _, k := range x.kids {
		why.Kids = append(why.Kids, *r.reason(k))
	}
	return why
}

var opNames = [...]string{opLeaf: "", opAnd: "and", opOr: "or", opNot: "not"}

// unmet collects the leaves that keep a condition from being what is wanted.
func (r *run) unmet(x *expr, want bool, list []Reason) []Reason {
	ok, next := x.eval(&r.view)
	switch {
	case ok == want:
		return list
	case x.op == opLeaf:
		return append(list, r.leafReason(x.leaf, ok, next))
	case x.op == opNot:
		want = !want
	}
	for _, k := range x.kids {
		list = r.unmet(k, want, list)
	}
	return list
}

// leafReason tells what a leaf looks at.
func (r *run) leafReason(l *leaf, ok bool, next Instant) Reason {
	why := Reason{Holds: ok, Text: l.text(), Flips: known(next), Window: time.Duration(l.window) * time.Microsecond}
	prof := r.prof
	switch l.kind {
	case leafInactive:
		_, why.At = r.seen(l.of)
	case leafNever:
		why.Event = l.event
		why.At, _ = r.seen(l.of)
	case leafHasBeen:
		r.traitReason(&why, l.trait)
		if i, ok := prof.findTrait(l.trait); ok {
			why.At = prof.traits[i].Since
		}
	case leafWas, leafLeft:
		if v := r.standing(l.of).visit(l.stage); v != nil {
			why.Value, why.At = v.Count, v.Last
			if l.kind == leafLeft {
				why.At = v.Left
			}
		}
	case leafInStageFor:
		why.Value, why.At = string(r.standing(l.of).Stage), r.standing(l.of).Since
	case leafCompare, leafIn, leafTruthy, leafBefore, leafAfter:
		why.Value = l.left.link()(&r.view)
		why.Event = l.left.event
		if f := r.prof.Fact(why.Event); why.Event != "" && f.Count > 0 {
			why.At = f.Last
		}
		if l.left.kind == operandTrait || l.left.isDays() {
			value := why.Value
			r.traitReason(&why, l.left.trait)
			why.Value = value
		}
		if l.kind == leafBefore || l.kind == leafAfter || l.left.isDays() {
			why.Note = dateNote(why.Value, r.plan.zone, r.now)
		}
	default:
		why.Event = l.event
		if f := prof.Fact(l.event); f.Count > 0 {
			why.Value, why.At = f.Count, f.Last
			if n := len(f.Newest); l.kind == leafAtLeast && n >= l.n {
				why.At = f.Newest[n-l.n]
			}
		}
	}
	return why
}

func (r *run) traitReason(why *Reason, name string) {
	if i, ok := r.prof.findTrait(name); ok {
		t := &r.prof.traits[i]
		why.Value, why.At, why.By = t.Value, t.At, t.Event
	}
}

// known turns "never" into zero, as answers spell it.
func known(i Instant) Instant {
	if i == never {
		return 0
	}
	return i
}
