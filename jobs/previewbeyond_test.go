package jobs_test

import (
	"fmt"
	"math/rand/v2"
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

// strictPlan draws a plan that parks what it does not name, and names some of
// the story's events.
func strictPlan(r *rand.Rand, n int) string {
	var b strings.Builder
	b.WriteString(randomPlan(r, n) + "governance: { unplanned_event: quarantine }\nevents:\n  Page:Viewed: {}\n")
	for _, name := range []string{"Account:Created", "Newsletter:Subscribed", "Demo:Requested", "Order:Completed", "Review:Posted"} {
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, "  %s: {}\n", name)
		}
	}
	return b.String()
}

// TestPreviewForetellsTheRelease: where a plan takes raw events that the one in
// force has parked, the preview says how many would be taken, and what they do
// to people on top of the matrix is what then happens.
func TestPreviewForetellsTheRelease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 6))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.connect("few", connectors.PushConfig{Enabled: true, SegmentNames: []string{"a"}, Audience: "b"})
		admin, works := l.planned()
		works.Add(jobs.ReleaseKind(s))
		story := make([]told, 90)
		for i := range story {
			story[i] = told{[]string{"signup", "news", "demo", "order", "praise"}[r.IntN(5)], l.now.Add(-time.Duration(r.IntN(60*24)) * time.Hour),
				fmt.Sprintf(`{"email":"p%d@example.com","order":"o%d","amount":"%d","score":%d,"company":"c%d"}`, r.IntN(25), r.IntN(12), r.IntN(300), r.IntN(100), r.IntN(5))}
		}
		l.publish(admin, strictPlan(r, 0))
		l.finish(works)
		for round := range 3 {
			l.tell("crm", story[round*30:][:30]...)
			l.process()
			draft := strictPlan(r, 1+round)
			parked, was := l.parked("crm"), l.places()
			got, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{})
			if err != nil {
				t.Fatalf("%v\n%s", err, draft)
			}
			part, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{Share: 300})
			if err != nil || part.Beyond != nil && !part.Beyond.Later {
				t.Errorf("for a share: %+v, %v", part.Beyond, err)
			}
			l.publish(admin, draft)
			derived := l.places()
			if diff := cmp.Diff(matrixOf(was, derived), flowsOf(got)); diff != "" {
				t.Errorf("publishing did otherwise (-done +foretold):\n%s\n%s", diff, draft)
			}
			l.settlePushes()
			l.finish(works)
			l.process()
			release := jobs.PlanRelease{}
			if got.Beyond != nil && got.Beyond.Release != nil {
				release = *got.Beyond.Release
			} else if left := l.parked("crm"); left != parked {
				t.Fatalf("%d of %d parked raw events were taken, and nothing was foretold\n%s", parked-left, parked, draft)
			}
			if left := l.parked("crm"); release.Taken != int64(parked-left) || release.RawEvents != 0 && release.RawEvents != int64(parked) {
				t.Errorf("%d of %d were parked still, foretold %+v", left, parked, release)
			}
			t.Logf("%d parked: %d of %d taken, %d people change, %d new, %d joining", parked, release.Taken, release.RawEvents, release.Effect.Changed, release.Effect.New, release.Effect.Joined)
			l.effectIs(&release.Effect, derived, true)
		}
	})
}

// effectIs holds a foretold effect against the people as they were and are now,
// and what is due against its pushes.
func (l *lab) effectIs(e *jobs.RulesEffect, was map[lifecycle.ProfileID]standing, pushes bool) {
	l.t.Helper()
	if e.Joined > 0 {
		l.t.Logf("%d events join people, so the moves are not compared", e.Joined)
		return
	}
	moves := map[string]int64{}
	for _, f := range e.Stages {
		moves[strings.TrimSpace(f.Lifecycle+" "+f.From+" -> "+f.To)] += f.People
	}
	for _, x := range e.Parts {
		moves["into "+x.Segment] += x.Gained
		moves["out of "+x.Segment] += x.Lost
	}
	is := l.places()
	all := map[lifecycle.ProfileID]standing{}
	for id := range is {
		all[id] = was[id]
	}
	for id, stood := range was {
		all[id] = stood
	}
	moved := matrixOf(all, is)
	for name := range moved {
		from, to, ok := strings.Cut(strings.TrimPrefix(name, "course "), " -> ")
		if ok && from == to {
			delete(moved, name)
		}
	}
	if diff := cmp.Diff(dropZero(moved), dropZero(moves)); diff != "" {
		l.t.Errorf("people (-done +foretold):\n%s", diff)
	}
	for _, f := range e.Stages {
		for _, id := range f.Sample {
			from, to := was[id].stage, is[id].stage
			if f.Lifecycle == "course" {
				from, to = was[id].course, is[id].course
			}
			if string(from) != f.From || string(to) != f.To {
				l.t.Errorf("%d was to move from %q to %q, and went from %q to %q", id, f.From, f.To, from, to)
			}
		}
	}
	if !pushes {
		return
	}
	foretold := map[string]int64{}
	for _, p := range e.Pushes {
		foretold[p.Connection] = p.People
	}
	if diff := cmp.Diff(l.duePushes(), foretold); diff != "" {
		l.t.Errorf("pushes (-due +foretold):\n%s", diff)
	}
}

// TestPreviewTellsOfOtherGuards: a plan that changes who is who is told to do
// so, and one that does not is not.
func TestPreviewTellsOfOtherGuards(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	admin := &jobs.Admin{Registry: l.registry}
	backlog(l, 20, 5)
	l.process()
	for draft, want := range map[string]*jobs.PlanBeyond{
		guardedPlan("limits: { email: 1 }"):              {Identity: true},
		strings.TrimSuffix(guardedPlan(), "identity:\n"): nil,
	} {
		got, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Beyond); diff != "" {
			t.Errorf("%s (-want +got):\n%s", draft, diff)
		}
	}
}
