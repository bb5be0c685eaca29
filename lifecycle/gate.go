package lifecycle

import (
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// gate decides whether somebody belongs in a segment or side stage. With a
// condition of its own for leaving, or a least time to stay, the answer depends
// on whether they are in it: what leads in and what leads out are then apart, so
// that nobody flickers about one threshold.
type gate struct {
	text string // the condition; empty: always
	when *expr
	eval condition

	untilText string // what leads out; empty: that when does not hold
	until     *expr
	leave     condition // nil without until
	enter     condition // when, and not until
	stay      Instant   // the least time; zero: none
}

// hysteresis tells whether being in makes a difference.
func (g *gate) hysteresis() bool { return g.until != nil || g.stay != 0 }

// holds tells whether somebody belongs in, who is in since an instant or is
// not, and the next instant at which that can change by time alone.
//
// Who is not in comes in when `when` holds and `until` does not. Who is in stays
// for the least time, whatever the conditions say, and from then on until
// `until` holds or, without one, `when` does not.
func (g *gate) holds(v *view, in bool, since Instant) (bool, Instant) {
	if !in || !g.hysteresis() {
		return g.enter(v)
	}
	if free := since.after(g.stay); g.stay != 0 && v.now < free {
		return true, free
	}
	if g.leave == nil {
		return g.eval(v)
	}
	out, next := g.leave(v)
	return !out, next
}

// link compiles the conditions.
func (g *gate) link(slots map[EventName]int) {
	g.eval = func(*view) (bool, Instant) { return true, never }
	if g.when != nil {
		g.eval = g.when.link(slots)
	}
	g.enter = g.eval
	if g.until == nil {
		return
	}
	leave := g.until.link(slots)
	g.leave = leave
	g.enter = all([]condition{g.eval, func(v *view) (bool, Instant) {
		ok, next := leave(v)
		return !ok, next
	}})
}

// each calls f for every leaf.
func (g *gate) each(f func(*leaf)) {
	for _, x := range []*expr{g.when, g.until} {
		if x != nil {
			x.each(f)
		}
	}
}

// leaving reads until and stay.
func (d *planReader) leaving(r *document.Reader, g *gate) {
	if until, ok := r.OptCondition("until"); ok {
		g.untilText, g.until = d.condition(r, until)
	}
	if r.Has("stay") {
		g.stay = window(r, "stay", strings.TrimSpace(r.Text("stay")))
	}
}

// shown tells whether a side stage is the one shown by its own condition, and
// since when. A pin or claim that shows it does not count: once that ends, the
// condition decides anew.
func (c *course) shown(s *stage) (bool, Instant) {
	return c.at.bySide && c.at.Stage == s.name, c.at.Since
}
