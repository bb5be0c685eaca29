package lifecycle

import "time"

// Explanation says why a person has a stage, and what is missing for others.
type Explanation struct {
	// Lifecycle is the further lifecycle that it is about; empty for the main one.
	Lifecycle string
	Stage     Stage
	Since     Instant
	// Via says what shows the stage, Condition the text behind it: the `when`
	// of the stage, or the claim or pin.
	Via       Via
	Condition string
	// Why is the stage's condition with its values now; nil where it has none.
	// A path stage stays reached, so the condition that once led to it need not
	// hold any more.
	Why *Reason
	// Event and Inbox are what brought the person into the stage; both zero
	// when it was the passing of time.
	Event EventID
	Inbox int64
	// Pin and Claim are set when one of them shows the stage, Until then when it
	// ends (zero: no end). With ViaKept, Wanted is the stage that the person
	// falls to at Until (zero: the policy forbids it).
	Pin   *Pin
	Claim *Claim
	// Leave is the condition that leads out of a side stage, where it has one
	// of its own, and LeaveWhy the same with its values. StaysUntil is when the
	// least time in the stage is over; zero when it is, or there is none.
	Leave      string
	LeaveWhy   *Reason
	StaysUntil Instant
	Wanted     Stage
	Until      Instant
	// Path is the path stage reached, and since when.
	Path      Stage
	PathSince Instant
	// Next holds the path stages not reached, nearest first, then the side
	// stages not shown.
	Next []Outlook
	// Segments are all segments of the plan, sorted by name, Scores its scores in
	// its order, and Lifecycles the further lifecycles that the person is in,
	// sorted by id; all nil in these.
	Segments   []SegmentReason
	Scores     []ScoreReason
	Lifecycles []Explanation
	// NextCheck is the earliest instant at which time alone may change
	// something; zero: none.
	NextCheck Instant
}

// Outlook says what is missing for a stage.
type Outlook struct {
	Stage     Stage
	Side      bool
	Condition string
	Why       *Reason
	// Unmet are the leaves that would have to change; where the condition gives
	// a choice, those of each. Empty when the condition holds and something else
	// comes first, see Blocked.
	Unmet []Reason
	// Due is the nearest instant at which time alone can change the condition;
	// zero: it can't.
	Due Instant
	// Blocked says why the stage is not shown although its condition may hold:
	// "from" (a side stage that is not open from the path stage reached) or what
	// comes before it, as in Via. Empty: nothing.
	Blocked string
}

// SegmentReason says why a person is in a segment or not.
type SegmentReason struct {
	Name      Segment
	In        bool
	Since     Instant // zero when not in it
	Condition string
	Why       *Reason
	// Leave is the condition that leads out, where there is one beside the one
	// that leads in, and LeaveWhy the same with its values. StaysUntil is when the
	// least time in the segment is over; zero when it is, or there is none.
	Leave      string
	LeaveWhy   *Reason
	StaysUntil Instant
	// Due is the nearest instant at which time alone can change it; zero: it can't.
	Due Instant
}

// Reason is a condition, or a part of one, with its truth and values.
type Reason struct {
	// Op is "and", "or", "not", or empty for a leaf.
	Op    string
	Kids  []Reason
	Holds bool
	// Text of a leaf, as a plan would spell it.
	Text string
	// Value is what the person has where the leaf asks for something: a count, a
	// trait's value, a stage; nil when there is nothing.
	Value any
	// Event is the name of the events that the leaf counts, At the newest time
	// that decides it (an event's, a trait's, a stage's), and By the event that
	// told a trait; zero when there is none.
	Event EventName
	At    Instant
	By    EventID
	// Note says how a trait was read as a date, or that it could not be.
	Note string
	// Window is the span of time that the leaf looks at; zero: none.
	Window time.Duration
	// Flips is when the leaf changes if nothing but time passes; zero: never.
	Flips Instant
}
