package live

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// usage counts how often something was seen, and by how many people.
type usage struct{ times, people int64 }

// contentCategory is that of events about content.
const contentCategory = "Content"

// fewCells is up to how many stages and pieces of one person are looked through
// in turn; of more a map is made.
const fewCells = 16

// contentCounter counts content and touches by stage, and the last ones before
// a decision.
type contentCounter struct {
	o *Options
	touches
	won      []lifecycle.EventName
	lookback time.Duration
	stages   map[lifecycle.Stage]map[int32]*usage
	// viewed and touched are the numbers of pieces by their bare names.
	viewed, touched map[string]int32
	seen            []cell // memory for the next person's
	last            map[int32]int64
	decided         int64
	without         int64 // decisions that nothing came before
}

func newContent(_ *lifecycle.Plan, o *Options) counter {
	c := &contentCounter{o: o, touches: newTouches(o), won: o.Won, lookback: cmp.Or(o.Lookback, defaultLookback),
		stages: map[lifecycle.Stage]map[int32]*usage{}, viewed: map[string]int32{}, touched: map[string]int32{}, last: map[int32]int64{}}
	if len(c.won) == 0 {
		c.won = paying()
	}
	return c
}

// piece gives the number of the content or touch that an event is about.
func (c *contentCounter) piece(e *summary.Event) (int32, bool) {
	switch {
	case strings.HasPrefix(string(e.Name), contentCategory+":"):
		return c.labels.under(c.viewed, "content: ", cmp.Or(e.Property("content"), e.Property("name"), unnamed)), true
	case c.is(e):
		return c.labels.under(c.touched, "touch: ", c.labels.texts[c.name(e)]), true
	}
	return 0, false
}

// cell is a piece met in a stage.
type cell struct {
	stage lifecycle.Stage
	piece int32
}

func (c *contentCounter) take(p *summary.Person) error {
	c.seen = c.seen[:0]
	var many map[cell]bool
	var stage lifecycle.Stage
	next, last, lastAt, decided := 0, int32(-1), lifecycle.Instant(0), false
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= c.o.end() {
			break
		}
		// The stage held just before: a touch that leads to a stage belongs to the
		// one that it was met in.
		for ; next < len(p.Moves) && p.Moves[next].At < e.At; next++ {
			stage = p.Moves[next].Stage
		}
		if slices.Contains(c.won, e.Name) && !decided {
			decided = true // the first one ever; later ones are no decision any more
			c.decide(e, last, lastAt)
		}
		piece, ok := c.piece(e)
		if !ok {
			continue
		}
		last, lastAt = piece, e.At
		if e.At < c.o.From {
			continue
		}
		u := c.usage(stage, piece)
		u.times++
		switch at := (cell{stage, piece}); {
		case many[at] || slices.Contains(c.seen, at):
			continue
		case len(c.seen) < fewCells:
			c.seen = append(c.seen, at)
		default:
			if many == nil {
				many = map[cell]bool{}
			}
			many[at] = true
		}
		u.people++
	}
	return nil
}

func (c *contentCounter) usage(stage lifecycle.Stage, piece int32) *usage {
	pieces := c.stages[stage]
	if pieces == nil {
		pieces = map[int32]*usage{}
		c.stages[stage] = pieces
	}
	u := pieces[piece]
	if u == nil {
		u = &usage{}
		pieces[piece] = u
	}
	return u
}

// decide counts what came last before a decision.
func (c *contentCounter) decide(e *summary.Event, last int32, at lifecycle.Instant) {
	if e.At < c.o.From {
		return
	}
	c.decided++
	if last < 0 || at <= e.At.Add(-c.lookback) {
		c.without++
		return
	}
	c.last[last]++
}

// ContentUse is one line of the report content.
type ContentUse struct {
	Stage  lifecycle.Stage `json:"stage"`
	Piece  string          `json:"piece"`
	People int64           `json:"people"`
	Times  int64           `json:"times"`
}

// LastPiece is one line of what came last before decisions.
type LastPiece struct {
	Piece string       `json:"piece"`
	Share reports.Rate `json:"share"`
}

// ContentReport is the data of the report content.
type ContentReport struct {
	Stages []ContentUse `json:"stages"`
	Last   []LastPiece  `json:"last"`
}

// contentShown is how many pieces a table has for each stage.
const contentShown = 15

func (c *contentCounter) report(_ context.Context, r *Report) error {
	r.Definition = "content (Content:Viewed, Content:Downloaded) and touches by the stage that the person held just before; people each counted once for a stage and piece; " +
		"the last one at or before a person's first decision, as a share of those decisions with Wilson's interval"
	r.note("a decision is the first event %s; what came last counts within %d days before it", joined(c.won), int(c.lookback/day24))
	c.touches.say(r)
	if c.without > 0 {
		r.note("%d of %d decisions have neither content nor a touch before them", c.without, c.decided)
	}
	d := ContentReport{Stages: []ContentUse{}, Last: []LastPiece{}}
	t := Table{"By stage", []string{"Stage", "Piece", "People", "Times"}, nil}
	hidden := 0
	for _, stage := range sortedStages(c.stages) {
		var lines []ContentUse
		for piece, u := range c.stages[stage] {
			lines = append(lines, ContentUse{stage, c.labels.texts[piece], u.people, u.times})
		}
		slices.SortFunc(lines, func(a, b ContentUse) int {
			return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(b.Times, a.Times), cmp.Compare(a.Piece, b.Piece))
		})
		for i, l := range lines {
			if i < contentShown {
				t.Rows = append(t.Rows, []string{stageName(stage), l.Piece, number(l.People), number(l.Times)})
			} else {
				hidden++
			}
		}
		d.Stages = append(d.Stages, lines...)
	}
	for piece, n := range c.last {
		d.Last = append(d.Last, LastPiece{c.labels.texts[piece], reports.NewRate(n, c.decided)})
	}
	slices.SortFunc(d.Last, func(a, b LastPiece) int {
		return cmp.Or(cmp.Compare(b.Share.Hits, a.Share.Hits), cmp.Compare(a.Piece, b.Piece))
	})
	last := Table{"The last before the decision", []string{"Piece", "Decisions", "Share"}, nil}
	for i, l := range d.Last {
		if i == maxShown {
			hidden += len(d.Last) - maxShown
			break
		}
		last.Rows = append(last.Rows, []string{l.Piece, number(l.Share.Hits), rate(l.Share)})
	}
	if hidden > 0 {
		r.note("%d lines with fewer people are in the data only", hidden)
	}
	r.Data, r.Tables = &d, append(r.Tables, t, last)
	return nil
}

func sortedStages[V any](m map[lifecycle.Stage]V) []lifecycle.Stage {
	var all []lifecycle.Stage
	for s := range m {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// stageName writes a stage.
func stageName(s lifecycle.Stage) string { return cmp.Or(string(s), "(no stage yet)") }
