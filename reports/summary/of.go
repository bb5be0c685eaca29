package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// PlanOf gives the plan that a person is under: during a rollout there are two.
type PlanOf func(lifecycle.ProfileID) *lifecycle.Plan

// Maker makes summaries. It is used by one goroutine.
type Maker struct {
	planOf PlanOf
	s      *summariser
}

// NewMaker gives a Maker under the plans in force.
func NewMaker(planOf PlanOf) *Maker { return &Maker{planOf, newSummariser()} }

// Of sums a person up as of an instant; nil for somebody of whom nothing is known,
// who was merged into somebody else or erased. The history of stages is derived
// anew, since a profile holds sums of stays only.
func (m *Maker) Of(w *store.Whole, now lifecycle.Instant) (*Person, error) {
	row := w.Person
	if row.State == nil || row.Merged != 0 {
		return nil, nil
	}
	prof, err := lifecycle.DecodeProfile(row.State)
	if err != nil {
		return nil, fmt.Errorf("summary: person %d: %w", row.ID, err)
	}
	p := &Person{
		ID: row.ID, Source: prof.Source, FirstSeen: prof.FirstSeen, LastSeen: prof.LastSeen, PlanVersion: prof.PlanVersion,
		Stage: prof.Stage, Since: prof.Since, Segments: prof.SegmentNames(), Traits: m.s.traits(prof), Events: m.s.events(w.Events),
	}
	plan := m.planOf(row.ID)
	p.scored(plan, w.Events)
	p.Account = plan.AccountOf(prof)
	_, moves := plan.Derive(row.ID, own(plan, row, w.Events), now)
	for i := range moves {
		t := &moves[i]
		switch {
		case t.From == t.To:
		case t.Lifecycle == "":
			p.Moves = append(p.Moves, Move{t.To, t.At})
		default:
			p.moved(t.Lifecycle, Move{t.To, t.At})
		}
	}
	return p, nil
}

// own leaves out the addresses that events of a contested person name beside the
// person's, as whoever makes profiles does.
func own(plan *lifecycle.Plan, row *store.Person, events []lifecycle.Event) []lifecycle.Event {
	if row.Contested == 0 {
		return events
	}
	keys := make([]lifecycle.Key, len(row.Keys))
	for i, text := range row.Keys {
		namespace, value, _ := strings.Cut(text, ":")
		keys[i] = lifecycle.Key{Namespace: namespace, Value: value}
	}
	return plan.Guards().OwnAddresses(events, keys)
}

// moved adds a move in a further lifecycle.
func (p *Person) moved(id string, m Move) {
	at, there := slices.BinarySearchFunc(p.Courses, id, func(c Course, id string) int { return strings.Compare(c.Lifecycle, id) })
	if !there {
		p.Courses = slices.Insert(p.Courses, at, Course{Lifecycle: id})
	}
	p.Courses[at].Moves = append(p.Courses[at].Moves, m)
}
