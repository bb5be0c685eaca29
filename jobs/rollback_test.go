package jobs_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestRollBackRestoresEverybody: going back to an earlier version gives every
// person the stages and segments that they had under it, whatever was published
// since, also while a further version is being rolled out to some of them; with
// events that came meanwhile it is what that version gives today.
func TestRollBackRestoresEverybody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 5))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin, works := l.planned()
		story := randomStory(r, 120, false)
		l.tell("crm", story[:90]...)
		l.process()
		publish := func(share int64) int64 {
			t.Helper()
			now, err := admin.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			version, _, err := admin.RollOutPlan(t.Context(), now.Version, store.Versioned{Source: randomPlan(r, int(share))}, share)
			if err != nil {
				t.Fatal(err)
			}
			return version
		}
		for round := range 3 {
			base := publish(store.WholeShare)
			l.finish(works)
			before := l.snapshot()
			publish(store.WholeShare)
			if round == 0 {
				l.finish(works) // else another comes before everybody is there
			}
			next := publish(1 + int64(r.IntN(9_000)))
			if round < 2 {
				l.finish(works)
			}
			if round == 2 {
				l.tell("crm", story[90:]...)
				l.process()
			}
			version, one, err := admin.RollBack(t.Context(), base, "ann", "numbers fell")
			if err != nil || version != next+1 || one.Kind != jobs.WorkPublish || one.Reason != "numbers fell" {
				t.Fatalf("version %d after %d, work %+v, %v", version, next, one, err)
			}
			if out, err := admin.Rollout(t.Context()); err != nil || out != nil {
				t.Fatalf("still rolled out: %+v, %v", out, err)
			}
			l.finish(works)
			l.underTheirPlans()
			if diff := cmp.Diff(before, l.snapshot()); round < 2 && diff != "" {
				t.Errorf("round %d: going back does not restore (-before +after):\n%s", round, diff)
			}
			kept, err := s.PlanVersion(t.Context(), version)
			if err != nil || kept.Author != "ann" || kept.Note != "numbers fell" {
				t.Errorf("version %d is kept by %q for %q, %v", version, kept.Author, kept.Note, err)
			}
		}
	})
}

// TestRollBackIsOfWhatWasSeen: a change of the plan by somebody else stands,
// and a version that there is not withdraws nothing.
func TestRollBackIsOfWhatWasSeen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		admin, _ := l.planned()
		first, err := admin.PublishPlan(t.Context(), 0, store.Versioned{Source: "name: a\nstages:\n  - name: A\n"})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := s.Assignment(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := admin.RollOutPlan(t.Context(), first, store.Versioned{Source: "name: b\nstages:\n  - name: B\n"}, 100); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RollBackPlan(t.Context(), seen.Epoch, store.Versioned{Source: "name: c"}); !errors.Is(err, store.ErrStale) {
			t.Errorf("a rollout that was not seen is withdrawn: %v", err)
		}
		if _, _, err := admin.RollBack(t.Context(), 99, "ann", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("back to no version: %v", err)
		}
		if out, err := admin.Rollout(t.Context()); err != nil || out == nil || out.Share != 100 {
			t.Errorf("the rollout is %+v, %v", out, err)
		}
	})
}
