package lifecycle

import "testing"

// What brought a stage by time alone is counted from the moment that decided.
func TestExplanationClock(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `name: clocks
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Silent, side: true, when: 'idle("Email:Opened", "20d") && seen("Order:Completed")' }
  - { name: Dormant, side: true, when: 'inactive("60d")' }
`)
	ordered, opened := event(1, start, "Order:Completed"), event(2, start+day, "Email:Opened")
	for name, c := range map[string]struct {
		events []Event
		now    Instant
		stage  Stage
		from   Instant
		event  EventName
		ok     bool
	}{
		"by an event":        {[]Event{ordered}, start + day, "Customer", 0, "", false},
		"by what was named":  {[]Event{ordered, opened}, start + 30*day, "Silent", start + day, "Email:Opened", true},
		"by any activity":    {[]Event{ordered}, start + 70*day, "Dormant", start, "", true},
		"by nothing as yet":  {nil, start, "", 0, "", false},
		"by a decision only": {[]Event{ordered, PinEvent(number(9), start+day, "Customer", "", 0)}, start + 90*day, "Customer", 0, "", false},
	} {
		prof, _ := p.Derive(1, c.events, c.now)
		x := p.Explain(prof, c.now)
		from, event, ok := x.Clock()
		if x.Stage != c.stage || from != c.from || event != c.event || ok != c.ok {
			t.Errorf("%s: %s, from %d by %q (%v), want %s, %d, %q (%v)", name, x.Stage, from, event, ok, c.stage, c.from, c.event, c.ok)
		}
	}
}
