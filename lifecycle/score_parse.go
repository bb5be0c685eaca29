package lifecycle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// scores reads the scores. They come before stages, whose conditions may read
// them.
func (d *planReader) scores() {
	var all []*score
	if names := d.r.Node().Get("scores"); names != nil {
		for _, e := range names.Entries {
			d.cond.unscored = append(d.cond.unscored, e.Key)
		}
	}
	d.r.Entries("scores", func(name string, r *document.Reader) {
		if len(all) == MaxScores {
			d.fullUp(r, "score", MaxScores)
			return
		}
		d.scoreName(r, name)
		all = append(all, d.score(name, r))
	})
	d.p.scores = all
	d.cond.scores, d.cond.unscored = all, nil
}

// scoreName checks a score's name, which is that of a trait.
func (d *planReader) scoreName(r *document.Reader, name string) {
	d.uniqueName(r, "", "score", name)
	letters := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_")
	switch {
	case letters != "" || name == "" || strings.Contains("0123456789_", name[:1]):
		r.Fail("", "is the name of a trait: want small letters, digits and _, with a letter first")
	case slices.Contains([]string{TraitEmail, TraitAccount, TraitCompany, "clv", "p_alive", "rfm"}, name):
		r.Fail("", "is a trait with a meaning of its own; give the score another name")
	}
}

func (d *planReader) score(name string, r *document.Reader) *score {
	s := &score{name: name, about: r.OptText("about"), min: math.MinInt64, max: math.MaxInt64}
	if r.Has("half_life") {
		s.half = window(r, "half_life", strings.TrimSpace(r.Text("half_life")))
	}
	if r.Has("min") {
		s.min = bound(r, "min")
	}
	if r.Has("max") {
		s.max = bound(r, "max")
	}
	if s.min >= s.max {
		r.Fail("max", "must be more than min")
	}
	r.Entries("events", func(event string, item *document.Reader) {
		if len(s.events) == MaxScoreRules {
			d.fullUp(item, "event", MaxScoreRules)
			return
		}
		checkEventName(item, event)
		s.events = append(s.events, readScoreEvent(EventName(event), item))
	})
	slices.SortFunc(s.events, func(a, b scoreEvent) int { return cmp.Compare(a.name, b.name) })
	d.scoreConditions(s, r)
	if len(s.events)+len(s.conditions) == 0 && !r.Has("events") && !r.Has("traits") {
		r.Fail("", "gives no points; list events or traits")
	}
	r.Unknown()
	s.print = s.spelled(d.p.zone.String())
	return s
}

func bound(r *document.Reader, field string) int64 {
	n := r.Int(field, 0)
	if n < -mostWhole || n > mostWhole {
		r.Fail(field, "is out of range: a score is between -%d and %d", mostWhole, mostWhole)
	}
	return n
}

// mostWhole is more than any score can be.
const mostWhole = 2 * MaxScoreRules * int64(mostHeld>>pointBits)

// readScoreEvent reads points alone, or points and the most that they add up to.
func readScoreEvent(name EventName, r *document.Reader) scoreEvent {
	e := scoreEvent{name: name, most: mostHeld}
	if r.Kind("") != document.Map {
		e.points = readPoints(r, "")
		return e
	}
	e.points = readPoints(r, "points")
	if r.Has("most") {
		e.most = points(math.Round(r.Float("most", 0) * float64(onePoint)))
		if e.most < max(e.points, -e.points) || e.most > mostHeld {
			r.Fail("most", "is what all events of the name are worth together: at least the points of one, and at most %d", mostHeld>>pointBits)
			e.most = mostHeld
		}
	}
	r.Unknown()
	return e
}

func readPoints(r *document.Reader, field string) points {
	if !r.Has(field) {
		r.Fail(field, "is missing")
		return 0
	}
	f := r.Float(field, 1)
	p := points(math.Round(min(max(f, -2*MaxPoints), 2*MaxPoints) * float64(onePoint)))
	if math.Abs(f) > MaxPoints || p == 0 {
		r.Fail(field, "is out of range: points are a number between -%d and %d, and not 0", MaxPoints, MaxPoints)
	}
	return p
}

// scoreConditions reads points for what is so: conditions as keys, or a list.
func (d *planReader) scoreConditions(s *score, r *document.Reader) {
	add := func(item *document.Reader, src document.Source, p points) {
		if len(s.conditions) == MaxScoreRules {
			d.fullUp(item, "condition", MaxScoreRules)
			return
		}
		text, x := d.condition(item, src)
		if x != nil && x.readsStage() {
			item.FailIn(src, 1, 0, "looks at the stage, which may depend on the score")
		}
		s.conditions = append(s.conditions, scoreCondition{text: text, when: x, points: p})
	}
	if r.Kind("traits") == document.List {
		r.List("traits", func(item *document.Reader) {
			if src, ok := item.Condition("when"); ok {
				add(item, src, readPoints(item, "points"))
			}
			item.Unknown()
		})
		return
	}
	r.Entries("traits", func(text string, item *document.Reader) {
		n := item.Node()
		add(item, document.Source{Text: text, Field: item.Path(), Line: n.Line, Column: n.Column}, readPoints(item, ""))
	})
}

func (x *expr) readsStage() (reads bool) {
	x.each(func(l *leaf) { reads = reads || l.readsStage() })
	return reads
}

// spelled gives a text that is equal for equal scores.
func (s *score) spelled(zone string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %d %d %q", s.name, s.half, s.min, s.max, zone)
	for _, e := range s.events {
		fmt.Fprintf(&b, " %q %d %d", e.name, e.points, e.most)
	}
	for _, c := range s.conditions {
		fmt.Fprintf(&b, " %q %d", c.text, c.points)
	}
	return b.String()
}
