package summary

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Under a plan with a lead score, events carry it as it was after them, and not
// what somebody told under its name.
func TestEventsCarryTheLeadScoreOfThePlan(t *testing.T) {
	t.Parallel()
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte(`
name: x
scores:
  lead_score:
    half_life: 10d
    events: { "Demo:Requested": 40, "Email:Opened": 5 }
stages: [ { name: Visit }, { name: Lead, when: traits.lead_score >= 44 } ]
accounts: { by: ["trait:team"], stages: [ { name: Known } ] }
`))
	if err != nil {
		t.Fatal(err)
	}
	const day = lifecycle.Instant(24 * 3600 * 1_000_000)
	told := []lifecycle.Trait{{Name: LeadScore, Value: int64(99)}, {Name: "team", Value: "red"}}
	events := []lifecycle.Event{
		{ID: lifecycle.EventID{1}, Name: "Demo:Requested", At: testNow - 30*day, Inbox: 1, Connection: "web", Properties: map[string]any{"form": "demo"}},
		{ID: lifecycle.EventID{2}, Name: "Page:Viewed", At: testNow - 30*day, Inbox: 2, Connection: "web", Traits: told},
		lifecycle.PinEvent(lifecycle.EventID{3}, testNow-25*day, "Lead", "", 0),
		{ID: lifecycle.EventID{4}, Name: "Email:Opened", At: testNow - 20*day, Inbox: 3, Connection: "mail"},
	}
	prof, _ := plan.Derive(1, events, testNow)
	state, err := prof.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewMaker(func(lifecycle.ProfileID) *lifecycle.Plan { return plan }).Of(&store.Whole{Person: &store.Person{ID: 1, State: state}, Events: events}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]Property
	for _, e := range p.Events {
		got = append(got, e.Properties)
	}
	want := [][]Property{{{"form", "demo"}, {LeadScore, "40"}}, {}, {{LeadScore, "25"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Account != "trait:team:red" {
		t.Errorf("the account is %q", p.Account)
	}
	if p.Trait(LeadScore) != "6" { // 25 fade to a quarter, 6.25
		t.Errorf("the trait is %q", p.Trait(LeadScore))
	}
}
