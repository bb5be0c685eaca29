package lifecycle

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAClaimIsOutrankedLater: a claim that had its way is noted when a claim that
// comes first, or a pin, takes its place while it still counts.
func TestAClaimIsOutrankedLater(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: claims
stages: [ { name: Lead }, { name: Trial, when: 'seen("Trial:Started")' }, { name: Customer, when: 'seen("Order:Completed")' } ]
claims: { erp: { mode: hold, for: 5d }, crm: { mode: hold, for: 10d } }
back: [ { from: Customer, to: Lead, policy: forbid } ]
`)
	crm := claimBy(2, start+day, "crm", "Trial")
	for name, c := range map[string]struct {
		events []Event
		want   []string
	}{
		"by a connection that comes first": {[]Event{crm, claimBy(3, start+2*day, "erp", "Customer")}, []string{"crm Trial outranked: Customer claim by erp"}},
		"by a pin":                         {[]Event{crm, PinEvent(number(3), start+2*day, "Lead", "asked for", 0)}, []string{"crm Trial pinned: Lead pin: asked for"}},
		"once":                             {[]Event{crm, PinEvent(number(3), start+2*day, "Lead", "a", 0), UnpinEvent(number(4), start+3*day, ""), PinEvent(number(5), start+4*day, "Lead", "b", 0)}, []string{"crm Trial pinned: Lead pin: a"}},
		"by nothing that says the same":    {[]Event{crm, claimBy(3, start+2*day, "erp", "Trial"), PinEvent(number(4), start+3*day, "Trial", "", 0)}, nil},
		"not by its own connection":        {[]Event{crm, claimBy(3, start+2*day, "crm", "Customer")}, nil},
		"not once it is over":              {[]Event{crm, claimBy(3, start+11*day, "erp", "Customer")}, nil},
		"not by what a policy keeps back": {
			[]Event{claimBy(2, start+day, "crm", "Customer"), claimBy(3, start+2*day, "erp", "Lead")}, []string{"erp Lead back: Customer kept"},
		},
		"in the order of the claims": {
			[]Event{crm, claimBy(3, start+2*day, "web", "Customer"), claimBy(4, start+3*day, "erp", "Lead")},
			[]string{"crm Trial outranked: Lead claim by erp", "web Customer ignored: Trial claim by crm"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prof, _ := p.Derive(1, append([]Event{event(1, start, "Page:Viewed")}, c.events...), start+20*day)
			var got []string
			for c := range prof.Conflicts() {
				got = append(got, fmt.Sprintf("%s %s %s: %s %s", c.Connection, c.Stage, c.Reason, c.Won, c.By))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOutrankedClaimsAreBounded: somebody two tools argue about for ever keeps
// the newest conflicts, in order.
func TestOutrankedClaimsAreBounded(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, "name: x\nstages: [ { name: A }, { name: B, when: 'seen(\"Order:Completed\")' } ]\nclaims: { erp: { mode: hold, for: 1h }, crm: { mode: hold, for: 3d } }\n")
	var events []Event
	for i := range 40 {
		events = append(events, claimBy(2*i, start+Instant(i)*day, "crm", "B"), claimBy(2*i+1, start+Instant(i)*day+1, "erp", "A"))
	}
	prof, _ := p.Derive(1, events, start+90*day)
	n, last := 0, Instant(0)
	for c := range prof.Conflicts() {
		if n++; c.At <= last || c.Connection != "crm" {
			t.Errorf("%+v after %d", c, last)
		}
		last = c.At
	}
	if n != MaxConflicts {
		t.Errorf("%d conflicts, want %d", n, MaxConflicts)
	}
}
