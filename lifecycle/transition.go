package lifecycle

// Kind says what sort of move a transition is.
type Kind string

// The kinds. The engine gives the first six; a caller that derives a person
// anew because of a late event, a merge or a published plan overwrites the
// kind of what it finds changed with one of the last four.
const (
	// KindForward leads to the next path stage, or into a side stage for the first time.
	KindForward Kind = "forward"
	// KindSkip leads forward past at least one path stage, see Transition.Skipped.
	KindSkip Kind = "skip"
	// KindBack leads to an earlier path stage.
	KindBack Kind = "back"
	// KindReEntry leads to a stage the person has been in before, other than back.
	KindReEntry Kind = "re-entry"
	// KindManual is the work of a pin or its release by a person.
	KindManual Kind = "manual"
	// KindSegments leaves the stage as it is: only segments changed.
	KindSegments Kind = "segments"
	// KindCorrection comes from an event that arrived late.
	KindCorrection Kind = "correction"
	// KindMerge comes from joining or splitting people.
	KindMerge Kind = "merge"
	// KindPublish comes from a new version of the plan.
	KindPublish Kind = "publish"
	// KindRollback comes from going back to an earlier plan.
	KindRollback Kind = "rollback"
)

// Transition is one change of a person's stage, segments, or both.
type Transition struct {
	// Seq numbers the moves of a person from 1.
	Seq int64
	// Lifecycle is the further lifecycle that it belongs to; empty for the main
	// one. Segments change with the main one, whichever they are about.
	Lifecycle string
	// From and To are stages; equal when only segments changed. From is empty
	// when the person came into being.
	From, To Stage
	Kind     Kind
	// At is when it was true: the time of the event, or the instant at which
	// the passing of time changed a condition. Decided is when it was found.
	At, Decided Instant
	// Event and Inbox name what caused it; both zero when time alone did.
	Event EventID
	Inbox int64
	// Condition is the text behind the new stage: its `when`, or the claim or
	// pin that shows it. Where only segments changed it is theirs.
	Condition   string
	PlanVersion int64
	// Entered and Exited are the segments that changed, sorted.
	Entered, Exited []Segment
	// Skipped are the path stages jumped over, in order of the path.
	Skipped []Stage
}
