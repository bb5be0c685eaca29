package mapping

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const threeRules = `rules:
  - { name: one, type: "*", emit: { event: "A:Done", identity: { user: body.user }, properties: { x: body.x, y: body.y }, traits: { city: body.city } } }
  - { name: none, type: "*", each: body.none, emit: { event: "B:Done", identity: { user: body.user } } }
  - name: many
    type: t
    each: body.list
    emit:
      - { event: "C:Done", identity: { user: item } }
      - { event: "D:Done", identity: { user: item } }
  - { name: other, type: u, emit: { event: "E:Done", identity: { user: body.user } } }
`

// TestEventsKnowTheirRule: each event of a row is told with the rule that
// emitted it, also where several match and one of them emits nothing.
func TestEventsKnowTheirRule(t *testing.T) {
	t.Parallel()
	rs := compiled(t, threeRules, hubspot)
	out := rs.Apply(input("t", `{"user":"u1","list":["u2","u3"]}`))
	var got []string
	for i := range out.Events {
		got = append(got, string(out.Events[i].Name)+" "+out.Rule(i))
	}
	want := []string{"A:Done one", "C:Done many", "D:Done many", "C:Done many", "D:Done many"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out := rs.Apply(input("u", `{"user":"u1"}`)); out.Rule(0) != "one" || out.Rule(1) != "other" {
		t.Errorf("of one event each: %q, %q", out.Rule(0), out.Rule(1))
	}
	if rule := (&Output{}).Rule(0); rule != "" {
		t.Errorf("nothing was emitted by %q", rule)
	}
}

func TestEmits(t *testing.T) {
	t.Parallel()
	all := compiled(t, threeRules, hubspot).Emits()
	want := Emission{Rule: "one", Line: 2, Event: "A:Done", Properties: []string{"x", "y"}, Traits: []string{"city"}}
	if diff := cmp.Diff(want, all[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(all); n != 5 || !slices.IsSortedFunc(all, func(a, b Emission) int { return a.Line - b.Line }) {
		t.Errorf("%d emissions: %+v", n, all)
	}
}
