package lifecycle

import "strings"

// Decisions about who is who.
const (
	// EventSplit parts a person's keys: those of Identity are one person's,
	// those of the property apart another's.
	EventSplit EventName = ReservedCategory + "Split"
	// EventJoined says that the keys of Identity are one person's.
	EventJoined EventName = ReservedCategory + "Joined"
)

// EventMerged is what connections emit when their vendor made one record of
// several: its ids are one person's by the word of who keeps them.
const EventMerged EventName = "Identity:Merged"

// SplitEvent is the decision that keep and apart are not one person's.
func SplitEvent(id EventID, at Instant, keep, apart []Key, reason string) Event {
	list := make([]any, len(apart))
	for i, k := range apart {
		list[i] = k.String()
	}
	e := Event{ID: id, Name: EventSplit, At: at, Identity: keep, Properties: map[string]any{"apart": list}}
	if reason != "" {
		e.Properties["reason"] = reason
	}
	return e
}

// JoinEvent is the decision that the keys are one person's.
func JoinEvent(id EventID, at Instant, keys []Key, reason string) Event {
	e := Event{ID: id, Name: EventJoined, At: at, Identity: keys}
	if reason != "" {
		e.Properties = map[string]any{"reason": reason}
	}
	return e
}

// Edge is what the event says about who is who: its keys, and for a decision
// what was decided. The keys are a copy, as SortKeys gives them.
func (e *Event) Edge() Edge {
	edge := Edge{At: e.At, ID: e.ID, Keys: SortKeys(append([]Key(nil), e.Identity...))}
	if !e.IsDecision() {
		edge.Merger = e.Name == EventMerged
		return edge
	}
	switch e.Name {
	case EventJoined:
		edge.Decision = DecidedMerge
	case EventSplit:
		edge.Decision = DecidedSplit
		list, _ := e.Properties["apart"].([]any)
		for _, x := range list {
			text, _ := x.(string)
			if namespace, value, ok := strings.Cut(text, ":"); ok {
				edge.Apart = append(edge.Apart, Key{namespace, value})
			}
		}
		edge.Apart = SortKeys(edge.Apart)
	}
	return edge
}

// DecidesIdentity reports whether the event is a decision about who is who.
func (e *Event) DecidesIdentity() bool {
	return e.IsDecision() && (e.Name == EventSplit || e.Name == EventJoined)
}
