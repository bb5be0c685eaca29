package lifecycle

// Public cuts the keys of an event whose sender nobody proved (a key that
// browsers know) down to what cannot join two people that are known: the anchor
// and the devices. A page may say which browser a person uses; it may not say
// that two people are one. The rule looks at this event alone, so the order in
// which events arrive changes nothing.
func (g Guards) Public(keys []Key) []Key {
	usable := g.Usable(keys)
	var kept []Key
	for i, k := range usable {
		if i == 0 || g.class(k) == deviceKey {
			kept = append(kept, k)
		}
	}
	return kept
}
