package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestPinHoldsThroughEverything: a pin stands against later events, survives a
// new plan, a late event and a merge, ends at its time, and is pushed.
func TestPinHoldsThroughEverything(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		woken := map[string]int{}
		admin := &jobs.Admin{Registry: l.registry, Wake: func(id string) { woken[id]++ }}
		at := l.now.Add(-48 * time.Hour)
		l.tell("crm", told{"signup", at, `{"user":"u1","email":"ann@example.com"}`}, told{"news", at, `{"device":"d9"}`})
		l.process()
		stage := func(key string, want lifecycle.Stage, why string) lifecycle.ProfileID {
			t.Helper()
			p, prof := l.person(key)
			if p == nil || prof.Stage != want {
				t.Fatalf("%s: %s is %v, want %s", why, key, prof, want)
			}
			return p.ID
		}
		id := stage("user:u1", "Subscriber", "at first")
		if err := admin.Pin(t.Context(), id, jobs.PinInput{Stage: "Advocate", Reason: "a friend of the house", Until: l.now.Add(90 * 24 * time.Hour), Author: "kim"}); err != nil {
			t.Fatal(err)
		}
		stage("user:u1", "Advocate", "pinned")
		if woken["crm"] != 1 {
			t.Errorf("the push was woken %d times", woken["crm"])
		}
		l.now = l.now.Add(time.Hour)
		l.tell("crm", told{"order", l.now, `{"user":"u1","order":"o1","amount":"5.00"}`})
		l.process()
		stage("user:u1", "Advocate", "after an order")
		l.tell("crm", told{"demo", at.Add(-time.Hour), `{"user":"u1","score":70}`}) // late: derived anew
		l.process()
		stage("user:u1", "Advocate", "after a late event")
		l.tell("crm", told{"praise", l.now, `{"user":"u1","device":"d9"}`}) // joins the visitor
		l.process()
		id = stage("anonymous:d9", "Advocate", "after a merge")
		l.publish(admin, planOf(t, admin)+"\n# another version\n")
		stage("user:u1", "Advocate", "after publishing a plan")
		x := l.registry.Config().Plan
		_, prof := l.person("user:u1")
		if why := x.Explain(prof, lifecycle.At(l.now)); why.Via != "pin" {
			t.Errorf("explained as %s", why.Via)
		}
		if err := admin.Unpin(t.Context(), id, "", "enough", "kim"); err != nil {
			t.Fatal(err)
		}
		stage("user:u1", "Advocate", "unpinned: praise made them one by now")
	})
}

func TestPinEndsAtItsTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		admin := &jobs.Admin{Registry: l.registry}
		l.tell("crm", told{"signup", l.now.Add(-time.Hour), `{"user":"u1"}`})
		l.process()
		p, _ := l.person("user:u1")
		if err := admin.Pin(t.Context(), p.ID, jobs.PinInput{Stage: "Customer", Until: l.now.Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			after time.Duration
			want  lifecycle.Stage
		}{{23 * time.Hour, "Customer"}, {2 * time.Hour, "Subscriber"}} {
			l.now = l.now.Add(tt.after)
			if err := l.processor.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, prof := l.person("user:u1"); prof.Stage != tt.want {
				t.Errorf("after %v: %s, want %s", tt.after, prof.Stage, tt.want)
			}
		}
		var wrong *jobs.Invalid
		if err := admin.Pin(t.Context(), p.ID, jobs.PinInput{Stage: "Nowhere", Until: l.now}); !errors.As(err, &wrong) || len(wrong.Mistakes) != 2 {
			t.Errorf("a stage that is not there until now: %v", err)
		}
		if err := admin.Pin(t.Context(), 4711, jobs.PinInput{Stage: "Customer"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
