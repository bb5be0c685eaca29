package lifecycle

import (
	"slices"
	"strings"
	"time"
)

// ReservedCategory starts the names of decisions made in Stagebridge. No rule
// may emit such a name; Plan.Judge says so, and the engine takes a decision
// only from an event that no raw event stands behind (Inbox zero).
const ReservedCategory = "Stagebridge:"

// Decisions that the engine acts on.
const (
	// EventPinned pins a person to a stage: property stage, and optionally
	// reason, until (microseconds since 1970, or RFC 3339), and lifecycle, the
	// further lifecycle that it is about.
	EventPinned EventName = "Stagebridge:Pinned"
	// EventUnpinned releases the pin.
	EventUnpinned EventName = "Stagebridge:Unpinned"
)

// PinEvent is the decision that a person has a stage, whatever the conditions
// and claims say, until an instant (zero: until released).
func PinEvent(id EventID, at Instant, stage Stage, reason string, until Instant) Event {
	e := Event{ID: id, Name: EventPinned, At: at, Properties: map[string]any{"stage": string(stage)}}
	if reason != "" {
		e.Properties["reason"] = reason
	}
	if until != 0 {
		e.Properties["until"] = int64(until)
	}
	return e
}

// UnpinEvent is the decision that the pin no longer holds.
func UnpinEvent(id EventID, at Instant, reason string) Event {
	e := Event{ID: id, Name: EventUnpinned, At: at}
	if reason != "" {
		e.Properties = map[string]any{"reason": reason}
	}
	return e
}

// IsDecision tells whether an event is a decision made in Stagebridge. It is
// no fact about the person: it counts neither as seen nor as activity.
func (e *Event) IsDecision() bool {
	return e.Inbox == 0 && strings.HasPrefix(string(e.Name), ReservedCategory)
}

// Pin is a stage that a person has set by hand.
type Pin struct {
	Stage  Stage
	At     Instant
	Until  Instant // zero: until released
	Event  EventID
	Reason string
}

func (p *Pin) live(now Instant) bool {
	return p.Stage != "" && (p.Until == 0 || now < p.Until)
}

// Claim is the stage that a connection says a person has.
type Claim struct {
	Connection string
	Stage      Stage
	At         Instant
	Event      EventID
}

// ConflictReason says why a claim or pin did not have its way.
type ConflictReason string

// The reasons.
const (
	ConflictUnknownStage ConflictReason = "unknown_stage" // the plan has no such stage
	ConflictIgnored      ConflictReason = "ignored"       // the plan ignores this connection's claims
	ConflictOutranked    ConflictReason = "outranked"     // another connection's claim comes first
	ConflictPinned       ConflictReason = "pinned"        // a person has pinned the stage
	ConflictNotAhead     ConflictReason = "not_ahead"     // mode advance, and the person is further or elsewhere
	ConflictSideStage    ConflictReason = "side_stage"    // mode advance takes path stages only
	ConflictBack         ConflictReason = "back"          // a policy forbids the move back, or holds it up
	ConflictExpired      ConflictReason = "expired"       // it was over before it began
)

// Conflict is a claim or pin that did not have its way. Connection is empty
// for a pin.
type Conflict struct {
	Connection string
	Stage      Stage
	At         Instant
	Event      EventID
	Reason     ConflictReason
	// Won is the stage shown instead, and By what showed it: "claim by" and a
	// connection, "pin" with its reason, or the Via.
	Won Stage
	By  string
}

// conflict notes what did not have its way; what did is known once the step
// has decided.
func (r *run) conflict(e *Event, stage Stage, reason ConflictReason) {
	r.prof.conflict(e, stage, reason)
	r.lost++
}

// settleConflicts says of the conflicts of this step what won.
func (r *run) settleConflicts(d *decision) {
	list := r.prof.conflicts
	for i := range list[len(list)-min(r.lost, len(list)):] {
		c := &list[len(list)-1-i]
		c.Won, c.By = d.stage, string(d.via)
		if d.via == ViaClaim || d.via == ViaPin {
			c.By = cutText(d.why, MaxNameBytes)
		}
	}
	r.lost = 0
}

func (prof *Profile) conflict(e *Event, stage Stage, reason ConflictReason) {
	if len(prof.conflicts) >= MaxConflicts {
		prof.conflicts = slices.Delete(prof.conflicts, 0, len(prof.conflicts)-MaxConflicts+1)
	}
	prof.conflicts = append(prof.conflicts, Conflict{
		Connection: cutText(e.Connection, MaxNameBytes),
		Stage:      Stage(cutText(string(stage), MaxNameBytes)),
		At:         e.At, Event: e.ID, Reason: reason,
	})
}

// decision takes a pin or its release.
func (r *run) decision(e *Event) {
	elsewhere := e.pinned()
	switch e.Name {
	case EventPinned:
		text, _ := e.Properties["stage"].(string)
		reason, _ := e.Properties["reason"].(string)
		pin := Pin{Stage(text), e.At, pinUntil(e.Properties["until"]), e.ID, cutText(reason, MaxNameBytes)}
		switch {
		case elsewhere != "":
			r.pinElsewhere(elsewhere, pin)
		case r.plan.stage(pin.Stage) == nil:
			r.conflict(e, pin.Stage, ConflictUnknownStage)
		case !pin.live(e.At):
			r.conflict(e, pin.Stage, ConflictExpired)
		default:
			r.prof.pin = pin
		}
	case EventUnpinned:
		if elsewhere != "" {
			r.pinElsewhere(elsewhere, Pin{})
			return
		}
		r.prof.pin = Pin{}
	}
}

// pinUntil reads the end of a pin; zero when there is none.
func pinUntil(v any) Instant {
	switch x := v.(type) {
	case int64:
		return Instant(x)
	case string:
		t, err := time.Parse(time.RFC3339Nano, x)
		if err == nil {
			return At(t)
		}
	}
	return 0
}

// claim takes what a connection says the stage is. It gives the reason that
// stands if the claim turns out not to be shown.
func (r *run) claim(e *Event) ConflictReason {
	s := r.plan.stage(e.Claim)
	if s == nil {
		r.conflict(e, e.Claim, ConflictUnknownStage)
		return ""
	}
	rule := r.plan.claimRule(e.Connection)
	switch {
	case rule < 0 || r.plan.claims[rule].mode == claimIgnore:
		return ConflictIgnored
	case r.plan.claims[rule].mode == claimAdvance && s.side:
		return ConflictSideStage
	case r.plan.claims[rule].mode == claimAdvance:
		if s.path <= r.path {
			return ConflictNotAhead
		}
		r.raise(s.path, e.At)
		return ConflictNotAhead
	}
	r.prof.hold(Claim{cutText(e.Connection, MaxNameBytes), s.name, e.At, e.ID})
	return ConflictOutranked
}

// hold keeps the newest claim of each connection. When too many connections
// claim, the oldest claim goes.
func (prof *Profile) hold(c Claim) {
	i, ok := slices.BinarySearchFunc(prof.claims, c.Connection, func(have Claim, connection string) int {
		return strings.Compare(have.Connection, connection)
	})
	if ok {
		prof.claims[i] = c
		return
	}
	prof.claims = slices.Insert(prof.claims, i, c)
	if len(prof.claims) > MaxClaims {
		oldest := 0
		for i := range prof.claims {
			if prof.claims[i].before(&prof.claims[oldest]) {
				oldest = i
			}
		}
		prof.claims = slices.Delete(prof.claims, oldest, oldest+1)
	}
}

// before orders claims as Event.Before orders events.
func (c *Claim) before(o *Claim) bool {
	if c.At != o.At {
		return c.At < o.At
	}
	return string(c.Event[:]) < string(o.Event[:])
}
