package jobs_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestPreviewIsWhatPublishingDoes: for random lives and random edits of the
// plan, with claims, policies for moving back and dates among them, the preview's
// matrix, segments, samples and pushes are exactly what publishing then does, and
// rolling back restores everybody.
func TestPreviewIsWhatPublishingDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 2))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.connect("few", connectors.PushConfig{Enabled: true, Traits: map[string]string{"Heat": "heat", "Orders": "orders"}, SegmentNames: []string{"a"}, Stages: map[string]string{"Buyer": "customer"},
			Lifecycles: map[string]connectors.LifecyclePush{"course": {Stages: map[string]string{"Open": "1", "Known": "2"}}}})
		admin := &jobs.Admin{Registry: l.registry}
		l.claiming(admin)
		l.tell("crm", append(randomStory(r, 130, false), randomClaims(r, l.now, 40)...)...)
		l.process()
		for round := range 6 {
			was, now := l.places(), planOf(t, admin)
			before := l.snapshot()
			draft := randomPlan(r, round)
			got, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{})
			if err != nil {
				t.Fatalf("%v\n%s", err, draft)
			}
			if !got.Whole || got.People != int64(len(was)) {
				t.Errorf("looked at %d of %d, whole %v", got.People, len(was), got.Whole)
			}
			l.settlePushes()
			l.publish(admin, draft)
			is := l.places()
			if diff := cmp.Diff(matrixOf(was, is), flowsOf(got)); diff != "" {
				t.Errorf("publishing did otherwise (-done +foretold):\n%s\n%s", diff, draft)
			}
			samplesMove(t, got, was, is)
			pushes := map[string]int64{}
			for _, p := range got.Pushes {
				pushes[p.Connection] = p.People
			}
			if diff := cmp.Diff(l.duePushes(), pushes); diff != "" {
				t.Errorf("pushes (-due +foretold):\n%s\n%s", diff, draft)
			}
			if round%2 == 0 {
				l.settlePushes()
				l.publish(admin, now)
				if diff := cmp.Diff(before, l.snapshot()); diff != "" {
					t.Errorf("rolling back does not restore (-before +after):\n%s", diff)
				}
			}
		}
	})
}

// TestPreviewRefusesAndWritesNothing: a plan with mistakes is told so, and a
// preview leaves everything as it was.
func TestPreviewRefusesAndWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin := &jobs.Admin{Registry: l.registry}
		backlog(l, 40, 10)
		l.process()
		before, version := l.snapshot(), l.registry.Config().Version
		var wrong *jobs.Invalid
		if _, err := admin.PreviewPlan(t.Context(), []byte("name: x\nstages: []\n"), jobs.PreviewOptions{}); !errors.As(err, &wrong) {
			t.Errorf("a plan without stages: %v", err)
		}
		told := int64(0)
		got, err := admin.PreviewPlan(t.Context(), []byte("name: x\nstages:\n  - name: Everybody\n"), jobs.PreviewOptions{Progress: func(done, _ int64) { told = done }})
		if err != nil || got.Changed != 10 || len(got.Flows) == 0 || got.Flows[0].To != "Everybody" || len(got.Flows[0].Sample) == 0 || told == 0 {
			t.Errorf("%+v, %v, told %d", got, err, told)
		}
		if err := l.registry.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.snapshot() != before || l.registry.Config().Version != version {
			t.Error("a preview has changed something")
		}
		cut, err := admin.PreviewPlan(t.Context(), []byte("name: x\nstages:\n  - name: Everybody\n"), jobs.PreviewOptions{Limit: time.Nanosecond})
		if err != nil || cut.Whole {
			t.Errorf("out of time: %+v, %v", cut, err)
		}
	})
}

// randomPlan draws stages and segments from conditions that the story's events
// decide, some of them by time.
func randomPlan(r *rand.Rand, n int) string {
	pool := []string{
		`seen("Newsletter:Subscribed")`, `seen("Account:Created")`, `seen("Demo:Requested")`, `traits.lead_score >= 40`, `seen("Order:Completed")`,
		`count("Order:Completed") >= 2`, `sum("Order:Completed", "EUR") > 200`, `within("Order:Completed", "20d")`, `!within("Demo:Requested", "10d") && seen("Demo:Requested")`,
		`inactive("15d")`, `seen("Review:Posted") || idle("Order:Completed", "30d")`, `traits.company == "c1"`,
		`traits.heat >= 12`, `traits.heat < 6`, `traits.orders >= 20`, `traits.orders in [10, 15, 30]`,
	}
	pool = append(pool, dateConditions()...)
	pick := func() string { return pool[r.IntN(len(pool))] }
	var b strings.Builder
	fmt.Fprintf(&b, "name: draft-%d\n%sstages:\n  - name: Start\n", n, randomScores(r))
	path := []string{"Start", "Known", "Buyer", "Fan"}[:2+r.IntN(3)]
	for _, name := range path[1:] {
		fmt.Fprintf(&b, "  - name: %s\n    when: |\n      %s\n", name, pick())
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "  - name: Silent\n    side: true\n    when: |\n      %s\n", pick())
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "    stay: %dd\n    until: |\n      %s\n", 1+r.IntN(20), pick())
		}
	}
	b.WriteString("segments:\n")
	for _, name := range []string{"a", "b", "c"}[:1+r.IntN(3)] {
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "  %s:\n    stay: %dd\n    when: |\n      %s\n    until: |\n      %s\n", name, 1+r.IntN(20), pick(), pick())
			continue
		}
		fmt.Fprintf(&b, "  %s: |\n    %s\n", name, pick())
	}
	b.WriteString(randomLifecycle(r, pick))
	b.WriteString(randomPolicies(r, path))
	return b.String()
}

func planOf(t *testing.T, admin *jobs.Admin) string {
	t.Helper()
	v, err := admin.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v.Source
}

// publish puts a plan in force and brings everybody to it.
func (l *lab) publish(admin *jobs.Admin, source string) {
	l.t.Helper()
	v, err := admin.Plan(l.t.Context())
	if err == nil {
		_, err = admin.PublishPlan(l.t.Context(), v.Version, store.Versioned{Source: source, Author: "test"})
	}
	for after := lifecycle.ProfileID(0); err == nil; {
		if after, err = l.processor.DeriveNext(l.t.Context(), after); after == 0 {
			break
		}
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

type standing struct {
	stage    lifecycle.Stage
	course   lifecycle.Stage // in the lifecycle of that name
	segments []lifecycle.Segment
}

func (l *lab) places() map[lifecycle.ProfileID]standing {
	l.t.Helper()
	all := map[lifecycle.ProfileID]standing{}
	err := l.store.EachPerson(l.t.Context(), func(p *store.Person) error {
		prof, err := lifecycle.DecodeProfile(p.State)
		if err == nil {
			all[p.ID] = standing{prof.Stage, prof.StandingIn("course").Stage, prof.SegmentNames()}
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// matrixOf counts what changed between two looks.
func matrixOf(was, is map[lifecycle.ProfileID]standing) map[string]int64 {
	m := map[string]int64{}
	for id, a := range was {
		b := is[id]
		m[strings.TrimSpace(fmt.Sprintf(" %s -> %s", a.stage, b.stage))]++
		if a.course != "" || b.course != "" {
			m[strings.TrimSpace(fmt.Sprintf("course %s -> %s", a.course, b.course))]++
		}
		for _, name := range b.segments {
			if !slices.Contains(a.segments, name) {
				m["into "+string(name)]++
			}
		}
		for _, name := range a.segments {
			if !slices.Contains(b.segments, name) {
				m["out of "+string(name)]++
			}
		}
	}
	return m
}

func flowsOf(p *jobs.PlanPreview) map[string]int64 {
	m := map[string]int64{}
	for _, f := range p.Flows {
		m[strings.TrimSpace(fmt.Sprintf("%s %s -> %s", f.Lifecycle, f.From, f.To))] += f.People
	}
	for _, s := range p.Segments {
		m["into "+string(s.Segment)] += s.Gained
		m["out of "+string(s.Segment)] += s.Lost
	}
	maps.DeleteFunc(m, func(_ string, n int64) bool { return n == 0 })
	return m
}

// settlePushes ends what is due, as though it had been sent.
func (l *lab) settlePushes() {
	l.t.Helper()
	for _, id := range []string{"crm", "few"} {
		for {
			taken, err := l.store.Lease(l.t.Context(), id, 500, lifecycle.At(time.Now().Add(time.Hour)), false)
			if err != nil {
				l.t.Fatal(err)
			}
			if len(taken) == 0 {
				break
			}
			backs := make([]store.WriteBack, len(taken))
			for i := range taken {
				backs[i] = store.WriteBack{Sync: taken[i].Sync}
				backs[i].State = store.SyncSynced
			}
			if err := l.store.WriteBackAll(l.t.Context(), backs, nil); err != nil {
				l.t.Fatal(err)
			}
		}
	}
}

func (l *lab) duePushes() map[string]int64 {
	l.t.Helper()
	counts, err := l.store.SyncCounts(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	due := map[string]int64{}
	for id, states := range counts {
		if n := states[store.SyncPending]; n > 0 {
			due[id] = n
		}
	}
	return due
}
