package lifecycle

import (
	"cmp"
	"slices"
)

// Limits of scores.
const (
	// MaxScores is how many scores a plan has.
	MaxScores = 8
	// MaxScoreRules is how many events, and how many conditions, give points to
	// one score.
	MaxScoreRules = 64
	// MaxPoints bounds the points of one rule, either way.
	MaxPoints = 1_000_000
)

// points are counted in 2^-30 of a point, as whole numbers: so that they are
// the same on every machine, however the calls were cut.
type points int64

const (
	pointBits = 30
	onePoint  = points(1) << pointBits
	// mostHeld bounds what one rule adds up to. That many times the number of
	// rules of a score still fits.
	mostHeld = 10_000_000 * onePoint
	// scoreSpan is how long a score that only fades keeps its value as a trait.
	scoreSpan = Instant(24 * 3600 * 1_000_000)
)

// score is a number that a plan computes of everybody.
type score struct {
	name, about string
	half        Instant // after which an event is worth half; zero: it keeps its worth
	min, max    int64   // in points
	events      []scoreEvent
	conditions  []scoreCondition
	print       string // equal for equal meanings
}

// scoreEvent gives points for each event of a name.
type scoreEvent struct {
	name   EventName
	slot   int
	points points
	most   points // what all events of the name are worth at one time, either way
}

// scoreCondition gives points while a condition holds.
type scoreCondition struct {
	text   string
	when   *expr
	eval   condition
	points points
}

// decayed is what is kept of a person for a score that fades: what the events of
// each name were worth at the newest of them.
type decayed struct {
	Score string
	At    Instant
	// Steady are the points for conditions as they were when the trait was set.
	Steady points
	Worth  []worth // sorted by event
}

type worth struct {
	Event  EventName
	Points points
}

// sheet is a score of a person at an instant, not yet rounded: steady points,
// and fading ones as they were at an instant.
type sheet struct {
	steady points
	fading points
	at     Instant
	// flips is the next instant at which a condition may change the steady points.
	flips Instant
}

func (p *Plan) score(name string) *score {
	for _, s := range p.scores {
		if s.name == name {
			return s
		}
	}
	return nil
}

// sheet adds up a score at v.now.
func (s *score) sheet(v *view) sheet {
	sh := sheet{flips: never}
	for i := range s.conditions {
		c := &s.conditions[i]
		holds, next := c.eval(v)
		sh.flips = min(sh.flips, next)
		if holds {
			sh.steady += c.points
		}
	}
	if s.half == 0 {
		for i := range s.events {
			if f := v.fact(s.events[i].slot); f != nil {
				sh.steady += s.events[i].times(f.Count)
			}
		}
		return sh
	}
	if d := v.prof.decay(s.name); d != nil {
		sh.at = d.At
		for i := range d.Worth {
			sh.fading += d.Worth[i].Points
		}
	}
	return sh
}

// times gives the points of so many events that do not fade.
func (e *scoreEvent) times(n int64) points {
	enough := int64(mostHeld/max(e.points, -e.points)) + 1
	return e.held(points(min(n, enough)) * e.points)
}

// held keeps points within what the events of one name may be worth.
func (e *scoreEvent) held(p points) points { return min(max(p, -e.most), e.most) }

// exact gives the points at an instant, before they are rounded.
func (s *score) exact(sh *sheet, now Instant) points {
	return sh.steady + fade(sh.fading, now-sh.at, s.half)
}

// whole gives the score at an instant: rounded to the nearest whole point, and
// within the least and the most.
func (s *score) whole(sh *sheet, now Instant) int64 { return s.bound(s.exact(sh, now)) }

func (s *score) bound(p points) int64 {
	return min(max(int64((p+onePoint/2)>>pointBits), s.min), s.max)
}

// falls tells which way the score goes while nothing but time passes.
func (sh *sheet) falls() bool { return sh.fading > 0 }

// reaches gives the first instant from sh.at on at which a score that falls is
// at most n, or one that rises at least n, by fading alone; never where it does
// not get there.
func (s *score) reaches(sh *sheet, n int64) Instant {
	n = min(max(n, -mostWhole), mostWhole)
	span := never
	switch falls := sh.falls(); {
	case sh.fading == 0, falls && n < s.min, !falls && n > s.max:
		return never
	case falls && n >= s.max, !falls && n <= s.min:
		return sh.at
	case falls: // until less than half a point above n
		span = fadesBelow(sh.fading, points(n)<<pointBits+onePoint/2-sh.steady, s.half)
	default: // until at most half a point below n
		span = fadesBelow(-sh.fading, sh.steady-points(n)<<pointBits+onePoint/2+1, s.half)
	}
	if span == never {
		return never
	}
	return sh.at.after(span)
}

// scoreStep brings the scores that are kept as traits up to date at a step, and
// gives the next instant at which one of them has to be looked at.
//
// A trait follows at once what an event or condition does to its score. What
// fading does it follows once a day, counted from when it was set last, so that
// vendors are not called for every point that is lost. It depends on nothing but
// the score: not on when else somebody looks.
func (r *run) scoreStep(t Instant, e *Event) (next Instant, changed bool) {
	next = never
	for _, s := range r.plan.scores {
		sh := s.sheet(&r.view)
		set, due := r.scoreDue(s, &sh, t, e)
		if set {
			r.prof.setScore(s, &sh, t, e)
			_, due = r.scoreDue(s, &sh, t, nil)
			changed = true
		}
		next = min(next, due, sh.flips)
	}
	return next, changed
}

// scoreDue tells whether a trait is to be set now, and when else it will be.
func (r *run) scoreDue(s *score, sh *sheet, t Instant, e *Event) (bool, Instant) {
	i, ok := r.prof.findTrait(s.name)
	if !ok {
		return true, never
	}
	have := &r.prof.traits[i]
	n, _ := have.Value.(int64)
	if s.half == 0 {
		return n != s.whole(sh, t), never
	}
	steady := points(0)
	if d := r.prof.decay(s.name); d != nil {
		steady = d.Steady
	}
	if e != nil && s.reads(e.Name) || steady != sh.steady {
		return true, never
	}
	due := s.reaches(sh, n+1)
	if sh.falls() {
		due = s.reaches(sh, n-1)
	}
	if due == never {
		return false, never
	}
	due = max(due, have.At.after(scoreSpan))
	return t >= due, due
}

func (s *score) reads(name EventName) bool {
	return slices.ContainsFunc(s.events, func(e scoreEvent) bool { return e.name == name })
}

// setScore writes the trait of a score.
func (prof *Profile) setScore(s *score, sh *sheet, t Instant, e *Event) {
	if s.half != 0 {
		d := prof.decay(s.name)
		if d == nil && sh.steady != 0 {
			d = prof.addDecay(s.name, t)
		}
		if d != nil {
			d.Steady = sh.steady
		}
	}
	by := EventID{}
	if e != nil {
		by = e.ID
	}
	value := s.whole(sh, t)
	i, ok := prof.findTrait(s.name)
	if !ok {
		prof.traits = slices.Insert(prof.traits, i, TraitState{s.name, value, t, by, t})
		return
	}
	st := &prof.traits[i]
	if st.Value != any(value) {
		st.Since = t
	}
	st.Value, st.At, st.Event = value, t, by
}

// scoreEvent adds an event to the scores that fade.
func (prof *Profile) scoreEvent(p *Plan, e *Event) {
	for _, s := range p.scores {
		if s.half == 0 || !s.reads(e.Name) {
			continue
		}
		d := prof.decay(s.name)
		if d == nil {
			d = prof.addDecay(s.name, e.At)
		}
		for i := range d.Worth {
			d.Worth[i].Points = fade(d.Worth[i].Points, e.At-d.At, s.half)
		}
		d.At = e.At
		rule := &s.events[slices.IndexFunc(s.events, func(x scoreEvent) bool { return x.name == e.Name })]
		i, ok := slices.BinarySearchFunc(d.Worth, e.Name, func(w worth, name EventName) int { return cmp.Compare(w.Event, name) })
		if !ok {
			d.Worth = slices.Insert(d.Worth, i, worth{Event: e.Name})
		}
		d.Worth[i].Points = rule.held(d.Worth[i].Points + rule.points)
	}
}

func (prof *Profile) decay(name string) *decayed {
	for i := range prof.decays {
		if prof.decays[i].Score == name {
			return &prof.decays[i]
		}
	}
	return nil
}

func (prof *Profile) addDecay(name string, at Instant) *decayed {
	i, _ := slices.BinarySearchFunc(prof.decays, name, func(d decayed, name string) int { return cmp.Compare(d.Score, name) })
	prof.decays = slices.Insert(prof.decays, i, decayed{Score: name, At: at})
	return &prof.decays[i]
}
