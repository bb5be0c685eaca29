package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// replay processes the raw events of a filter again, to the end.
func (l *lab) replay(f store.InboxFilter) jobs.Replayed {
	l.t.Helper()
	admin, works := l.replaying()
	_, one, err := admin.Replay(l.t.Context(), f, "ann", false)
	if err != nil {
		l.t.Fatal(err)
	}
	l.finish(works)
	return l.replayed(one.ID)
}

// replaying is planned with replays.
func (l *lab) replaying() (*jobs.Admin, *jobs.Works) {
	admin, works := l.planned()
	works.Add(jobs.ReplayKind(l.processor))
	return admin, works
}

// replayed reads what came of a replay.
func (l *lab) replayed(id int64) jobs.Replayed {
	l.t.Helper()
	one, err := l.store.WorkByID(l.t.Context(), id)
	if err != nil || one.State != store.WorkDone {
		l.t.Fatalf("%+v, %v", one, err)
	}
	var r jobs.Replayed
	if err := json.Unmarshal([]byte(one.Result), &r); err != nil {
		l.t.Fatal(err)
	}
	return r
}

// TestReplayGoesOn: a replay that is broken off at any moment goes on where it
// was, with the numbers of one that was not; canceled before it
// begins, it does nothing.
func TestReplayGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		var all []told
		for i := range 1100 {
			all = append(all, told{"news", l.now.Add(-time.Duration(i) * time.Second), fmt.Sprintf(`{"email":"p%d@example.com"}`, i%40)})
		}
		l.tell("crm", all...)
		l.process()
		admin, works := l.replaying()
		var stop context.CancelFunc
		passes := 0
		watched := func() time.Time { // asked once for each batch
			if passes++; passes == 3 && stop != nil {
				stop()
			}
			return l.now
		}
		works.Add(jobs.ReplayKind(&jobs.Processor{Store: s, Registry: l.registry, Now: watched, Log: l.processor.Log}))
		publish := func(from, to string, was int64) jobs.RulesReplayed {
			t.Helper()
			v := store.Versioned{Source: strings.Replace(labRules, from, to, 1), Author: "ann"}
			done, err := admin.PublishRulesAndReplay(t.Context(), "crm", was, v, store.InboxFilter{Type: "news"})
			if err != nil || done.Count != 1100 {
				t.Fatal(done, err)
			}
			return done
		}
		broken := publish(`event: "Newsletter:Subscribed"`, `event: "Lead:Qualified"`, 0)
		ctx, cancel := context.WithCancel(t.Context())
		stop = cancel
		if err := works.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if one, err := s.WorkByID(t.Context(), broken.Work.ID); err != nil || one.State != store.WorkQueued || one.Done == 0 || one.Done >= 1100 {
			t.Fatalf("broken off: %+v, %v", one, err)
		}
		stop = nil
		l.finish(works)
		want := jobs.Replayed{RawEvents: 1100, Changed: 1100, Retracted: 1100, Events: []jobs.EventDifference{
			{Name: "Lead:Qualified", Added: 1100}, {Name: "Newsletter:Subscribed", Removed: 1100}}}
		got := l.replayed(broken.Work.ID)
		if got.People < 40 || got.People > 80 || !strings.HasPrefix(got.Summary, "1100 raw events were processed again: 1100 gave something else") {
			t.Errorf("%+v", got)
		}
		got.People, got.Summary = 0, ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with a break (-want +got):\n%s", diff)
		}
		if n := l.eventCounts(); n["Lead:Qualified"] != 1100 || n["Newsletter:Subscribed"] != 0 {
			t.Errorf("%v", n)
		}
		if left, err := admin.Replaying(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("still to do: %v, %v", left, err)
		}

		canceled := publish("", "", 1)
		if left, err := admin.Replaying(t.Context()); err != nil || left["crm"] != 1100 {
			t.Errorf("to do: %v, %v", left, err)
		}
		if _, err := works.Cancel(t.Context(), canceled.Work.ID); err != nil {
			t.Error(err)
		}
		l.finish(works)
		if one, err := s.WorkByID(t.Context(), canceled.Work.ID); err != nil || one.State != store.WorkCanceled || one.Done != 0 {
			t.Errorf("canceled: %+v, %v", one, err)
		}
		if n := l.eventCounts(); n["Lead:Qualified"] != 1100 {
			t.Errorf("%v", n)
		}
	})
}
