package lint

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const scoredPlan = `name: x
scores:
  lead_score:
    events: { "Demo:Requested": 40, "Demo:Requestd": 1 }
stages: [ { name: Visit }, { name: Lead, when: traits.lead_score >= 20 } ]
`

// What gives points is read, and a rule that writes the score's own trait is a
// mistake.
func TestScores(t *testing.T) {
	t.Parallel()
	var got []string
	for _, f := range Plan("plan.yaml", []byte(scoredPlan), parsed(t, scoredPlan), Facts{EmittedKnown: true, Emitted: []Emitted{
		{Connection: "crm", Rule: "contact", File: "rules/crm.yaml", Line: 8, Event: "Demo:Requested", Traits: []string{"city", "lead_score"}},
	}}) {
		got = append(got, f.Code+" "+f.String())
	}
	want := []string{
		`near_duplicate plan.yaml:4:5: warning: near_duplicate: "Demo:Requestd" is nearly the same as "Demo:Requested"; use one name for one thing`,
		`never_sent plan.yaml:4:5: warning: never_sent: "Demo:Requestd" gives points, and no rule sends it; write a rule that does, or take it out of the score`,
		`not_past plan.yaml:4:5: warning: not_past: "Demo:Requestd" does not end with what happened: "Requestd" is no past participle; write Demo:Requestded`,
		`undescribed plan.yaml:4:5: warning: undescribed: "Demo:Requestd" gives points, and nothing describes it; did you mean Demo:Requested?`,
		`score_written rules/crm.yaml:8:1: warning: score_written: crm: rule "contact": the trait "lead_score" is a score of the plan, so what this rule writes is passed over; give the score or the trait another name, such as crm_lead_score`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
