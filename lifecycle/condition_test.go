package lifecycle

import (
	"fmt"
	"strings"
	"testing"
)

// conditionPlan has one segment "yes" with the condition under test.
func conditionPlan(t testing.TB, condition string) *Plan {
	t.Helper()
	return mustPlan(t, fmt.Sprintf(`
name: test
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Dormant, side: true, when: 'idle("Product:Used", "10d")' }
segments:
  yes: |
    %s
`, condition))
}

func TestConditionsFlipAtTheirInstant(t *testing.T) {
	t.Parallel()
	order := func(n int, at Instant) Event {
		e := event(n, at, "Order:Completed")
		e.Value = &Money{Micros: 500_250_000, Currency: "EUR"}
		return e
	}
	trait := func(n int, at Instant, name string, v any) Event {
		e := event(n, at, "Contact:Updated")
		e.Traits = []Trait{{Name: name, Value: v}}
		return e
	}
	twice := []Event{order(1, start), order(2, start+2*day)}
	for _, c := range []struct {
		condition string
		events    []Event
		from, to  Instant // true in [from, to); to zero: for ever; from = to: never
	}{
		{`seen("Order:Completed")`, twice, start, 0},
		{`count("Order:Completed") >= 2`, twice, start + 2*day, 0},
		{`count("Order:Completed") < 2`, twice, start, start + 2*day},
		{`within("Order:Completed", "5d")`, twice, start, start + 7*day},
		{`idle("Order:Completed", "5d")`, twice, start + 7*day, 0},
		{`idle("Nothing:Done", "5d")`, twice, start, start},
		{`never("Nothing:Done", "14d")`, twice, start + 14*day, 0},
		{`never("Order:Completed", "1s")`, twice, start, start},
		{`inactive("3d")`, twice, start + 5*day, 0},
		{`inactive("3d")`, []Event{event(1, start, "Email:Opened")}, start, start},
		{`at_least("Order:Completed", 2, "5d")`, twice, start + 2*day, start + 5*day},
		{`at_least("Order:Completed", 2, "1d")`, twice, start, start},
		{`sum("Order:Completed", "EUR") >= 1000.5`, twice, start + 2*day, 0},
		{`sum("Order:Completed", "EUR") > 1000.5`, twice, start, start},
		{`sum("Order:Completed", "USD") == 0`, twice, start, 0},
		{`traits.lead_score >= 50`, []Event{event(1, start, "Page:Viewed"), trait(2, start+day, "lead_score", "50")}, start + day, 0},
		{`traits.lead_score >= 50`, []Event{trait(1, start, "lead_score", nil)}, start, start},
		{`!(traits.lead_score >= 50)`, []Event{trait(1, start, "lead_score", []any{int64(60)})}, start, 0},
		{`traits.score == nil`, []Event{event(1, start, "Page:Viewed"), trait(2, start+day, "score", "x")}, start, start + day},
		{`traits.vip`, []Event{trait(1, start, "vip", true)}, start, 0},
		{`traits.vip`, []Event{trait(1, start, "vip", "true")}, start, start},
		{`traits.address.country in ["DE", "AT"]`, []Event{trait(1, start, "address", map[string]any{"country": "AT"})}, start, 0},
		{`traits["lead score"] not in [1, 2]`, []Event{trait(1, start, "lead score", "2")}, start, start},
		{`50 <= traits.a`, []Event{trait(1, start, "a", 50.5)}, start, 0},
		{`has_been("plan", "trial", "14d")`, []Event{trait(1, start, "plan", "trial"), trait(2, start+9*day, "plan", "trial")}, start + 14*day, 0},
		{`has_been("plan", "trial", "14d")`, []Event{trait(1, start, "plan", "trial"), trait(2, start+9*day, "plan", "paid")}, start, start},
		{`stage == "Customer"`, []Event{event(1, start, "Page:Viewed"), order(2, start+day)}, start + day, 0},
		{`stage in ["Customer", "Dormant"] && source == "site"`, []Event{event(1, start, "Page:Viewed"), order(2, start+day)}, start + day, 0},
		{`in_stage_for("30d")`, []Event{event(1, start, "Page:Viewed"), order(2, start+day)}, start + 31*day, 0},
		{`was("Visit") and stage != "Visit"`, []Event{event(1, start, "Page:Viewed"), order(2, start+day)}, start + day, 0},
		{`left("Visit", "3d")`, []Event{event(1, start, "Page:Viewed"), order(2, start+day)}, start + day, start + 4*day},
		{`left("Dormant", "3d")`, []Event{event(1, start, "Product:Used"), event(2, start+20*day, "Product:Used")}, start + 20*day, start + 23*day},
		{`was("Dormant")`, []Event{event(1, start, "Product:Used")}, start + 10*day, 0},
		{`true`, twice, start, 0},
		{`within("Order:Completed", "5d") && idle("Order:Completed", "3d")`, twice, start + 5*day, start + 7*day},
	} {
		t.Run(c.condition, func(t *testing.T) {
			t.Parallel()
			p := conditionPlan(t, c.condition)
			inAt := func(at Instant) bool {
				var told []Event
				for _, e := range c.events {
					if e.At <= at {
						told = append(told, e)
					}
				}
				prof, _ := p.Derive(1, told, at)
				return prof.In("yes")
			}
			never := c.from == c.to
			for _, at := range []Instant{start, c.from - 1, c.from, c.from + 1, c.to - 1, c.to, c.to + 1, start + 400*day} {
				if at < start {
					continue
				}
				want := !never && at >= c.from && (c.to == 0 || at < c.to)
				if got := inAt(at); got != want {
					t.Errorf("%d µs after the start: got %v, want %v", at-start, got, want)
				}
			}
		})
	}
}

func TestConditionMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ condition, want string }{
		{`sen("A:B")`, `:10:5: segments.yes: there is no function sen; did you mean seen?`},
		{`seen(5)`, `:10:10: segments.yes: wants an event's name as a text here`},
		{`seen("A:B", "30d")`, `seen takes 1 arguments`},
		{`count("A:B")`, `count(…) is a number; compare it`},
		{`seen("A:B") == true`, `:10:5: segments.yes: seen(…) is a yes/no function and can't be compared`},
		{`within("A:B", "30")`, `:10:19: segments.yes: "30" is not a duration`},
		{`within("A:B", "0d")`, `out of range`},
		{`within("A:B", "99999999d")`, `out of range`},
		{`at_least("A:B", 0, "1d")`, `wants a whole number from 1 to 1000 here`},
		{`at_least("A:B", 1001, "1d")`, `wants a whole number from 1 to 1000 here`},
		{`was("Custmer")`, `there is no stage "Custmer" in this plan; did you mean "Customer"?`},
		{`stage == "Nobody"`, `there is no stage "Nobody" in this plan`},
		{`stage > "Visit"`, `stage can be compared with == and != only`},
		{`sum("A:B", "euro") > 1`, `wants a currency of three capital letters here`},
		{`traits.a + 1 > 2`, `the operator + can't be compared`},
		{`traits.a matches "x"`, `the operator matches is not part of a condition`},
		{`now() > 1`, `can't be compared`},
		{`len("x") > 1`, `this function can't be compared`},
		{`!traits.a == 1`, `binds tighter than the comparison`},
		{`1 == 1`, `compares two constants`},
		{`lead_score >= 50`, `a trait is written traits.lead_score`},
		{`stage`, `compare it, as in stage == "name"`},
		{`let x = 1; x == 1`, `let is not part of a condition`},
		{`seen("A:B") ? true : false`, `if and ?: is not part of a condition`},
		{`traits?.a == 1`, `?. (write . instead`},
		{`traits.a in traits.b`, `in wants a list of constants`},
		{`filter([1], # > 0) == 1`, `can't be compared`},
		{`seen("A:B") &&`, `unexpected token EOF`},
		{`seen("A:B"`, `unexpected token EOF`},
		{`(((`, `unexpected token EOF`},
		{`[1..1000000000] == 1`, `can't be compared`},
		{strings.Repeat("!", 4001) + "true", `the limit is 4000`},
	} {
		t.Run(c.condition[:min(len(c.condition), 40)], func(t *testing.T) {
			t.Parallel()
			_, err := ParsePlan("plan.yaml", []byte("name: t\nstages:\n  - { name: Visit }\n  - name: Customer\n    when: seen(\"A:B\")\n\n\nsegments:\n  yes: |\n    "+c.condition+"\n"))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to hold %q", err, c.want)
			}
		})
	}
}

// A leaf's text is a condition that means the same, so that an explanation can
// be copied into a plan.
func TestLeafTextsParseToThemselves(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`seen("A:B")`, `at_least("A:B", 3, "30d")`, `within("A:B", "12h")`, `idle("A:B", "90m")`, `never("A:B", "61s")`,
		`inactive("2d")`, `has_been("plan", "trial", "14d")`, `was("Visit")`, `left("Visit", "1d")`, `in_stage_for("1d")`,
		`traits.a.b >= 50`, `count("A:B") == 2`, `sum("A:B", "EUR") < 1.5`, `stage != "Visit"`, `source == "x"`,
		`traits.a in [1, "b", true, nil]`, `traits.vip`, `true`,
	} {
		c := conditionParser{stages: []string{"Visit"}}
		x, wrong := c.parse(text)
		if wrong != nil {
			t.Errorf("%s: %v", text, wrong)
			continue
		}
		if got := x.leaf.text(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}
