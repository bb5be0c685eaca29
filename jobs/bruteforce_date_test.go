package jobs_test

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// bruteGate is what leads into a segment or side stage and out of it.
type bruteGate struct {
	when  bruteCondition
	until bruteCondition // nil: that when does not hold
	stay  int64
}

func readBruteGate(t testing.TB, spans map[int64]bool, condition func(string) bruteCondition, when, until, stay string) bruteGate {
	t.Helper()
	g := bruteGate{when: condition(when)}
	if until != "" {
		g.until = condition(until)
	}
	if stay != "" {
		g.stay = bruteSpan(t, stay)
		spans[g.stay] = true
	}
	return g
}

func (g bruteGate) holds(l *bruteLife, was bool, since int64) bool {
	if !was {
		return g.when(l) && (g.until == nil || !g.until(l))
	}
	if l.now < since+g.stay {
		return true
	}
	if g.until != nil {
		return !g.until(l)
	}
	return g.when(l)
}

// trait reads "traits", a point and a name.
func (p *bruteParser) trait() string {
	p.must("traits")
	p.must(".")
	name := p.token
	p.advance()
	return name
}

// instant reads before or after.
func (p *bruteParser) instant(name string) bruteCondition {
	p.must("(")
	trait, span := p.trait(), int64(0)
	if p.eat(",") {
		span = bruteSpan(p.t, p.constant().(string))
		p.spans[span] = true
	}
	p.must(")")
	return func(l *bruteLife) bool {
		at, ok := l.plan.date(l.trait(trait))
		if name == "before" {
			return ok && l.now < at.UnixMicro()-span
		}
		return ok && l.now >= at.UnixMicro()+span
	}
}

// days reads the argument of days_until or days_since, and counts the days
// until a date times a sign.
func (p *bruteParser) days(sign int) bruteValue {
	p.must("(")
	trait := p.trait()
	p.must(")")
	return func(l *bruteLife) any {
		at, ok := l.plan.date(l.trait(trait))
		if !ok {
			return "no date" // compares with no number
		}
		noon := func(t time.Time) time.Time { // of the date in the plan's zone, but in UTC
			y, m, d := t.In(l.plan.zone).Date()
			return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
		}
		days := noon(at).Sub(noon(time.UnixMicro(l.now))) / (24 * time.Hour)
		return float64(sign * int(days))
	}
}

// date reads a trait as a date.
func (p *brutePlan) date(v any) (time.Time, bool) {
	n, isNumber := v.(float64)
	if s, ok := v.(string); ok {
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			return at, true
		}
		if at, err := time.ParseInLocation(time.DateOnly, s, p.zone); err == nil {
			return at, true
		}
		ms, err := strconv.ParseInt(s, 10, 64)
		n, isNumber = float64(ms)/1000, err == nil
	}
	if !isNumber {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(n * 1e6)), true
}

// expectDate notes the instants at which a date may begin or cease to matter:
// the spans before and after it, and every midnight near, as far as they are after now.
func (l *bruteLife) expectDate(v any, now int64) {
	at, ok := l.plan.date(v)
	if !ok || !l.plan.dated {
		return
	}
	notes := []int64{at.UnixMicro()}
	for _, w := range l.plan.windows {
		notes = append(notes, at.UnixMicro()-w, at.UnixMicro()+w)
	}
	y, m, d := at.In(l.plan.zone).Date()
	for n := range 45 {
		notes = append(notes, time.Date(y, m, d+n-16, 0, 0, 0, 0, l.plan.zone).UnixMicro())
	}
	for _, t := range slices.Compact(notes) {
		if t > now {
			l.note(t)
		}
	}
}
