package lifecycle

// EventScored writes down what was computed about a person from everybody's
// history, such as what they are still worth. It is made here, like a decision,
// and is no fact about the person: it counts neither as seen nor as activity.
const EventScored EventName = ReservedCategory + "Scored"

// ScoreEvent gives a person traits that were computed. A trait with the value
// nil is removed: nothing can be said any more.
func ScoreEvent(id EventID, at Instant, traits []Trait) Event {
	return Event{ID: id, Name: EventScored, At: at, Traits: traits}
}
