package lifecycle

import "time"

// belongs tells whether somebody is in a segment or side stage: the least time
// first, then what leads out, and for those outside what leads in.
func (o *oracle) belongs(when *cond, g modelGate, was bool, since Instant) bool {
	leads := func(c *cond) bool { return c == nil || o.holds(c) }
	switch {
	case was && o.now-since < Instant(g.stay)*1_000_000:
		return true
	case was && g.until != nil:
		return !o.holds(g.until)
	case was:
		return leads(when)
	}
	return leads(when) && (g.until == nil || !o.holds(g.until))
}

// expectDate notes what may follow from a trait that holds a date: its instant,
// the windows before and after it, and every midnight near.
func (o *oracle) expectDate(v any) {
	at, ok := o.dateInstant(v)
	if !ok {
		return
	}
	for _, w := range append([]int{0}, o.windows...) {
		o.add(at + Instant(w)*1_000_000)
		o.add(at - Instant(w)*1_000_000)
	}
	for s := range Instant(60) {
		if t := genStart - 20_000_000 + s*1_000_000; o.calendar(t) != o.calendar(t-1) {
			o.add(t)
		}
	}
}

// calendar gives the date in the plan's zone.
func (o *oracle) calendar(t Instant) string {
	return time.UnixMicro(int64(t)).In(o.m.zone).Format(time.DateOnly)
}

// dateInstant looks up what a trait means.
func (o *oracle) dateInstant(v any) (Instant, bool) {
	for _, d := range genDates {
		if d.value != v {
			continue
		}
		text, isText := v.(string)
		if d.at != 0 || !isText || len(text) != 10 {
			return d.at, d.at != 0
		}
		for t := genStart + 5_000_000 - 72*3_600_000_000; ; t += 3_600_000_000 { // midnights lie at whole hours
			if o.calendar(t) == text {
				return t, true
			}
		}
	}
	return 0, false
}

// daysUntil counts the dates from today's on, one at a time.
func (o *oracle) daysUntil(v any) (n int, ok bool) {
	at, ok := o.dateInstant(v)
	if !ok {
		return 0, false
	}
	read := func(t Instant) time.Time {
		d, err := time.Parse(time.DateOnly, o.calendar(t))
		if err != nil {
			panic(err)
		}
		return d
	}
	here, there := read(o.now), read(at)
	for here.Before(there) {
		here, n = here.AddDate(0, 0, 1), n+1
	}
	for there.Before(here) {
		here, n = here.AddDate(0, 0, -1), n-1
	}
	return n, true
}

// dated evaluates the functions of dates.
func (o *oracle) dated(c *cond) bool {
	v, _ := o.trait(c.trait)
	at, ok := o.dateInstant(v)
	if !ok {
		return false
	}
	offset := Instant(c.window) * 1_000_000
	if c.window == 1 {
		offset = 0
	}
	switch c.op {
	case "before":
		return o.now < at-offset
	case "after":
		return o.now >= at+offset
	}
	n, _ := o.daysUntil(v)
	if c.op == "days_since" {
		n = -n
	}
	return compares(float64(n), c.cmp, float64(c.n))
}
