package jobs_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestScoresFollowCustomers: buyers get their scores, again only what changed,
// through a merge, on both databases; and a connection that is sent one is due.
func TestScoresFollowCustomers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true, Traits: map[string]string{"their_score": "rfm"}})
		works := jobs.NewWorks(s, func() time.Time { return l.now }, nil)
		works.Add(jobs.ScoresKind(s, l.registry, func() time.Time { return l.now }))
		compute := func() jobs.Scored {
			t.Helper()
			l.now = l.now.Add(time.Minute)
			one, err := works.StartScores(t.Context(), "kim")
			if err != nil {
				t.Fatal(err)
			}
			if one, err = works.Follow(t.Context(), one.ID, nil); err != nil || one.State != store.WorkDone {
				t.Fatalf("%+v, %v", one, err)
			}
			var out jobs.Scored
			if err := json.Unmarshal([]byte(one.Result), &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		rfm := func(key, want string) {
			t.Helper()
			_, prof := l.person(key)
			if got, _ := prof.Trait(jobs.TraitRFM).(string); got != want {
				t.Errorf("%s has %q, want %q", key, got, want)
			}
		}
		day := func(n int) time.Time { return l.now.AddDate(0, 0, n) }
		l.tell("crm",
			told{"order", day(-40), `{"user":"u1","email":"ann@example.com","order":"o1","amount":"10"}`},
			told{"order", day(-30), `{"device":"d2","order":"o2","amount":"10"}`},
			told{"order", day(-20), `{"user":"u3","order":"o3","amount":"10"}`},
			told{"order", day(-10), `{"user":"u4","order":"o4","amount":"10"}`},
			told{"order", day(-5), `{"user":"u5","order":"o5","amount":"10"}`},
			told{"news", day(-5), `{"user":"u6"}`},
		)
		l.process()
		if out := compute(); out.Customers != 5 || out.Changed != 5 || out.Currency != "EUR" || !strings.Contains(strings.Join(out.Notes, " "), "averages are shown") {
			t.Errorf("first: %+v", out)
		}
		// Of five by recency each has its own fifth; all bought once for the same.
		rfm("user:u1", "111")
		rfm("user:u5", "511")
		rfm("user:u6", "")
		if due, err := s.PushDue(t.Context(), "crm"); err != nil || !due {
			t.Errorf("nobody is due at the vendor: %v, %v", due, err)
		}
		if out := compute(); out.Changed != 0 {
			t.Errorf("again: %+v", out)
		}
		// u1 buys once more, for more, so that the others fall back by a fifth.
		l.tell("crm", told{"order", l.now, `{"user":"u1","order":"o6","amount":"90"}`})
		l.process()
		if out := compute(); out.Customers != 5 || out.Changed != 5 {
			t.Errorf("after an order: %+v", out)
		}
		rfm("user:u1", "555")
		rfm("user:u5", "411")
		// u1 and the device turn out to be one. Of four by recency u3 is the last
		// now, and the first has three others behind, which is the fourth fifth.
		l.tell("crm", told{"order", l.now, `{"device":"d2","email":"ann@example.com","order":"o7","amount":"1"}`})
		l.process()
		if out := compute(); out.Customers != 4 || out.Changed != 4 {
			t.Errorf("after a merge: %+v", out)
		}
		rfm("user:u3", "111")
		rfm("user:u1", "444")
		// The log alone, in any order, tells the same person (rule 4 of the design).
		row, kept := l.person("anonymous:d2")
		whole, err := s.PeopleByID(t.Context(), []lifecycle.ProfileID{row.ID})
		if err != nil || len(whole) != 1 {
			t.Fatalf("%d people, %v", len(whole), err)
		}
		slices.Reverse(whole[0].Events)
		again, _ := l.registry.Config().Plan.Derive(row.ID, whole[0].Events, lifecycle.At(l.now))
		if again.Trait(jobs.TraitRFM) != kept.Trait(jobs.TraitRFM) || again.Events != kept.Events || again.Stage != kept.Stage {
			t.Errorf("derived anew: %v, want %v", again.Trait(jobs.TraitRFM), kept.Trait(jobs.TraitRFM))
		}
	})
}
