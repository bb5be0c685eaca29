package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// policyRules are the lab's, with raw events that claim a stage and that
// bring a date.
const policyRules = labRules + `
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", identity: { email: body.email }, stage: body.stage } }
  - { name: trial, type: trial, emit: { event: "Trial:Started", identity: { email: body.email }, traits: { trial_ends_at: body.ends } } }
`

// claiming puts policyRules in force for the connection crm.
func (l *lab) claiming(admin *jobs.Admin) {
	l.t.Helper()
	if _, err := admin.PublishRules(l.t.Context(), "crm", 0, store.Versioned{Source: policyRules}); err != nil {
		l.t.Fatal(err)
	}
}

// randomClaims tells of stages that a system claims and of trials that end,
// about the people of randomStory.
func randomClaims(r *rand.Rand, now time.Time, n int) []told {
	all := make([]told, n)
	for i := range all {
		at := now.Add(-time.Duration(r.IntN(40*24)) * time.Hour)
		email := fmt.Sprintf("p%d@example.com", r.IntN(8))
		if r.IntN(3) == 0 {
			ends := now.Add(time.Duration(r.IntN(60*24)-30*24) * time.Hour).Format([]string{time.DateOnly, time.RFC3339}[r.IntN(2)])
			all[i] = told{"trial", at, fmt.Sprintf(`{"email":%q,"ends":%q}`, email, ends)}
			continue
		}
		stage := []string{"Start", "Known", "Buyer", "Fan", "Silent", "Nowhere"}[r.IntN(6)]
		all[i] = told{"claim", at, fmt.Sprintf(`{"email":%q,"stage":%q}`, email, stage)}
	}
	return all
}

// dateConditions are on the trait that randomClaims brings.
func dateConditions() []string {
	return []string{
		`days_until(traits.trial_ends_at) <= 3`, `days_until(traits.trial_ends_at) in [7, 1, 0]`, `days_since(traits.trial_ends_at) >= 10`,
		`before(traits.trial_ends_at)`, `after(traits.trial_ends_at, "3d") && seen("Order:Completed")`, `before(traits.trial_ends_at, "10d")`,
	}
}

// randomPolicies draws what claims of crm are worth and which ways back are open,
// for a plan with these stages of the path.
func randomPolicies(r *rand.Rand, path []string) string {
	var b strings.Builder
	if claim := []string{"", "ignore", "advance", "hold", fmt.Sprintf("{ mode: hold, for: %dd }", 1+r.IntN(40))}[r.IntN(5)]; claim != "" {
		fmt.Fprintf(&b, "claims:\n  crm: %s\n", claim)
	}
	if r.IntN(2) == 0 {
		from := 1 + r.IntN(len(path)-1)
		policy := []string{"allow", "forbid", fmt.Sprintf("after %dd", 1+r.IntN(20))}[r.IntN(3)]
		fmt.Fprintf(&b, "back:\n  - { from: [%s], to: [%s], policy: %s }\n", strings.Join(path[from:], ", "), strings.Join(path[:from], ", "), policy)
	}
	return b.String()
}

// samplesMove holds everybody whom a preview names against what then became of
// them.
func samplesMove(t *testing.T, p *jobs.PlanPreview, was, is map[lifecycle.ProfileID]standing) {
	t.Helper()
	stage := func(of string, s standing) lifecycle.Stage {
		if of == "course" {
			return s.course
		}
		return s.stage
	}
	for _, f := range p.Flows {
		if len(f.Sample) == 0 || int64(len(f.Sample)) > f.People {
			t.Errorf("%d of %d people are a sample of %s to %s", len(f.Sample), f.People, f.From, f.To)
		}
		for _, id := range f.Sample {
			if from, to := stage(f.Lifecycle, was[id]), stage(f.Lifecycle, is[id]); from != f.From || to != f.To {
				t.Errorf("%d was to move from %q to %q in %q, and went from %q to %q", id, f.From, f.To, f.Lifecycle, from, to)
			}
		}
	}
	for _, s := range p.Segments {
		for _, side := range []struct {
			people   int64
			sample   []lifecycle.ProfileID
			out, in  map[lifecycle.ProfileID]standing
			movement string
		}{{s.Gained, s.GainedSample, was, is, "enter"}, {s.Lost, s.LostSample, is, was, "leave"}} {
			if (side.people == 0) != (len(side.sample) == 0) {
				t.Errorf("%d people %s %s, with %d samples", side.people, side.movement, s.Segment, len(side.sample))
			}
			for _, id := range side.sample {
				if slices.Contains(side.out[id].segments, s.Segment) || !slices.Contains(side.in[id].segments, s.Segment) {
					t.Errorf("%d was to %s %s: from %v to %v", id, side.movement, s.Segment, was[id].segments, is[id].segments)
				}
			}
		}
	}
}
