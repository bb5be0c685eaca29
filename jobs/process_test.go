package jobs_test

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func TestStory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		at := l.now.Add(-time.Hour)
		l.tell("crm", told{"signup", at, `{"email":"Ann@Example.com","device":"d1","company":"Acme"}`})
		l.process()
		p, prof := l.person("email:ann@example.com")
		if p == nil || prof.Stage != "Subscriber" || prof.Email() != "ann@example.com" || prof.Trait("company") != "Acme" {
			t.Fatalf("after signup: %+v %+v", p, prof)
		}
		l.tell("crm", told{"order", at.Add(time.Minute), `{"device":"d1","order":"7","amount":"1200.50"}`})
		l.process()
		again, prof := l.person("email:ann@example.com")
		if again.ID != p.ID || prof.Stage != "Customer" || prof.Fact("Order:Completed").Sums[0].Micros != 1200_500_000 {
			t.Fatalf("after order: %+v %+v", again, prof)
		}
		// Another tool tells of the same order, and one event is broken.
		l.tell("crm", told{"order", at.Add(2 * time.Minute), `{"email":"ann@example.com","order":"7","amount":"1200.50"}`},
			told{"bad", at, `{"email":"x@example.com","amount":"lots"}`}, told{"nobody", at, `{}`}, told{"order", at, `{"email":`})
		l.process()
		if _, prof = l.person("email:ann@example.com"); prof.Fact("Order:Completed").Count != 1 {
			t.Errorf("one order counts %d times", prof.Fact("Order:Completed").Count)
		}
		stats, err := s.InboxStats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := *stats["crm"]; got.Done != 3 || got.Failed != 2 || got.Ignored != 1 || got.Pending != 0 {
			t.Errorf("stats: %+v", got)
		}
		due, err := s.DueNow(t.Context(), []string{"crm"})
		if err != nil || len(due.Push) != 1 {
			t.Errorf("due: %+v, %v", due, err)
		}
	})
}

func TestMergeAndLateEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		at := l.now.Add(-48 * time.Hour)
		l.tell("crm", told{"signup", at, `{"email":"a@example.com"}`})
		l.tell("crm", told{"order", at.Add(time.Hour), `{"user":"u1","order":"1","amount":5}`})
		l.process()
		one, _ := l.person("email:a@example.com")
		two, _ := l.person("user:u1")
		if one.ID == two.ID {
			t.Fatal("joined without a reason")
		}
		l.tell("crm", told{"news", at.Add(2 * time.Hour), `{"email":"a@example.com","user":"u1"}`})
		l.process()
		merged, prof := l.person("user:u1")
		if merged.ID != min(one.ID, two.ID) || prof.Stage != "Customer" || len(merged.Keys) != 2 {
			t.Fatalf("merged: %+v %+v", merged, prof)
		}
		gone, err := s.Person(t.Context(), max(one.ID, two.ID))
		if err != nil || gone.ID != merged.ID {
			t.Errorf("the merged id answers with %+v, %v", gone, err)
		}
		l.tell("crm", told{"demo", at.Add(-time.Hour), `{"user":"u1","score":70}`}) // late
		l.process()
		_, prof = l.person("user:u1")
		if prof.Stage != "Customer" || prof.FirstSeen.Time() != at.Add(-time.Hour) {
			t.Errorf("after a late event: %+v", prof)
		}
	})
}
