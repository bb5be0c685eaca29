package jobs_test

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestReplay: replay replaces what a row gave, changes nothing under the same
// rules, and leaves alone what retention has emptied.
func TestReplay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		at := l.now.Add(-time.Hour)
		one := l.tell("crm", told{"signup", at, `{"email":"a@example.com","user":"u1"}`}).ID
		two := l.tell("crm", told{"order", at.Add(time.Minute), `{"user":"u1","order":"1","amount":"5"}`}).ID
		l.process()
		before := l.snapshot()
		replay := func(want int, ids ...int64) {
			t.Helper()
			if n, err := s.Replay(t.Context(), ids); err != nil || n != want {
				t.Fatalf("replay: %d, %v; want %d", n, err, want)
			}
			l.process()
		}
		replay(2, one, two)
		if after := l.snapshot(); after != before {
			t.Errorf("replay under the same rules changed something:\n%s\n%s", before, after)
		}

		// Under rules that do not know orders the order is taken back.
		rules := store.Versioned{Source: "rules:\n  - { name: signup, type: signup, emit: { event: \"Account:Created\", identity: { email: body.email } } }\n"}
		if _, err := s.PublishRules(t.Context(), "crm", 0, rules); err != nil {
			t.Fatal(err)
		}
		if err := l.registry.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		replay(2, one, two)
		if p, prof := l.person("email:a@example.com"); p == nil || prof.Stage != "Subscriber" || prof.Fact("Order:Completed").Count != 0 {
			t.Errorf("after a replay under other rules: %+v %+v", p, prof)
		}
		if p, _ := l.person("user:u1"); p != nil {
			t.Errorf("a key that nobody names any more still belongs to %+v", p)
		}

		for {
			n, err := s.Retain(t.Context(), lifecycle.At(time.Now().Add(time.Hour)))
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		kept := l.snapshot()
		replay(0, one, two)
		if after := l.snapshot(); after != kept {
			t.Errorf("retention and replay changed people:\n%s\n%s", kept, after)
		}
	})
}
