package jobs

import (
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// tally counts what a preview finds. Each worker has its own.
type tally struct {
	people, decided, events, changed int64
	flows                            map[flowKey]*Flow
	segments                         map[lifecycle.Segment]*SegmentFlow
	pushes                           map[string]int64
	sums                             accountSums
}

func newTally() *tally {
	return &tally{flows: map[flowKey]*Flow{}, segments: map[lifecycle.Segment]*SegmentFlow{}, pushes: map[string]int64{}}
}

// flowKey is a field of the matrix of one lifecycle.
type flowKey struct {
	lifecycle string
	from, to  lifecycle.Stage
}

func (t *tally) flow(key flowKey, who ...lifecycle.ProfileID) *Flow {
	f := t.flows[key]
	if f == nil {
		f = &Flow{Lifecycle: key.lifecycle, From: key.from, To: key.to}
		t.flows[key] = f
	}
	f.People += int64(len(who))
	f.Sample = sample(f.Sample, who...)
	return f
}

func (t *tally) segment(name lifecycle.Segment, who lifecycle.ProfileID, sign int) {
	s := t.segmentOf(name)
	if sign > 0 {
		s.Gained++
		s.GainedSample = sample(s.GainedSample, who)
		return
	}
	s.Lost++
	s.LostSample = sample(s.LostSample, who)
}

func (t *tally) segmentOf(name lifecycle.Segment) *SegmentFlow {
	if t.segments[name] == nil {
		t.segments[name] = &SegmentFlow{Segment: name}
	}
	return t.segments[name]
}

// add takes in what another worker found.
func (t *tally) add(o *tally) {
	t.people += o.people
	t.decided += o.decided
	t.events += o.events
	t.changed += o.changed
	for key, f := range o.flows {
		mine := t.flow(key)
		mine.People += f.People
		mine.Sample = sample(mine.Sample, f.Sample...)
	}
	for name, s := range o.segments {
		mine := t.segmentOf(name)
		mine.Gained += s.Gained
		mine.Lost += s.Lost
		mine.GainedSample, mine.LostSample = sample(mine.GainedSample, s.GainedSample...), sample(mine.LostSample, s.LostSample...)
	}
	t.sums.add(&o.sums)
	for id, n := range o.pushes {
		t.pushes[id] += n
	}
}

// sample keeps the smallest ids, so that two runs show the same people.
func sample(have []lifecycle.ProfileID, more ...lifecycle.ProfileID) []lifecycle.ProfileID {
	if len(have) >= previewSample && len(more) == 1 && more[0] > have[len(have)-1] {
		return have
	}
	have = append(have, more...)
	slices.Sort(have)
	return have[:min(len(have), previewSample)]
}
