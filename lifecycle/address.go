package lifecycle

import "slices"

// OwnAddresses gives a person's events as they may be counted: of the addresses
// among their keys only those that are the person's, keys as they stand, since
// an event may name somebody else beside whom it is about, and the trait email is
// whom vendors write to. Addresses that the guards let identify nobody are nobody
// else's and stay. It need not be asked where nothing was kept apart: then every
// key of an event is its person's. The argument is left alone, and is itself the
// answer where nothing had to change.
func (g Guards) OwnAddresses(events []Event, keys []Key) []Event {
	out := events
	for i := range events {
		foreign := func(k Key) bool {
			return k.Namespace == NamespaceEmail && !slices.Contains(keys, k) && !g.blocked(k)
		}
		if !slices.ContainsFunc(events[i].Identity, foreign) {
			continue
		}
		if &out[0] == &events[0] {
			out = slices.Clone(events)
		}
		out[i].Identity = slices.DeleteFunc(slices.Clone(events[i].Identity), foreign)
	}
	return out
}
