package lifecycle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spell writes a clause on one line.
func spell(c Clause) string {
	if c.Op == "" {
		return c.Words
	}
	var parts []string
	for _, k := range c.Kids {
		parts = append(parts, spell(k))
	}
	return "(" + strings.Join(parts, " "+c.Op+" ") + ")"
}

func TestConditionsInWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`seen("A:B")`:                                       "“A:B” has happened",
		`!seen("A:B")`:                                      "“A:B” has never happened",
		`at_least("A:B", 3, "30d")`:                         "“A:B” happened at least 3 times within the last 30 days",
		`!at_least("A:B", 2, "1d")`:                         "“A:B” happened fewer than twice within the last 1 day",
		`within("A:B", "90m")`:                              "“A:B” happened within the last 90 minutes",
		`idle("A:B", "2h")`:                                 "“A:B” has happened, but not within the last 2 hours",
		`never("A:B", "2w")`:                                "the person has been known for 14 days without “A:B”",
		`!inactive("60d")`:                                  "the person did something within the last 60 days, or no activity is known",
		`sum("A:B", "EUR") >= 1000`:                         "the sum of “A:B” in EUR is at least 1000",
		`!(count("A:B") > 2)`:                               "the number of “A:B” is at most 2",
		`!(traits.score >= 50)`:                             "it is not so that the trait “score” is at least 50",
		`traits.plan == "pro"`:                              `the trait “plan” is "pro"`,
		`has_been("plan", "trial", "14d")`:                  `the trait “plan” has been "trial" for 14 days`,
		`stage in ["Visit", "Fan"]`:                         `the stage is one of "Visit", "Fan"`,
		`!was("Visit") && left("Fan", "30d")`:               "(the person has never been in the stage “Visit” and the person left the stage “Fan” within the last 30 days)",
		`!(seen("A:B") || in_stage_for("1d"))`:              "(“A:B” has never happened and the person has been in the present stage for less than 1 day)",
		`traits.vip && source != "crm"`:                     `(the trait “vip” is yes and the first source is not "crm")`,
		`seen("A:B") && (seen("C:D") || !seen("E:F"))`:      "(“A:B” has happened and (“C:D” has happened or “E:F” has never happened))",
		`!(stage == "Visit") || never("A:B", "1d") && true`: `(the stage is not "Visit" or (the person has been known for 1 day without “A:B” and always))`,
		`before(traits.ends, "3d") || !after(traits.ends)`:  "(it is earlier than 3 days before the date in the trait “ends” or it is not so that it is not earlier than the date in the trait “ends”)",
		`days_until(traits.ends) <= 3 && traits.x != nil`:   "(the number of days until the date in the trait “ends” is at most 3 and the trait “x” is not unknown)",
	} {
		p := mustPlan(t, "name: a\nstages:\n  - { name: Visit }\n  - { name: Fan, when: 'true' }\nsegments:\n  x: |\n    "+text+"\n")
		all := p.Conditions()
		if got := spell(all[len(all)-1].Clause); got != want {
			t.Errorf("%s\n got  %s\n want %s", text, got, want)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `name: a
stages:
  - { name: Visit }
  - { name: Gone, side: true, when: 'idle("B:C", "3d") && traits.x == 1', until: 'seen("A:B")' }
segments:
  s: 'count("A:B") > count("A:C")'
`)
	var got []ConditionInfo
	for _, c := range p.Conditions() {
		c.Clause = Clause{}
		got = append(got, c)
	}
	want := []ConditionInfo{
		{Stage: "Gone", Text: `idle("B:C", "3d") && traits.x == 1`, Events: []EventName{"B:C"}, Traits: []string{"x"}},
		{Stage: "Gone", Leaving: true, Text: `seen("A:B")`, Events: []EventName{"A:B"}},
		{Segment: "s", Text: `count("A:B") > count("A:C")`, Events: []EventName{"A:B", "A:C"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
