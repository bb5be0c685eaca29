package plans

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// everyPlan is what each plan must be made of; a side stage has a * before it.
var everyPlan = map[string]string{
	"classic": "Visit, Subscriber, Qualified Lead, Customer, Retained Customer, Advocate, *Churned",
	"journey": "Awareness, Acquisition, Onboarding, Engagement, Retention, Referral, Advocacy, *Dormant, *Reactivation",
	"funnel":  "Visitor, Prospect, Activated User, Customer, Active Customer, Loyal Customer, *Churned",
	"hubspot": "Subscriber, Lead, Marketing Qualified Lead, Sales Qualified Lead, Opportunity, Customer, Evangelist, *Other",
	"pirate":  "Acquisition, Activation, Retention, Referral, Revenue, Growth",
}

func TestEveryPlanIsComplete(t *testing.T) {
	t.Parallel()
	if got := Names(); len(got) != len(everyPlan) || got[0] != Default {
		t.Errorf("Names() = %v", got)
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, ok := Source(name)
			if !ok {
				t.Fatal("no source")
			}
			plan, err := lifecycle.ParsePlan(name+".yaml", src, Vocabulary())
			if err != nil {
				t.Fatal(err)
			}
			if plan.Name() != name || plan.Action(lifecycle.ViolationEvent, "crm") != lifecycle.Allow {
				t.Errorf("name %q, unplanned events %q", plan.Name(), plan.Action(lifecycle.ViolationEvent, "crm"))
			}
			var stages []string
			for _, s := range plan.Stages() {
				if s.Side {
					s.Name = "*" + s.Name
				}
				stages = append(stages, string(s.Name))
			}
			if got := strings.Join(stages, ", "); got != everyPlan[name] {
				t.Errorf("stages: %s\nwant:   %s", got, everyPlan[name])
			}
			var segments []lifecycle.Segment
			for _, s := range plan.Segments() {
				segments = append(segments, s.Name)
			}
			want := []lifecycle.Segment{"at_risk", "detractors", "dormant", "high_value", "new_customers", "promoters", "trialists", "unsubscribed"}
			if diff := cmp.Diff(want, segments); diff != "" {
				t.Errorf("segments (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCommonSegmentsAreAlike: but for at_risk, which names stages, a segment
// means the same under every plan.
func TestCommonSegmentsAreAlike(t *testing.T) {
	t.Parallel()
	want := make(map[lifecycle.Segment]string)
	for _, name := range Names() {
		for _, s := range MustParse(name).Segments() {
			if s.Name == "at_risk" {
				continue
			}
			if want[s.Name] == "" {
				want[s.Name] = s.When
			}
			if s.When != want[s.Name] {
				t.Errorf("%s: %s differs from the other plans:\n%s\n%s", name, s.Name, s.When, want[s.Name])
			}
		}
	}
}

func TestPlansReadTheVocabularyOnly(t *testing.T) {
	t.Parallel()
	v := Vocabulary()
	for _, name := range Names() {
		plan := MustParse(name)
		for _, event := range slices.Concat(plan.Reads(), plan.Revenue()) {
			if _, ok := v[event]; !ok {
				t.Errorf("%s reads %q, which is not in the vocabulary", name, event)
			}
		}
		for _, trait := range plan.ReadsTraits() {
			if trait != "lead_score" && trait != "clv" {
				t.Errorf("%s reads the trait %q", name, trait)
			}
		}
	}
}

func TestHubspotClaimsHold(t *testing.T) {
	t.Parallel()
	plan := MustParse("hubspot")
	claim := lifecycle.Event{ID: lifecycle.EventID{1}, Name: "Stage:Claimed", At: day(0), Connection: "hubspot-eu", Inbox: 1, Claim: "Opportunity"}
	won := lifecycle.Event{ID: lifecycle.EventID{2}, Name: "Deal:Won", At: day(3), Connection: "pipedrive", Inbox: 2}
	stray := lifecycle.Event{ID: lifecycle.EventID{3}, Name: "Stage:Claimed", At: day(4), Connection: "salesforce", Inbox: 3, Claim: "Evangelist"}
	for _, tt := range []struct {
		at   lifecycle.Instant
		want lifecycle.Stage
	}{{day(5), "Opportunity"}, {day(13), "Opportunity"}, {day(14), "Customer"}} {
		prof, _ := plan.Derive(1, []lifecycle.Event{claim, won, stray}, tt.at)
		if prof.Stage != tt.want {
			t.Errorf("on day %v: %q, want %q", tt.at.Time().Sub(day(0).Time()).Hours()/24, prof.Stage, tt.want)
		}
	}
}

func TestSourceOfNoPlan(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "events", "Classic", "../plans/classic", "classic.yaml"} {
		if src, ok := Source(name); ok || src != nil {
			t.Errorf("Source(%q) = %d bytes, %v", name, len(src), ok)
		}
	}
}

func TestSourceIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	src, _ := Source("classic")
	clear(src)
	if again, _ := Source("classic"); again[0] == 0 {
		t.Error("changing a source changed the plan")
	}
	names := Names()
	names[0] = "other"
	if Names()[0] != Default {
		t.Error("changing the names changed the list")
	}
}
