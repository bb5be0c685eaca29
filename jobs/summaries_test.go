package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// summaries reads everybody's, as reports do.
func (l *lab) summaries() []summary.Person {
	l.t.Helper()
	var all []summary.Person
	fresh, err := summary.Each(l.t.Context(), l.store, l.registry.Config().PlanOf, lifecycle.At(l.now), summary.All(), func(p *summary.Person) error {
		c := *p
		c.Segments, c.Moves, c.Traits, c.Events = slices.Clone(p.Segments), slices.Clone(p.Moves), slices.Clone(p.Traits), slices.Clone(p.Events)
		for i := range c.Events {
			c.Events[i].Properties = slices.Clone(c.Events[i].Properties)
		}
		all = append(all, c)
		return nil
	})
	if err != nil || fresh.Waiting != 0 {
		l.t.Fatalf("%+v, %v", fresh, err)
	}
	return all
}

// TestSummariesFollow: whatever the work does to people, summaries that follow
// what it noted tell the same as summaries made anew.
func TestSummariesFollow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		admin := &jobs.Admin{Registry: l.registry}
		keeper := &summary.Keeper{Store: s, Plans: func() summary.PlanOf { return l.registry.Config().PlanOf }, Now: func() lifecycle.Instant { return lifecycle.At(l.now) }}
		if err := keeper.Build(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		follow := func(what string, people int) {
			t.Helper()
			l.process()
			if waiting, _, err := s.ChangesWaiting(t.Context()); waiting == 0 || err != nil {
				t.Fatalf("%s: nobody changed, %v", what, err)
			}
			over := l.summaries()
			if _, err := keeper.Fold(t.Context(), 1000); err != nil {
				t.Fatal(err)
			}
			followed := l.summaries()
			if err := s.NoteSummaries(t.Context(), 0, 0); err != nil {
				t.Fatal(err)
			}
			if err := keeper.Build(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			anew := l.summaries()
			if diff := cmp.Diff(anew, followed, cmpopts.EquateEmpty()); diff != "" || len(anew) != people {
				t.Errorf("%s: %d people, want %d (-anew +followed):\n%s", what, len(anew), people, diff)
			}
			if diff := cmp.Diff(anew, over, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-anew +read above the blocks):\n%s", what, diff)
			}
		}
		at := l.now.Add(-90 * 24 * time.Hour)
		l.tell("crm", told{"signup", at, `{"user":"u1","company":"one"}`}, told{"order", at.Add(time.Hour), `{"user":"u1","order":"o1","amount":"5.00"}`},
			told{"signup", at, `{"email":"bo@example.com"}`}, told{"demo", at.Add(time.Hour), `{"email":"bo@example.com","score":70}`})
		follow("events", 2)
		l.tell("crm", told{"order", at.Add(-time.Hour), `{"user":"u1","order":"o1","amount":"4.00"}`})
		follow("a late event", 2)
		l.tell("crm", told{"news", at.Add(2 * time.Hour), `{"user":"u1","email":"bo@example.com"}`})
		follow("a merge", 1)
		p, _ := l.person("user:u1")
		if _, err := admin.Split(t.Context(), p.ID, []lifecycle.Key{{Namespace: "email", Value: "bo@example.com"}}, "two people", "kim"); err != nil {
			t.Fatal(err)
		}
		follow("a split", 2)
		if err := admin.Pin(t.Context(), p.ID, jobs.PinInput{Stage: "Advocate", Reason: "asked", Author: "kim"}); err != nil {
			t.Fatal(err)
		}
		follow("a pin", 2)
		l.tell("crm", told{"order", l.now, `{"user":"u3","order":"o3","amount":"5.00"}`})
		follow("somebody new", 3)
		l.now = l.now.Add(400 * 24 * time.Hour)
		if err := l.processor.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		follow("the passing of time", 3)
	})
}

// TestPipelineKeepsSummaries: a running pipeline makes them, and takes them to
// what is true once enough people changed.
func TestPipelineKeepsSummaries(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{})
	p, err := jobs.NewPipeline(jobs.PipelineOptions{Store: l.store, Registry: l.registry, Work: true, Now: func() time.Time { return l.now }})
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	defer p.Stop()
	keeper := &summary.Keeper{Store: l.store}
	wait := func(what string, done func() (bool, error)) {
		t.Helper()
		deadline := time.After(30 * time.Second)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			if ok, err := done(); err != nil {
				t.Fatalf("%s: %v", what, err)
			} else if ok {
				return
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%s: not within 30 s", what)
			}
		}
	}
	wait("made", func() (bool, error) { return keeper.Built(t.Context()) })
	var news []told
	for i := range 2_100 {
		news = append(news, told{"news", l.now.Add(-time.Hour), fmt.Sprintf(`{"email":"p%d@example.com"}`, i)})
	}
	l.tell("crm", news...)
	p.Received("crm", false)
	wait("followed", func() (bool, error) {
		blocks, err := l.store.SummaryBlocks(t.Context(), []int64{0, 1, 2})
		waiting, _, werr := l.store.ChangesWaiting(t.Context())
		return len(blocks) >= 2 && waiting < 2_000, errors.Join(err, werr)
	})
	if got := len(l.summaries()); got != 2_100 {
		t.Errorf("%d people", got)
	}
}
