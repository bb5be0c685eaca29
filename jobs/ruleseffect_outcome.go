package jobs

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// StageFlow counts people who would move; empty is nobody yet, or nobody any more.
type StageFlow struct {
	// Lifecycle is the one of the plan's further lifecycles that it is about; empty:
	// the main one.
	Lifecycle string `json:"lifecycle,omitempty"`
	From      string `json:"from"`
	To        string `json:"to"`
	People    int64  `json:"people"`
	// Sample holds some of them, the smallest ids; empty where all are new.
	Sample []lifecycle.ProfileID `json:"sample"`
}

// SegmentSum counts people who would enter and leave a segment.
type SegmentSum struct {
	Segment string `json:"segment"`
	Gained  int64  `json:"gained"`
	Lost    int64  `json:"lost"`
	// GainedSample and LostSample hold some of them, the smallest ids, and nobody
	// who is new.
	GainedSample []lifecycle.ProfileID `json:"sample_gained,omitempty"`
	LostSample   []lifecycle.ProfileID `json:"sample_lost,omitempty"`
}

// stays counts what becomes of somebody who is there; left tells that they still
// have events.
func (e *rulesEffect) stays(t *tally, id lifecycle.ProfileID, was *before, next *lifecycle.Profile, left bool) {
	x, others := e.changes(was, next)
	if x.From != x.To {
		t.flow(flowKey{from: x.From, to: x.To}, id)
	}
	for i := range others {
		t.flow(flowKey{others[i].Lifecycle, others[i].From, others[i].To}, id)
	}
	for _, name := range x.Entered {
		t.segment(name, id, 1)
	}
	for _, name := range x.Exited {
		t.segment(name, id, -1)
	}
	moved := x.From != x.To || len(others) > 0
	if moved || len(x.Entered)+len(x.Exited) > 0 {
		t.changed++
	}
	if left { // who is gone is told to nobody
		e.push(t, id, was, next, moved || len(x.Entered)+len(x.Exited) > 0)
	}
}

// appears counts somebody who is not there yet and has no id.
func (e *rulesEffect) appears(t *tally, next *lifecycle.Profile) {
	was := &before{}
	x, others := e.changes(was, next)
	t.flow(flowKey{to: next.Stage}).People++
	for i := range others {
		t.flow(flowKey{others[i].Lifecycle, others[i].From, others[i].To}).People++
	}
	for _, name := range x.Entered {
		t.segmentOf(name).Gained++
	}
	e.push(t, 0, was, next, true)
}

func (e *rulesEffect) changes(was *before, next *lifecycle.Profile) (*lifecycle.Transition, []lifecycle.Transition) {
	x := difference(was, next, lifecycle.KindCorrection, e.now)
	if x == nil {
		x = &lifecycle.Transition{}
	}
	return x, elsewhere(was, next, lifecycle.KindCorrection, e.now)
}

func (e *rulesEffect) push(t *tally, id lifecycle.ProfileID, was *before, next *lifecycle.Profile, announced bool) {
	for _, c := range e.cfg.Pushing {
		if due(c, e.cfg.PlanOf(id), was, next, announced) {
			t.pushes[c.ID]++
		}
	}
}

func (e *rulesEffect) tell(t *tally) {
	for _, f := range t.flows {
		e.out.Stages = append(e.out.Stages, StageFlow{f.Lifecycle, string(f.From), string(f.To), f.People, f.Sample})
	}
	slices.SortFunc(e.out.Stages, func(a, b StageFlow) int {
		return cmp.Or(cmp.Compare(a.Lifecycle, b.Lifecycle), cmp.Compare(b.People, a.People), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, name := range slices.Sorted(maps.Keys(t.segments)) {
		s := t.segments[name]
		e.out.Parts = append(e.out.Parts, SegmentSum{string(name), s.Gained, s.Lost, s.GainedSample, s.LostSample})
	}
	for _, id := range slices.Sorted(maps.Keys(t.pushes)) {
		e.out.Pushes = append(e.out.Pushes, PushFlow{id, t.pushes[id]})
	}
}
