package lifecycle

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNoWayBackThroughASideStage: a policy for moves back counts from the path
// stage that was held before a side stage, and lets side stages come and go.
func TestNoWayBackThroughASideStage(t *testing.T) {
	t.Parallel()
	const stages = `
name: detour
stages:
  - { name: Lead }
  - { name: Trial, when: 'seen("Trial:Started")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Churned, side: true, from: [Customer], when: 'inactive("10d")' }
claims: { crm: hold, desk: { mode: hold, for: 5d } }
`
	order, churned := event(1, start, "Order:Completed"), start+10*day
	for name, c := range map[string]struct {
		back   string
		events []Event
		stage  map[Instant]Stage
		why    []ConflictReason
	}{
		"forbidden, and the side stage stays": {
			"back: [ { from: Customer, to: Lead, policy: forbid } ]",
			[]Event{order, claimBy(2, start+12*day, "crm", "Lead")},
			map[Instant]Stage{churned: "Churned", start + 12*day: "Churned", start + 900*day: "Churned"},
			[]ConflictReason{ConflictBack},
		},
		"back to the path stage once the side stage is over": {
			"back: [ { from: Customer, to: Lead, policy: forbid } ]",
			[]Event{order, claimBy(2, start+12*day, "crm", "Lead"), event(3, start+13*day, "Order:Completed")},
			map[Instant]Stage{start + 12*day: "Churned", start + 13*day: "Customer", start + 23*day: "Churned"},
			[]ConflictReason{ConflictBack},
		},
		"a claim that is kept from having its way lets side stages come": {
			"back: [ { from: Customer, to: Lead, policy: forbid } ]",
			[]Event{order, claimBy(2, start+day, "crm", "Lead")},
			map[Instant]Stage{start + day: "Customer", churned - 1: "Customer", churned: "Churned"},
			[]ConflictReason{ConflictBack},
		},
		"held up": {
			"back: [ { from: Customer, policy: after 3d } ]",
			[]Event{order, claimBy(2, start+12*day, "crm", "Lead")},
			map[Instant]Stage{start + 12*day: "Churned", start + 15*day - 1: "Churned", start + 15*day: "Lead"},
			[]ConflictReason{ConflictBack},
		},
		"allowed by another rule": {
			"back: [ { from: Customer, to: Trial, policy: forbid } ]",
			[]Event{order, claimBy(2, start+12*day, "crm", "Lead")},
			map[Instant]Stage{start + 12*day: "Lead"},
			nil,
		},
		"a side stage that was claimed": {
			"back: [ { from: Customer, to: Lead, policy: forbid } ]",
			[]Event{order, claimBy(2, start+day, "crm", "Churned"), claimBy(3, start+2*day, "crm", "Lead")},
			map[Instant]Stage{start + day: "Churned", start + 2*day: "Customer"},
			[]ConflictReason{ConflictBack},
		},
		"the path stage itself came of a claim": {
			"back: [ { from: Customer, policy: forbid } ]",
			[]Event{event(1, start, "Page:Viewed"), claimBy(2, start+day, "desk", "Customer"), claimBy(3, start+2*day, "desk", "Churned")},
			map[Instant]Stage{start + day: "Customer", start + 2*day: "Churned", start + 7*day: "Customer"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlan(t, stages+c.back+"\n")
			var last *Profile
			for now, want := range c.stage {
				sofar := slices.DeleteFunc(slices.Clone(c.events), func(e Event) bool { return e.At > now })
				prof, _ := p.Derive(1, sofar, now)
				if prof.Stage != want {
					t.Errorf("day %.6f: got %q, want %q", float64(now-start)/float64(day), prof.Stage, want)
				}
				if last == nil || prof.LastSeen > last.LastSeen {
					last = prof
				}
			}
			if diff := cmp.Diff(c.why, conflicts(last)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}
