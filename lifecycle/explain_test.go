package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplainPathStage(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	score := event(3, start+2*day, "Contact:Updated")
	score.Traits = []Trait{{Name: "lead_score", Value: int64(30)}}
	prof, _ := p.Derive(1, []Event{event(1, start, "Page:Viewed"), event(2, start+day, "Newsletter:Subscribed"), score}, start+3*day)
	before := encoded(t, prof)
	x := p.Explain(prof, start+3*day)
	if encoded(t, prof) != before {
		t.Error("explaining changed the profile")
	}
	if x.Stage != "Subscriber" || x.Via != ViaPath || x.Condition != `seen("Newsletter:Subscribed")` || x.Event != number(2) || x.Inbox != 2 {
		t.Errorf("explains %q via %q by %q, event %v", x.Stage, x.Via, x.Condition, x.Event)
	}
	want := &Reason{Holds: true, Text: `seen("Newsletter:Subscribed")`, Value: int64(1), Event: "Newsletter:Subscribed", At: start + day}
	if diff := cmp.Diff(want, x.Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	next := x.Next[0]
	wantUnmet := []Reason{
		{Text: `seen("Demo:Requested")`, Event: "Demo:Requested"},
		{Text: "traits.lead_score >= 50", Value: int64(30), At: start + 2*day, By: number(3)},
	}
	if diff := cmp.Diff(wantUnmet, next.Unmet); next.Stage != "Qualified Lead" || diff != "" {
		t.Errorf("%q lacks (-want +got):\n%s", next.Stage, diff)
	}
	churned := x.Next[len(x.Next)-1]
	if churned.Stage != "Churned" || churned.Blocked != "from" || churned.Due != start+61*day {
		t.Errorf("churned: %+v", churned)
	}
	if got := x.Next[2]; got.Stage != "Retained Customer" || got.Unmet[0].Value != int64(0) {
		t.Errorf("retained: %+v", got)
	}
}

func TestExplainSideStageAndSegments(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	prof, _ := p.Derive(1, []Event{event(1, start, "Order:Completed")}, start+day)
	x := p.Explain(prof, start+40*day)
	if got := x.Segments[0]; got.Name != "at_risk" || !got.In || got.Since != start+30*day || got.Why.Op != "and" || !got.Why.Kids[1].Holds {
		t.Errorf("at_risk after 40 days: %+v", got)
	}
	if prof.In("at_risk") {
		t.Error("explaining the future changed the profile")
	}
	x = p.Explain(prof, start+70*day)
	if x.Stage != "Churned" || x.Via != ViaSide || x.Since != start+60*day || x.Event != (EventID{}) || x.Path != "Customer" {
		t.Errorf("after 70 days: %+v", x)
	}
	if x.Why.At != start || x.Why.Text != `inactive("60d")` {
		t.Errorf("why: %+v", x.Why)
	}
	if got := x.Segments[0]; got.In || got.Since != 0 || got.Why.Kids[0].Value != "Churned" {
		t.Errorf("at_risk after 70 days: %+v", got)
	}
}

func TestExplainPinClaimAndPolicy(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan+"back: [ { policy: after 3d } ]\n")
	won := event(1, start, "Deal:Won")
	for name, c := range map[string]struct {
		event Event
		now   Instant
		want  Explanation
	}{
		"pin":   {PinEvent(number(2), start+day, "Fan", "why", start+9*day), start + 2*day, Explanation{Stage: "Fan", Via: ViaPin, Condition: "pin: why", Until: start + 9*day}},
		"claim": {claimBy(2, start+day, "crm", "Fan"), start + 2*day, Explanation{Stage: "Fan", Via: ViaClaim, Condition: "claim by crm", Until: start + 15*day}},
		"kept":  {claimBy(2, start+day, "crm", "Lead"), start + 2*day, Explanation{Stage: "Customer", Via: ViaKept, Condition: "kept by a back policy", Wanted: "Lead", Until: start + 4*day}},
	} {
		prof, _ := p.Derive(1, []Event{won, c.event}, c.now)
		x := p.Explain(prof, c.now)
		got := Explanation{Stage: x.Stage, Via: x.Via, Condition: x.Condition, Wanted: x.Wanted, Until: x.Until}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if (x.Pin != nil) != (name == "pin") || (x.Claim != nil) != (name == "claim") {
			t.Errorf("%s: pin %v, claim %v", name, x.Pin, x.Claim)
		}
		if x.NextCheck != prof.NextCheck || x.NextCheck == 0 {
			t.Errorf("%s: next check %d", name, x.NextCheck)
		}
	}
}
