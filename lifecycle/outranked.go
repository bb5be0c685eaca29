package lifecycle

import (
	"cmp"
	"slices"
)

// shownClaim gives the claim that shows the present stage; the zero Claim where
// none does.
func (r *run) shownClaim() Claim {
	if best := r.firstClaim(); best != nil && best.Stage == r.prof.Stage {
		return *best
	}
	return Claim{}
}

// outrank notes that a claim which was shown, and would be shown still, has given
// way to a pin or to another connection's claim. A newer claim of its own
// connection takes nothing from it, and a claim is noted once.
func (r *run) outrank(was *Claim, d *decision) {
	reason := ConflictPinned
	switch {
	case d.stage == was.Stage:
		return
	case d.via == ViaPin:
	case d.via == ViaClaim:
		if r.firstClaim().Connection == was.Connection {
			return
		}
		reason = ConflictOutranked
	default:
		return
	}
	r.prof.outranked(Conflict{
		Connection: was.Connection, Stage: was.Stage, At: was.At, Event: was.Event, Reason: reason,
		Won: d.stage, By: cutText(d.why, MaxNameBytes),
	})
}

// outranked puts a conflict at its place by the time of the claim. Of too many the
// oldest go, which may be this one.
func (prof *Profile) outranked(c Conflict) {
	i, there := slices.BinarySearchFunc(prof.conflicts, c, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(string(a.Event[:]), string(b.Event[:])))
	})
	if there {
		return
	}
	prof.conflicts = slices.Insert(prof.conflicts, i, c)
	if more := len(prof.conflicts) - MaxConflicts; more > 0 {
		prof.conflicts = slices.Delete(prof.conflicts, 0, more)
	}
}
