package lifecycle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

const scoredPlan = `
name: scored
stages:
  - { name: Visit }
  - { name: Customer, when: seen("Order:Completed") }
segments:
  valuable: traits.clv >= 100
  quiet: inactive("30d")
unplanned: allow
`

// A score moves people into segments and is no act of theirs; whatever the
// order of arrival, the newest one holds.
func TestScoresInAnyOrder(t *testing.T) {
	t.Parallel()
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte(scoredPlan), lifecycle.Vocabulary{"Order:Completed": {Activity: true}})
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) lifecycle.Instant { return lifecycle.At(time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC)) }
	score := func(n int, value any) lifecycle.Event {
		return lifecycle.ScoreEvent(lifecycle.EventID{byte(n)}, day(n), []lifecycle.Trait{{Name: "clv", Value: value}})
	}
	events := []lifecycle.Event{
		{ID: lifecycle.EventID{200}, Name: "Order:Completed", At: day(0), Connection: "shop"},
		score(10, 250.0), score(20, 90.0), score(50, 120.0), score(60, nil),
	}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, len(events)).Draw(r, "events")
		prof, _ := plan.Derive(1, rapid.Permutation(events[:n]).Draw(r, "order"), day(70))
		want := []any{nil, 250.0, 90.0, 120.0, nil}[n-1]
		if got := prof.Trait("clv"); got != want {
			t.Fatalf("clv %v after %d events, want %v", got, n, want)
		}
		if in := prof.In("valuable"); in != (n == 2 || n == 4) {
			t.Fatalf("valuable is %v after %d events", in, n)
		}
		if !prof.In("quiet") || prof.Events != 1 || prof.LastSeen != day(0) {
			t.Fatalf("a score counts as an act: %d events, last seen %v", prof.Events, prof.LastSeen.Time())
		}
	})
}
