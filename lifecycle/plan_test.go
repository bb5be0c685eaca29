package lifecycle

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

func TestPlanMistakesAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := ParsePlan("plan.yaml", []byte(`name: broken
stages:
  - { name: Visit, side: true }
  - { name: Customer, from: [Visit] }
  - { name: customer, when: 'seen("A:B") && sen("C:D")' }
  - { name: Empty, when: "" }
  - { name: Odd, when: true }
  - { name: Churned, side: true, from: [Custmer, Odd], when: 'inactive("60")' }
segments:
  at_risk: was("Nobody")
  At_Risk: 'seen("A:B")'
claims:
  crm: { mode: holds }
  "a*b": ignore
  other: { mode: advance, for: 3d }
back:
  - { from: Churned, policy: sometimes }
unplanned: perhaps
revenue: [A:B, A:B]
events:
  Stagebridge:Pinned: a decision
  A:B: { activity: often, properties: { x: colour } }
colour: red
`))
	var list document.Errors
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want document.Errors", err)
	}
	want := []string{
		"plan.yaml:3:26: stages[0].side: can't be true for the first stage",
		"plan.yaml:4:7: stages[1].when: is missing; only the first stage may lack a condition",
		"plan.yaml:4:29: stages[1].from: belongs to side stages",
		`plan.yaml:5:13: stages[2].name: is the name of two stages ("Customer" and "customer")`,
		"plan.yaml:5:45: stages[2].when: there is no function sen; did you mean seen?",
		"plan.yaml:6:26: stages[3].when: is empty, want an expression",
		"plan.yaml:7:24: stages[4].when: is a yes/no value, want an expression as a text",
		`plan.yaml:8:40: stages[5].from: names "Custmer", which is no stage of this plan; did you mean "Customer"?`,
		`plan.yaml:8:72: stages[5].when: "60" is not a duration`,
		`plan.yaml:10:16: segments.at_risk: there is no stage "Nobody" in this plan`,
		`plan.yaml:11:12: segments.At_Risk: is the name of two segments ("at_risk" and "At_Risk")`,
		`plan.yaml:13:16: claims.crm.mode: is "holds", want ignore, advance or hold`,
		"plan.yaml:14:10: claims.a*b: is not a connection's id; * may only stand at its end",
		"plan.yaml:15:32: claims.other.for: belongs to mode hold",
		`plan.yaml:17:13: back[0].from: names the side stage "Churned"`,
		`plan.yaml:17:30: back[0].policy: is "sometimes", want allow, forbid or after`,
		`plan.yaml:18:12: unplanned: is "perhaps", want allow, tag or quarantine`,
		`plan.yaml:19:10: revenue: names "A:B" twice`,
		"plan.yaml:21:23: events.Stagebridge:Pinned: is in the category Stagebridge:",
		"plan.yaml:22:20: events.A:B.activity: is a text, want true or false",
		`plan.yaml:22:44: events.A:B.properties.x: is "colour", want one of text, number`,
		"plan.yaml:23:1: colour: is not a field here",
	}
	for i := range max(len(list), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("unexpected: %v", list[i])
		case i >= len(list):
			t.Errorf("missing: %s", want[i])
		case !strings.HasPrefix(list[i].Error(), want[i]):
			t.Errorf("got  %v\nwant %s", list[i], want[i])
		}
	}
}

func TestPlanLimits(t *testing.T) {
	t.Parallel()
	var stages, segments, leaves strings.Builder
	for i := range MaxStages + 1 {
		fmt.Fprintf(&stages, "  - { name: S%d, when: 'true' }\n", i)
	}
	for i := range MaxSegments + 2 {
		fmt.Fprintf(&segments, "  g%d: 'true'\n", i)
	}
	for i := range 200 {
		fmt.Fprintf(&leaves, "  g%d: 'true%s'\n", i, strings.Repeat(" || true", 10))
	}
	first := "stages:\n  - { name: Visit }\n"
	for name, c := range map[string]struct{ text, want string }{
		"stages":    {"name: x\nstages:\n" + stages.String(), "one stage too many; the limit is 64"},
		"segments":  {"name: x\n" + first + "segments:\n" + segments.String(), "one segment too many; the limit is 256"},
		"leaves":    {"name: x\n" + first + "segments:\n" + leaves.String(), "over the limit of 2000"},
		"long name": {"name: " + strings.Repeat("x", 65) + "\n" + first, "the limit for a name is 64"},
		"comma":     {"name: x\n" + first + "segments:\n  'a,b': 'true'\n", "holds a comma"},
		"no stages": {"name: x\nstages: []\n", "has at least one stage"},
		"nothing":   {"", "name: is missing"},
	} {
		_, err := ParsePlan("plan.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to hold %q", name, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), c.want) > 1 {
			t.Errorf("%s: reported more than once: %v", name, err)
		}
	}
}

func TestPlanDescribesItself(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan).WithVersion(4)
	stages := p.Stages()
	if got := stages[5]; !got.Side || cmp.Diff([]Stage{"Customer", "Retained Customer"}, got.From) != "" {
		t.Errorf("Churned is %+v", got)
	}
	if p.Version() != 4 || p.Name() != "classic" || len(stages) != 6 || p.PathIndex("Churned") != -1 || p.PathIndex("Customer") != 3 {
		t.Errorf("version %d, name %q, %d stages", p.Version(), p.Name(), len(stages))
	}
	want := []EventName{"Demo:Requested", "Newsletter:Subscribed", "Order:Completed"}
	if diff := cmp.Diff(want, p.Reads()); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"lead_score"}, p.ReadsTraits()); diff != "" {
		t.Errorf("reads traits (-want +got):\n%s", diff)
	}
}

func TestNeedsDerive(t *testing.T) {
	t.Parallel()
	const base = "name: a\nstages:\n  - { name: Visit }\n  - { name: Customer, when: 'at_least(\"A:B\", 2, \"3d\")' }\n"
	old := mustPlan(t, base)
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"the same":        {base, false},
		"another name":    {strings.Replace(base, "name: a", "name: b", 1), false},
		"a description":   {base + "events: { \"A:B\": what it means }\n", false},
		"revenue":         {base + "revenue: [A:B]\n", false},
		"n raised":        {strings.Replace(base, "2,", "3,", 1), true},
		"a stage renamed": {strings.Replace(base, "Visit", "Visitor", 1), true},
		"a segment":       {base + "segments: { x: 'true' }\n", true},
		"activity":        {base + "events: { \"A:B\": { activity: true } }\n", true},
		"claims":          {base + "claims: { crm: hold }\n", true},
		"back":            {base + "back: [ { policy: forbid } ]\n", true},
	} {
		if got := mustPlan(t, c.text).NeedsDerive(old); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if !old.NeedsDerive(nil) {
		t.Error("a first plan needs no deriving")
	}
	if p := mustPlan(t, strings.Replace(base, "2,", "3,", 1)); p.Keep("A:B") != 3 || p.Keep("C:D") != 0 {
		t.Errorf("keeps %d and %d", p.Keep("A:B"), p.Keep("C:D"))
	}
}

func TestPlanOverridesTheVocabulary(t *testing.T) {
	t.Parallel()
	v := Vocabulary{
		"A:B": {Description: "it", Activity: true, Properties: map[string]PropertySpec{"x": {Type: TypeNumber}}},
		"C:D": {Description: "words"},
	}
	p, err := ParsePlan("p", []byte("name: a\nstages: [ { name: Visit } ]\nevents: { \"A:B\": { activity: false } }\n"), v)
	if err != nil {
		t.Fatal(err)
	}
	want := Vocabulary{"A:B": {Description: "it", Properties: v["A:B"].Properties}, "C:D": v["C:D"]}
	if diff := cmp.Diff(want, p.Events()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !v["A:B"].Activity {
		t.Error("the vocabulary itself was changed")
	}
}
