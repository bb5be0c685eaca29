package lifecycle

import (
	"slices"
	"strconv"
	"strings"
)

// holds evaluates a condition at o.now from the raw events.
func (o *oracle) holds(c *cond) bool {
	switch c.op {
	case "and":
		return !slices.ContainsFunc(c.kids, func(k *cond) bool { return !o.holds(k) })
	case "or":
		return slices.ContainsFunc(c.kids, o.holds)
	case "not":
		return !o.holds(c.kids[0])
	}
	window := Instant(c.window) * 1_000_000
	named := o.times(func(e *Event) bool { return e.Name == c.event })
	recent := func(times []Instant) int {
		n := 0
		for _, at := range times {
			if at > o.now-window && at <= o.now {
				n++
			}
		}
		return n
	}
	switch c.op {
	case "seen":
		return len(named) > 0
	case "count":
		return compares(float64(len(named)), c.cmp, float64(c.n))
	case "sum":
		total := 0.0
		for _, e := range o.events {
			if e.Name == c.event && e.Value != nil {
				total += float64(e.Value.Micros) / 1e6
			}
		}
		return compares(total, c.cmp, float64(c.n))
	case "at_least":
		return recent(named) >= c.n
	case "within":
		return recent(named) > 0
	case "idle":
		return len(named) > 0 && recent(named) == 0
	case "never":
		all := o.times(func(e *Event) bool { return !strings.HasPrefix(string(e.Name), "Stagebridge:") })
		return len(all) > 0 && o.now-all[0] >= window && len(named) == 0
	case "inactive":
		active := o.times(func(e *Event) bool { return genActive[e.Name] })
		return len(active) > 0 && recent(active) == 0
	case "score":
		return o.scored(c)
	case "trait":
		v, _ := o.trait(c.trait)
		return o.compareTrait(v, c)
	case "has_been":
		v, since := o.trait(c.trait)
		return same(v, c.value) && (v != nil || since >= 0) && o.now-since >= window && since >= 0
	case "days_until", "days_since", "before", "after":
		return o.dated(c)
	case "was":
		return slices.ContainsFunc(o.history, func(s span) bool { return s.stage == c.stage })
	case "left":
		return o.leftWithin(c.stage, window)
	case "in_stage_for":
		return o.stage() != "" && o.now-o.history[len(o.history)-1].from >= window
	case "stage":
		return (o.stage() == c.stage) == (c.cmp == "==")
	}
	source := ""
	for _, e := range o.events {
		if !strings.HasPrefix(string(e.Name), "Stagebridge:") {
			source = e.Connection
			break
		}
	}
	return (source == c.value) == (c.cmp == "==")
}

func (o *oracle) times(which func(*Event) bool) (times []Instant) {
	for _, e := range o.events {
		if which(e) {
			times = append(times, e.At)
		}
	}
	return times
}

func (o *oracle) leftWithin(stage Stage, window Instant) bool {
	if o.stage() == stage {
		return false
	}
	for i := len(o.history) - 2; i >= 0; i-- {
		if o.history[i].stage == stage {
			return o.history[i+1].from > o.now-window
		}
	}
	return false
}

// trait gives the value that the last writer left, and since when it has been
// so; since is -1 when the trait was never written.
func (o *oracle) trait(name string) (value any, since Instant) {
	var at Instant
	var by string
	since = -1
	for _, e := range o.events {
		for _, tr := range e.Traits {
			when := tr.At
			if when == 0 {
				when = e.At
			}
			if tr.Name != name || since >= 0 && (when < at || when == at && string(e.ID[:]) < by) {
				continue
			}
			if since < 0 || !same(value, tr.Value) {
				since = when
			}
			value, at, by = tr.Value, when, string(e.ID[:])
		}
	}
	return value, since
}

func (o *oracle) compareTrait(v any, c *cond) bool {
	switch c.cmp {
	case "==":
		return same(v, c.value)
	case "!=":
		return !same(v, c.value)
	}
	a, okA := asFloat(v)
	b, okB := asFloat(c.value)
	if okA && okB {
		return compares(a, c.cmp, b)
	}
	s, okS := v.(string)
	u, okU := c.value.(string)
	return okS && okU && compares(float64(strings.Compare(s, u)), c.cmp, 0)
}

func same(a, b any) bool {
	x, okX := asFloat(a)
	y, okY := asFloat(b)
	return a == b || okX && okY && x == y
}

func asFloat(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	case string:
		f, err := strconv.ParseFloat(x, 64)
		return f, err == nil
	}
	return 0, false
}

func compares(a float64, op string, b float64) bool {
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}
