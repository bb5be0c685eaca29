package live

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const (
	// defaultBefore is how long before a move something may have to do with it
	// where nothing else is said.
	defaultBefore = 30 * day24
	// maxWindows bounds the windows of one person: what lies further back than
	// so many is left out.
	maxWindows = 240
)

// precedesCounter compares the time just before a move with other times.
type precedesCounter struct {
	o      *Options
	window time.Duration
	labels labels
	moves  []preceded
	seen   []sight // of the person at hand
	last   []mark  // by feature
	turn   int64   // counts people and stages
}

// sight is a feature at its time.
type sight struct {
	at      lifecycle.Instant
	feature int32
}

// mark is the window in which a feature was counted last, in which turn.
type mark struct{ turn, back int64 }

// preceded is the moves into one stage.
type preceded struct {
	stage       lifecycle.Stage
	group, rest int64      // windows before the move, and others
	counts      [][2]int64 // of them, those with a feature
}

func newPrecedes(_ *lifecycle.Plan, o *Options) counter {
	c := &precedesCounter{o: o, window: cmp.Or(o.Lookback, defaultBefore), labels: newLabels()}
	for i, s := range o.stages {
		if o.Stage != "" && s.Name == o.Stage || o.Stage == "" && !s.Side && i > 0 {
			c.moves = append(c.moves, preceded{stage: s.Name})
		}
	}
	return c
}

func (c *precedesCounter) take(p *summary.Person) error {
	end := c.o.end()
	if len(p.Events) == 0 || p.Events[0].At >= end {
		return nil
	}
	c.sights(p)
	for i := range c.moves {
		m := &c.moves[i]
		moved, ok := p.First(m.stage)
		switch {
		case ok && moved < c.o.From:
			continue // moved before the time asked for
		case !ok || moved >= end:
			moved, ok = end, false
		}
		c.count(m, p, moved, ok)
	}
	return nil
}

// sights numbers the features of a person once for all stages.
func (c *precedesCounter) sights(p *summary.Person) {
	c.seen = c.seen[:0]
	for i := range p.Events {
		e := &p.Events[i]
		c.seen = append(c.seen, sight{e.At, c.labels.number(string(e.Name))})
		if content := e.Property("content"); content != "" && strings.HasPrefix(string(e.Name), "Content:") {
			c.seen = append(c.seen, sight{e.At, c.labels.number(string(e.Name) + " " + content)})
		}
	}
	for len(c.last) < len(c.labels.texts) {
		c.last = append(c.last, mark{})
	}
}

// count goes through a person's windows back from the move, or from the end of
// observation where there was none. What happened at the instant of the move,
// the event that caused it above all, is in no window.
func (c *precedesCounter) count(m *preceded, p *summary.Person, moved lifecycle.Instant, ok bool) {
	span := lifecycle.Instant(c.window / time.Microsecond)
	first := max(p.Events[0].At, c.o.From)
	if first >= moved {
		return
	}
	windows := min(int64((moved-first-1)/span)+1, maxWindows)
	m.rest += windows
	if ok {
		m.group++
		m.rest--
	}
	c.turn++
	for len(m.counts) < len(c.last) {
		m.counts = append(m.counts, [2]int64{})
	}
	for _, x := range c.seen {
		if x.at < first || x.at >= moved {
			continue
		}
		// The first window is the one that ends at the move. Events come in the
		// order of time, so the windows of a feature come in order too.
		back := int64((moved - x.at - 1) / span)
		if back >= windows || c.last[x.feature] == (mark{c.turn, back}) {
			continue
		}
		c.last[x.feature] = mark{c.turn, back}
		if ok && back == 0 {
			m.counts[x.feature][0]++
		} else {
			m.counts[x.feature][1]++
		}
	}
}

// Preceded is one part of the report precedes.
type Preceded struct {
	Stage lifecycle.Stage `json:"stage"`
	// Moves are the windows just before a move, Others all other windows.
	Moves  int64        `json:"moves"`
	Others int64        `json:"others"`
	Lifts  []stats.Lift `json:"lifts"`
}

func (c *precedesCounter) report(_ context.Context, r *Report) error {
	if len(c.moves) == 0 {
		return &FieldError{"stage", fmt.Sprintf("is %q, which the plan does not have", c.o.Stage)}
	}
	w := int(c.window / day24)
	r.Definition = fmt.Sprintf("share of the windows of %d days just before the first move into a stage that have the event / share of all other windows of people who had not moved yet; %s", w, stats.LiftFormula)
	r.note("windows are counted back from the move, or from the end where there was none, at most %d for a person; what happened at the very instant of the move is not before it", maxWindows)
	r.note("several windows of one person count as if of several people, so intervals are somewhat too narrow; what comes before a move need not be its cause")
	parts := []Preceded{}
	for i := range c.moves {
		m := &c.moves[i]
		part := Preceded{Stage: m.stage, Moves: m.group, Others: m.rest, Lifts: []stats.Lift{}}
		t := Table{"Before " + string(m.stage), []string{"Event", fmt.Sprintf("Of the %d windows before", m.group), fmt.Sprintf("Of the %d others", m.rest), "Lift", "Distinct"}, nil}
		if m.group > 0 && m.rest > 0 {
			var all []stats.Feature
			for f, n := range m.counts {
				if n[0]+n[1] >= minShared {
					all = append(all, stats.Feature{Name: c.labels.texts[f], InGroup: n[0], InRest: n[1]})
				}
			}
			lifts, err := stats.NewLifts(m.group, m.rest, all)
			if err != nil {
				return err
			}
			part.Lifts = lifts[:min(len(lifts), maxLifts)]
			t.Rows = liftRows(part.Lifts)
		} else {
			r.note("%s: nothing to compare, %d moves and %d other windows", m.stage, m.group, m.rest)
		}
		parts, r.Tables = append(parts, part), append(r.Tables, t)
	}
	r.Data = parts
	return nil
}
