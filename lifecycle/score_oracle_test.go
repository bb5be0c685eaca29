package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// modelScore is a score of the model. Its points are whole, so that conditions
// do not move the instants at which fading passes a whole number.
type modelScore struct {
	name     string
	half     int // seconds; 0: none
	min, max int // both 0: none
	events   []modelPoints
	traits   []modelPoints
}

type modelPoints struct {
	event  EventName // of events
	when   *cond     // of traits
	points int
	most   int // 0: none
}

// genScores are the names of scores; in a plan without them they are traits
// like others.
var genScores = []string{"heat", "tally"}

func scoreLines(scores []modelScore) string {
	var b strings.Builder
	for i, s := range scores {
		if i == 0 {
			b.WriteString("scores:\n")
		}
		fmt.Fprintf(&b, "  %s:\n", s.name)
		if s.half > 0 {
			fmt.Fprintf(&b, "    half_life: %ds\n", s.half)
		}
		if s.max > s.min {
			fmt.Fprintf(&b, "    min: %d\n    max: %d\n", s.min, s.max)
		}
		b.WriteString("    events:\n")
		for _, e := range s.events {
			if e.most > 0 {
				fmt.Fprintf(&b, "      %s: { points: %d, most: %d }\n", e.event, e.points, e.most)
			} else {
				fmt.Fprintf(&b, "      %s: %d\n", e.event, e.points)
			}
		}
		if len(s.traits) > 0 {
			b.WriteString("    traits:\n")
		}
		for _, c := range s.traits {
			fmt.Fprintf(&b, "      - { when: '%s', points: %d }\n", c.when.text(), c.points)
		}
	}
	return b.String()
}

func drawScores(t *rapid.T) (scores []modelScore) {
	for _, name := range genScores {
		if rapid.IntRange(0, 2).Draw(t, "has no score") == 0 {
			continue
		}
		s := modelScore{name: name}
		if name == "heat" {
			s.half = rapid.SampledFrom(genWindows).Draw(t, "half-life")
		}
		if rapid.IntRange(0, 2).Draw(t, "bounded") == 0 {
			s.min, s.max = rapid.IntRange(-3, 1).Draw(t, "min"), rapid.IntRange(4, 9).Draw(t, "max")
		}
		for i, event := range genEvents {
			if i == 0 || rapid.Bool().Draw(t, "gives points") {
				e := modelPoints{event: event, points: rapid.SampledFrom([]int{1, 2, 5, 9, -1, -4}).Draw(t, "points")}
				if rapid.Bool().Draw(t, "has most") {
					e.most = max(e.points, -e.points) + rapid.IntRange(0, 6).Draw(t, "most")
				}
				s.events = append(s.events, e)
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			c := drawCond(t, []Stage{"P0"}, 1)
			c.forgetStages()
			c.each(func(leaf *cond) {
				if leaf.op == "score" || leaf.op == "stage" {
					leaf.op = "within"
				}
			})
			s.traits = append(s.traits, modelPoints{when: c, points: rapid.SampledFrom([]int{1, 3, -2}).Draw(t, "points")})
		}
		scores = append(scores, s)
	}
	return scores
}

func (c *cond) each(f func(*cond)) {
	for _, k := range c.kids {
		k.each(f)
	}
	if len(c.kids) == 0 {
		f(c)
	}
}

func (m *model) score(name string) *modelScore {
	for i := range m.scores {
		if m.scores[i].name == name {
			return &m.scores[i]
		}
	}
	return nil
}

// scored compares a score, or the trait where the plan has none of the name.
func (o *oracle) scored(c *cond) bool {
	s := o.m.score(c.trait)
	if s == nil {
		v, _ := o.trait(c.trait)
		return o.compareTrait(v, &cond{cmp: c.cmp, value: int64(c.n)})
	}
	return compares(float64(o.score(s)), c.cmp, float64(c.n))
}

// score adds up the events one by one.
func (o *oracle) score(s *modelScore) int64 {
	fading, since := o.fading(s)
	total := fade(fading, o.now-since, Instant(s.half)*1_000_000)
	for _, c := range s.traits {
		if o.holds(c.when) {
			total += points(c.points) * onePoint
		}
	}
	n := int64(total / onePoint)
	rest := total - points(n)*onePoint
	switch {
	case rest >= onePoint/2:
		n++
	case rest < -onePoint/2:
		n--
	}
	if s.max > s.min {
		n = min(max(n, int64(s.min)), int64(s.max))
	}
	return n
}

// fading gives what the events are worth together, and when they were so.
func (o *oracle) fading(s *modelScore) (sum points, at Instant) {
	held := map[EventName]points{}
	for _, e := range o.events {
		i := slices.IndexFunc(s.events, func(p modelPoints) bool { return p.event == e.Name })
		if i < 0 {
			continue
		}
		for name, p := range held {
			held[name] = fade(p, e.At-at, Instant(s.half)*1_000_000)
		}
		at = e.At
		p := held[e.Name] + points(s.events[i].points)*onePoint
		if most := points(s.events[i].most) * onePoint; most > 0 {
			p = min(max(p, -most), most)
		}
		held[e.Name] = p
	}
	for _, p := range held {
		sum += p
	}
	return sum, at
}

// expectScores notes the instants at which fading passes the middle between two
// whole numbers, found by halving.
func (o *oracle) expectScores() {
	for i := range o.m.scores {
		s := &o.m.scores[i]
		half := Instant(s.half) * 1_000_000
		fading, at := o.fading(s)
		fading = max(fading, -fading)
		for n := fading >> pointBits; n >= 0 && half > 0; n-- {
			for _, level := range []points{n*onePoint + onePoint/2, n*onePoint + onePoint/2 + 1} {
				low, high := Instant(0), 60*half
				for high-low > 1 {
					if mid := low + (high-low)/2; fade(fading, mid, half) < level {
						high = mid
					} else {
						low = mid
					}
				}
				o.add(at + high)
			}
		}
	}
}
