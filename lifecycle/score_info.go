package lifecycle

import (
	"math"
	"time"
)

// ScoreInfo describes a score of a plan.
type ScoreInfo struct {
	Name, About string
	// HalfLife is after how long an event is worth half; zero: it does not fade.
	HalfLife time.Duration
	// Least and Most bound the score; nil: no bound.
	Least, Most *int64
	// Rules give points: the events sorted by name, then the conditions in the
	// order of the plan.
	Rules []ScoreRule
}

// ScoreRule gives points for events, or while a condition holds.
type ScoreRule struct {
	// Event or Condition is set; Clause tells a condition in words.
	Event     EventName
	Condition string
	Clause    Clause
	Points    float64
	// Most is what all events of the name are worth together; zero: no limit of
	// its own.
	Most float64
	// Events and Traits are those that a condition reads.
	Events []EventName
	Traits []string
}

// Scores gives the scores in the order of the plan; nil when there is none.
func (p *Plan) Scores() []ScoreInfo {
	var list []ScoreInfo
	for _, s := range p.scores {
		info := ScoreInfo{Name: s.name, About: s.about, HalfLife: s.half.span(), Least: bounded(s.min, math.MinInt64), Most: bounded(s.max, math.MaxInt64)}
		for _, e := range s.events {
			rule := ScoreRule{Event: e.name, Points: e.points.number()}
			if e.most != mostHeld {
				rule.Most = e.most.number()
			}
			info.Rules = append(info.Rules, rule)
		}
		for _, c := range s.conditions {
			rule := ScoreRule{Condition: c.text, Clause: c.when.clause(false), Points: c.points.number()}
			c.when.each(func(l *leaf) {
				for _, name := range []EventName{l.event, l.left.event, l.right.event} {
					if name != "" {
						rule.Events = append(rule.Events, name)
					}
				}
				for _, name := range []string{l.trait, l.left.trait, l.right.trait} {
					if name != "" {
						rule.Traits = append(rule.Traits, name)
					}
				}
			})
			info.Rules = append(info.Rules, rule)
		}
		list = append(list, info)
	}
	return list
}

func bounded(n, none int64) *int64 {
	if n == none {
		return nil
	}
	return &n
}

// number gives points as people write them.
func (p points) number() float64 { return float64(p) / float64(onePoint) }

// ScoreReason says what a score is made of.
type ScoreReason struct {
	Name string
	// Value is the score now, as conditions see it; Points the same before it is
	// rounded and bounded.
	Value  int64
	Points float64
	// Told is the value of the trait, which vendors are sent, and ToldAt when it
	// was set last. A score that fades is ahead of it by up to a day.
	Told   int64
	ToldAt Instant
	// Next is when time alone changes Value; zero: never.
	Next  Instant
	Parts []ScorePart
}

// ScorePart is what one rule adds to a score.
type ScorePart struct {
	// Event or Condition is set.
	Event     EventName
	Condition string
	// Points are those of the rule, Worth what it adds now.
	Points, Worth float64
	// Count is how many events of the name there were, and Last the time of the
	// newest.
	Count int64
	Last  Instant
	// Holds tells of a condition whether it does, and Why with which values.
	Holds bool
	Why   *Reason
}

// scoreReason takes a score apart.
func (r *run) scoreReason(s *score) ScoreReason {
	sh := s.sheet(&r.view)
	x := ScoreReason{Name: s.name, Value: s.whole(&sh, r.now), Points: s.exact(&sh, r.now).number()}
	next := s.reaches(&sh, x.Value+1)
	if sh.falls() {
		next = s.reaches(&sh, x.Value-1)
	}
	x.Next = known(min(next, sh.flips))
	if i, ok := r.prof.findTrait(s.name); ok {
		x.Told, _ = r.prof.traits[i].Value.(int64)
		x.ToldAt = r.prof.traits[i].At
	}
	d := r.prof.decay(s.name)
	for i := range s.events {
		e := &s.events[i]
		part := ScorePart{Event: e.name, Points: e.points.number()}
		if f := r.fact(e.slot); f != nil {
			part.Count, part.Last = f.Count, f.Last
			if s.half == 0 {
				part.Worth = e.times(f.Count).number()
			}
		}
		if d != nil && s.half != 0 {
			for _, w := range d.Worth {
				if w.Event == e.name {
					part.Worth = fade(w.Points, r.now-d.At, s.half).number()
				}
			}
		}
		x.Parts = append(x.Parts, part)
	}
	for i := range s.conditions {
		c := &s.conditions[i]
		part := ScorePart{Condition: c.text, Points: c.points.number(), Why: r.reason(c.when)}
		if part.Holds = part.Why.Holds; part.Holds {
			part.Worth = part.Points
		}
		x.Parts = append(x.Parts, part)
	}
	return x
}
