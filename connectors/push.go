package connectors

import (
	"context"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Destination writes stages and segments into a vendor's system.
type Destination interface {
	// Push brings up to Limits().Batch people to their desired state. It
	// returns one Result per update, in the same order. A non-nil error means
	// that no update is known to have arrived; sending all of them again must
	// be harmless. It is a *PushError whenever the vendor answered.
	Push(ctx context.Context, updates []Update) ([]Result, error)

	// Limits is constant for the life of the connector.
	Limits() Limits
}

// Kinds of destination.
const (
	// TakesState destinations hold a state (a property, tags): they get the
	// latest desired state, ten changes in a second making one call.
	TakesState = "state"
	// TakesEvents destinations get each move of a person once, in order.
	TakesEvents = "events"
)

// Limits is what a vendor allows.
type Limits struct {
	// Batch is the most people one Push may bring; at least 1.
	Batch int
	// Concurrency is how many Push calls may run at once; at least 1.
	Concurrency int
	// Rate is how many Push calls may start per Per; zero: no limit known.
	Rate int
	Per  time.Duration
	// Takes is TakesState or TakesEvents.
	Takes string
}

// Update is one person to bring to a desired state.
type Update struct {
	Person lifecycle.ProfileID
	// ID is stable per (connection, person, version) and in [A-Za-z0-9_-]: send
	// it as webhook-id, messageId or trace id, whatever the vendor offers.
	ID string
	// Keys of the person, strongest first.
	Keys []lifecycle.Key
	// Email is the address to use: the trait email. Empty when unknown.
	Email string
	// VendorID is the record's id at this vendor, from the person's keys or from
	// an earlier result. Empty when unknown.
	VendorID string
	// Want is the state to reach.
	Want State
	// Known is what the vendor is known to hold; nil when that is not known:
	// then everything is sent.
	Known *State
	// Moves, for TakesEvents, are the moves not yet sent, oldest first.
	Moves []Move
	// Unsettled says that the moves may not tell all: some are left out, or an
	// attempt before may have brought one of them with a state that is older. A
	// receiver that counts a message once would then miss what changed since, so
	// the present state is told behind them under an id of its own.
	Unsettled bool
}

// State is what a vendor holds, or should hold, about a person.
type State struct {
	// Stage in the vendor's spelling; empty: leave the vendor's stage alone.
	Stage string `json:"stage,omitempty"`
	// Since when, event time.
	Since lifecycle.Instant `json:"since,omitempty"`
	// Segments held, sorted.
	Segments []string `json:"segments,omitempty"`
	// Absent are segments of the managed set that the person is not in, sorted.
	// Names outside Segments and Absent are never touched.
	Absent []string `json:"absent,omitempty"`
	// Traits by the vendor's field name; a nil value clears the field.
	Traits map[string]any `json:"traits,omitempty"`
}

// Move is one change of stage or segments, for destinations that take events.
type Move struct {
	// ID is stable per (connection, move), form as Update.ID.
	ID string
	// Seq numbers the moves of a person from 1.
	Seq int64
	At  lifecycle.Instant
	// From and To are stages in the vendor's spelling; equal or both empty when
	// only segments changed.
	From, To string
	// Kind of the transition: forward, skip, back, re-entry, correction, merge,
	// manual, publish, rollback.
	Kind            string
	Entered, Exited []string
}

// Outcome says what became of one update.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"          // the vendor holds the desired state
	Retry       Outcome = "retry"       // not arrived; worth trying again
	Permanent   Outcome = "permanent"   // refused; the same again will be refused again
	Skipped     Outcome = "skipped"     // nothing to do at this vendor, for the given reason
	Submitted   Outcome = "submitted"   // taken as a job of the vendor's, to be followed
	Unconfirmed Outcome = "unconfirmed" // sent, but the vendor's answer proves nothing
)

// Result is the outcome for one update.
type Result struct {
	Outcome Outcome
	Reason  Reason
	// Message holds the vendor's own words, without secrets, at most 500 runes.
	Message string
	// Delay asks for a pause before the retry; zero leaves it to the caller.
	Delay time.Duration
	// VendorID is the record's id where the answer told it.
	VendorID string
	// Job is the vendor's job id with Submitted.
	Job string
	// Written lists the fields that this push changed at the vendor, in the
	// spelling in which its events report them (RawEvent.Written): what the
	// ledger of echoes is fed with. Nil where the vendor reports none of it.
	Written []Field
	// Sent, for TakesEvents, counts the moves that arrived, from the oldest on,
	// also where the outcome is a retry.
	Sent int
}

// JobPoller follows submitted jobs.
type JobPoller interface {
	// Poll answers for one vendor job: nil results while it still runs; else
	// one result per person that had been submitted with it.
	Poll(ctx context.Context, job string, people []Update) ([]Result, error)
}

// Reader reads back what the vendor holds.
type Reader interface {
	// Read gives the state per update; nil where the person is not there.
	Read(ctx context.Context, people []Update) ([]*State, error)
}
