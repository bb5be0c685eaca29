package lifecycle

import (
	"iter"
	"slices"
)

// Standing is where a person stands in one lifecycle.
type Standing struct {
	// Stage is the stage shown; empty before the first event, where the first
	// stage has a condition that has not come true, and where the person is not
	// in the lifecycle.
	Stage Stage
	// Since is when the person came into Stage, and StageEvent and StageInbox
	// are what brought them there (zero: the passing of time).
	Since      Instant
	StageEvent EventID
	StageInbox int64
	// Path is the highest path stage whose condition has ever been true, and
	// PathSince when it became so.
	Path      Stage
	PathSince Instant

	visits []Visit // in the order of the first entry
	pin    Pin
	// bySide says that Stage is a side stage shown by its own condition.
	bySide bool
	// position is the last path stage shown: what moves are measured from.
	position Stage
	// fallTo and fallSince are the move back that a policy holds up, and since when.
	fallTo    Stage
	fallSince Instant
}

// Visit sums up a person's times in one stage.
type Visit struct {
	Stage Stage
	// Count of entries; First and Last are the times of the first and the
	// newest entry.
	Count       int64
	First, Last Instant
	// Left is when the newest finished visit ended; zero when none has.
	Left Instant
	// Total is the time of all finished visits, in microseconds.
	Total int64
}

// Visits gives the stages the person has been in, in the order of the first
// entry; the present one is among them.
func (s *Standing) Visits() iter.Seq[Visit] { return slices.Values(s.visits) }

// Pinned gives the pin that is live at an instant.
func (s *Standing) Pinned(now Instant) (Pin, bool) {
	if !s.pin.live(now) {
		return Pin{}, false
	}
	return s.pin, true
}

// visit gives the visits of a stage, or nil.
func (s *Standing) visit(stage Stage) *Visit {
	for i := range s.visits {
		if s.visits[i].Stage == stage {
			return &s.visits[i]
		}
	}
	return nil
}

// MainLifecycle is how conditions and callers name a plan's own stages among
// its lifecycles. It is no id of a further one.
const MainLifecycle = "main"

// Lifecycle is where a person stands in one of a plan's further lifecycles.
type Lifecycle struct {
	ID string
	Standing
	// FirstSeen and LastActivity are what those of the Profile are, of the events
	// that the lifecycle reads; both zero where it reads all of them.
	FirstSeen, LastActivity Instant
}

// Lifecycles gives where the person stands in the plan's further lifecycles,
// sorted by id. Those that the person has not come to are missing.
func (prof *Profile) Lifecycles() iter.Seq[Lifecycle] { return slices.Values(prof.lifecycles) }

// StandingIn gives where the person stands in a lifecycle by its id, the main one by
// MainLifecycle or an empty text; the zero Standing where the person is not in it.
func (prof *Profile) StandingIn(id string) Standing {
	if id == MainLifecycle {
		id = ""
	}
	if s := prof.standing(id); s != nil {
		return *s
	}
	return Standing{}
}

// standing is where the person stands in a lifecycle, nil where not in it.
func (prof *Profile) standing(id string) *Standing {
	if id == "" {
		return &prof.Standing
	}
	if l := prof.lifecycle(id); l != nil {
		return &l.Standing
	}
	return nil
}

func (prof *Profile) lifecycle(id string) *Lifecycle {
	for i := range prof.lifecycles {
		if prof.lifecycles[i].ID == id {
			return &prof.lifecycles[i]
		}
	}
	return nil
}
