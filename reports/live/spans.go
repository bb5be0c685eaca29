package live

import (
	"math"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// forever ends what has not ended.
const forever = lifecycle.Instant(math.MaxInt64)

// span is a time from an instant to another, which is not in it.
type span struct{ from, to lifecycle.Instant }

// holds tells whether one of the spans, in the order of time, holds an instant.
func holds(spans []span, at lifecycle.Instant) bool {
	for _, s := range spans {
		if s.from <= at && at < s.to {
			return true
		}
	}
	return false
}

// endure joins instants, in the order of time, to spans: each lasts for a while.
func endure(spans []span, at lifecycle.Instant, while time.Duration) []span {
	to := at.Add(while)
	if n := len(spans); n > 0 && at <= spans[n-1].to {
		spans[n-1].to = max(spans[n-1].to, to)
		return spans
	}
	return append(spans, span{at, to})
}

// stays gives a person's stays in stages up to the end of observation, the one
// that still lasts with that end, and calls each with what came next: empty for
// one that lasts.
func stays(p *summary.Person, end lifecycle.Instant, each func(stage lifecycle.Stage, s span, next lifecycle.Stage)) {
	for i := range p.Moves {
		m := &p.Moves[i]
		if m.At >= end {
			return
		}
		if m.Stage == "" {
			continue
		}
		if i+1 < len(p.Moves) && p.Moves[i+1].At < end {
			each(m.Stage, span{m.At, p.Moves[i+1].At}, p.Moves[i+1].Stage)
			continue
		}
		each(m.Stage, span{m.At, end}, "")
	}
}

// stageBefore gives the stage held just before an instant; empty for none.
func stageBefore(p *summary.Person, at lifecycle.Instant) lifecycle.Stage {
	var stage lifecycle.Stage
	for i := range p.Moves {
		if p.Moves[i].At >= at {
			break
		}
		stage = p.Moves[i].Stage
	}
	return stage
}
