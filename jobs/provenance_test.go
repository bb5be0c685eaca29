package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestProvenance: every key names the raw event that told of it first, every
// join the event or decision behind it, in whatever order they came.
func TestProvenance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		at := l.now.Add(-48 * time.Hour)
		l.tell("crm", // numbers 1 to 4, the earliest event last
			told{"news", at.Add(3 * time.Hour), `{"user":"u1","device":"d1"}`},
			told{"order", at.Add(2 * time.Hour), `{"email":"ann@example.com","user":"u1","order":"o1","amount":"5.00"}`},
			told{"praise", at.Add(4 * time.Hour), `{"email":"lee@example.com"}`},
			told{"signup", at, `{"email":"ann@example.com"}`})
		l.process()
		admin := &jobs.Admin{Registry: l.registry}
		p, _ := l.person("user:u1")
		other, _ := l.person("email:lee@example.com")
		survivor, err := admin.Join(t.Context(), p.ID, lifecycle.Key{Namespace: "email", Value: "lee@example.com"}, "same desk", "kim")
		if err != nil {
			t.Fatal(err)
		}
		x, err := admin.Provenance(t.Context(), survivor)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range x.Keys {
			got = append(got, fmt.Sprintf("%s %s %s %d", k.Key, k.Class, k.Event.Name, k.Event.Inbox))
		}
		for _, j := range x.Joined {
			line := fmt.Sprintf("%s with %s: %s %s %d", j.Key, j.With, j.Class, j.Event.Name, j.Event.Inbox)
			if j.Decision == lifecycle.DecidedMerge {
				line += " " + j.Event.Properties["reason"].(string)
			}
			got = append(got, line)
		}
		want := []string{
			"user:u1 strong Order:Completed 2", "email:ann@example.com medium Account:Created 4", "email:lee@example.com medium Review:Posted 3", "anonymous:d1 weak Newsletter:Subscribed 1",
			"email:ann@example.com with user:u1: medium Order:Completed 2", "anonymous:d1 with user:u1: weak Newsletter:Subscribed 1",
			"email:lee@example.com with user:u1: medium Stagebridge:Joined 0 same desk (by kim)",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("provenance (-want +got):\n%s", diff)
		}
		loser := max(p.ID, other.ID)
		if len(x.Absorbed) != 1 || x.Absorbed[0].Loser != loser || x.Partial {
			t.Errorf("absorbed: %+v", x.Absorbed)
		}
	})
}
