package jobs_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// planned gives an Admin and a Works that brings people to plans.
func (l *lab) planned() (*jobs.Admin, *jobs.Works) {
	w := jobs.NewWorks(l.store, nil, nil)
	w.Add(jobs.PublishKind(w, l.processor))
	return &jobs.Admin{Registry: l.registry, Works: w}, w
}

// finish does all long work there is.
func (l *lab) finish(w *jobs.Works) {
	l.t.Helper()
	if err := w.Run(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// TestRolloutIsWhatItsPreviewSaid: for random lives, plans and shares, each
// step of a rollout does what the dry run for that share said; events that come
// meanwhile are judged by each person's own plan; finishing leaves what
// publishing to everybody does, and withdrawing what was there before.
func TestRolloutIsWhatItsPreviewSaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 3))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.connect("few", connectors.PushConfig{Enabled: true, SegmentNames: []string{"a"}, Stages: map[string]string{"Buyer": "customer"}})
		admin, works := l.planned()
		story := randomStory(r, 180, false)
		l.tell("crm", story[:120]...)
		l.process()
		for round := range 4 {
			before, draft := l.snapshot(), randomPlan(r, round)
			share := int64(1 + r.IntN(6000))
			for step := range 2 {
				was := l.places()
				got, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{Share: share})
				if err != nil {
					t.Fatalf("%v\n%s", err, draft)
				}
				l.settlePushes()
				if step == 0 {
					v, err := admin.Plan(t.Context())
					if err == nil {
						_, _, err = admin.RollOutPlan(t.Context(), v.Version, store.Versioned{Source: draft}, share)
					}
					if err != nil {
						t.Fatal(err)
					}
				} else if _, err := admin.ShareRollout(t.Context(), share, "", ""); err != nil {
					t.Fatal(err)
				}
				l.finish(works)
				if diff := cmp.Diff(matrixOf(was, l.places()), flowsOf(got)); diff != "" {
					t.Errorf("round %d, step %d, share %d (-done +foretold):\n%s\n%s", round, step, share, diff, draft)
				}
				pushes := map[string]int64{}
				for _, p := range got.Pushes {
					pushes[p.Connection] = p.People
				}
				if diff := cmp.Diff(l.duePushes(), pushes); diff != "" {
					t.Errorf("round %d, step %d, share %d: pushes (-due +foretold):\n%s\n%s", round, step, share, diff, draft)
				}
				l.underTheirPlans()
				share += int64(r.IntN(4000))
			}
			if round%2 == 1 {
				if _, err := admin.WithdrawRollout(t.Context(), "", ""); err != nil {
					t.Fatal(err)
				}
				l.finish(works)
				if diff := cmp.Diff(before, l.snapshot()); diff != "" {
					t.Errorf("withdrawing does not restore (-before +after):\n%s", diff)
				}
				continue
			}
			l.tell("crm", story[120+round*15:][:30]...) // while both are in force
			l.process()
			l.underTheirPlans()
			if _, err := admin.ShareRollout(t.Context(), store.WholeShare, "", ""); err != nil {
				t.Fatal(err)
			}
			l.finish(works)
			finished := l.snapshot()
			l.publish(admin, draft)
			if diff := cmp.Diff(l.snapshot(), finished); diff != "" {
				t.Errorf("finished is not what publishing gives (-published +finished):\n%s", diff)
			}
		}
	})
}

// underTheirPlans: everybody is under the plan of their share, and stands where
// that one puts them.
func (l *lab) underTheirPlans() {
	l.t.Helper()
	if err := l.registry.Refresh(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	cfg := l.registry.Config()
	people, err := l.store.Scan(l.t.Context(), 0, 0, 10_000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, p := range people {
		have, err := lifecycle.DecodeProfile(p.Person.State)
		if err != nil {
			l.t.Fatal(err)
		}
		plan := cfg.PlanOf(p.Person.ID)
		want, _ := plan.Derive(p.Person.ID, p.Events, lifecycle.At(l.now))
		if have.PlanVersion != plan.Version() || have.Stage != want.Stage || !slices.Equal(have.Segments, want.Segments) {
			l.t.Errorf("person %d is under %d in %s %v, want %d, %s %v", p.Person.ID, have.PlanVersion, have.Stage, have.Segments, plan.Version(), want.Stage, want.Segments)
		}
	}
}

// TestPublishingIsCanceled: at whatever batch, everybody is back under the
// version before, as they were.
func TestPublishingIsCanceled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin, works := l.planned()
		l.tell("crm", randomStory(rand.New(rand.NewPCG(7, 7)), 80, false)...)
		l.process()
		v, err := admin.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := l.snapshot()
		_, one, err := admin.RollOutPlan(t.Context(), v.Version, store.Versioned{Source: "name: x\nstages:\n  - name: Everybody\n", Author: "ann"}, store.WholeShare)
		if err != nil || one.Kind != jobs.WorkPublish {
			t.Fatal(one, err)
		}
		// Half-way: those of one transaction are there, and then it is canceled.
		if err := l.registry.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.processor.DeriveNext(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if l.snapshot() == before {
			t.Fatal("nobody was brought to the new plan, so the test shows nothing")
		}
		if _, err := works.Cancel(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
		l.finish(works)
		if diff := cmp.Diff(before, l.snapshot()); diff != "" {
			t.Errorf("canceling does not restore (-before +after):\n%s", diff)
		}
		if now, err := admin.Plan(t.Context()); err != nil || now.Version != v.Version {
			t.Errorf("version %d is in force, want %d; %v", now.Version, v.Version, err)
		}
		if one, err = s.WorkByID(t.Context(), one.ID); err != nil || one.State != store.WorkCanceled {
			t.Errorf("%+v, %v", one, err)
		}
	})
}

// TestRolloutStandsInTheWay: one at a time, and what ends it.
func TestRolloutStandsInTheWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		admin, works := l.planned()
		plan := func(n int) store.Versioned {
			return store.Versioned{Source: fmt.Sprintf("name: p%d\nstages:\n  - name: S%d\n", n, n), Author: "ann", Note: "try"}
		}
		if _, err := admin.ShareRollout(t.Context(), 100, "", ""); !errors.Is(err, jobs.ErrNoRollout) {
			t.Errorf("widening nothing: %v", err)
		}
		first, err := admin.PublishPlan(t.Context(), 0, plan(1))
		if err != nil {
			t.Fatal(err)
		}
		var wrong *jobs.Invalid
		if _, _, err := admin.RollOutPlan(t.Context(), first, plan(2), 0); !errors.As(err, &wrong) {
			t.Errorf("to nobody: %v", err)
		}
		second, _, err := admin.RollOutPlan(t.Context(), first, plan(2), 500)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.PublishPlan(t.Context(), first, plan(3)); !errors.Is(err, store.ErrRollout) {
			t.Errorf("publishing meanwhile: %v", err)
		}
		if to, err := admin.Previous(t.Context()); err != nil || to != first {
			t.Errorf("one step back is %d, %v", to, err)
		}
		if version, err := admin.RollbackPlan(t.Context(), first, "ann"); err != nil || version != first {
			t.Errorf("rolling back withdraws: %d, %v", version, err)
		}
		if r, err := admin.Rollout(t.Context()); err != nil || r != nil {
			t.Errorf("%+v, %v", r, err)
		}
		third, err := admin.PublishPlan(t.Context(), first, plan(3))
		if err != nil || third != second+1 {
			t.Fatal(third, err)
		}
		if to, err := admin.Previous(t.Context()); err != nil || to != first {
			t.Errorf("one step back is %d, not what was withdrawn; %v", to, err)
		}
		l.finish(works)
		epochs, err := s.Assignment(t.Context())
		done, derr := s.DerivedEpoch(t.Context())
		if err != nil || derr != nil || done != epochs.Epoch {
			t.Errorf("epoch %d of %d, %v %v", done, epochs.Epoch, err, derr)
		}
	})
}

// TestInShare: shares are what they say, and a greater one holds the smaller.
func TestInShare(t *testing.T) {
	t.Parallel()
	counts := map[int64]int{}
	for id := range lifecycle.ProfileID(100_000) {
		held := false
		for _, share := range []int64{0, 1, 500, 2500, 9_999, store.WholeShare} {
			in := jobs.InShare(id, share)
			if held && !in {
				t.Fatalf("%d is in a smaller share than %d, and not in that", id, share)
			}
			held = in
			if in {
				counts[share]++
			}
		}
	}
	for share, near := range maps.All(map[int64]int{1: 10, 500: 5_000, 2_500: 25_000, 9_999: 99_990}) {
		if got := counts[share]; got < near*93/100-10 || got > near*107/100+10 {
			t.Errorf("%d of 100,000 in a share of %d, want about %d", got, share, near)
		}
	}
	if counts[0] != 0 || counts[store.WholeShare] != 100_000 {
		t.Errorf("nobody and everybody: %v", counts)
	}
}
