package jobs

import (
	"context"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// own gives a person's events without the addresses that are somebody else's.
// Only in a contested set can an event name a key that is not its person's.
func (f *effects) own(p *person, events []lifecycle.Event) []lifecycle.Event {
	if p.contested == 0 {
		return events
	}
	return f.cfg.Guards.OwnAddresses(events, p.keys)
}

// ownAddresses does the same for whoever derives people beside the effects.
type ownAddresses struct {
	guards *lifecycle.Guards
	keys   map[lifecycle.ProfileID][]string // of those in contested sets
}

// ownAddressesOf reads who of some people is in a contested set.
func ownAddressesOf(ctx context.Context, s *store.Store, guards *lifecycle.Guards, people []lifecycle.ProfileID) (ownAddresses, error) {
	keys, err := s.ContestedKeys(ctx, people)
	return ownAddresses{guards, keys}, err
}

// own gives the events of one of them as they count.
func (o ownAddresses) own(id lifecycle.ProfileID, events []lifecycle.Event) []lifecycle.Event {
	keys, contested := o.keys[id]
	if !contested {
		return events
	}
	return o.guards.OwnAddresses(events, parseKeys(keys))
}
