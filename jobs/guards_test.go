package jobs_test

import (
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

// TestPlanGuardsIdentity: what the plan says about identity holds for the next
// event, and a value that it blocks identifies nobody.
func TestPlanGuardsIdentity(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{})
	l.publish(&jobs.Admin{Registry: l.registry}, guardedPlan("limits: { email: 1 }", "blocked: [ demo ]"))
	at := l.now.Add(-time.Hour)
	l.tell("crm",
		told{"signup", at, `{"user":"u1","email":"ann@example.com"}`}, told{"news", at.Add(time.Minute), `{"user":"u1","email":"lee@example.com"}`},
		told{"news", at, `{"user":"demo","email":"bo@example.com"}`}, told{"news", at, `{"user":"Demo","email":"kim@example.com"}`})
	l.process()
	var got [][]string
	for _, key := range []string{"user:u1", "email:bo@example.com", "email:kim@example.com"} {
		p, _ := l.person(key)
		if p == nil {
			t.Fatalf("nobody has %s", key)
		}
		got = append(got, p.Keys)
	}
	want := [][]string{{"user:u1", "email:ann@example.com"}, {"email:bo@example.com"}, {"email:kim@example.com"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if p, _ := l.person("email:lee@example.com"); p != nil {
		t.Errorf("a second address belongs to %v", p.Keys)
	}
}

// guardedPlan is a small plan with lines of its part about identity.
func guardedPlan(identity ...string) string {
	text := "name: guarded\nstages:\n  - { name: Visit }\n  - name: Customer\n    when: |\n      seen(\"Order:Completed\")\nidentity:\n"
	for _, line := range identity {
		text += "  " + line + "\n"
	}
	return text
}

// TestGuardsChangedAfterTheFact: guards that are changed once people exist give
// the people that would be there had they held from the beginning, and changing
// them back gives those of before, with every event that a blocked value hid.
func TestGuardsChangedAfterTheFact(t *testing.T) {
	t.Parallel()
	guards := []string{
		"most_keys: 150", "most_keys: 2", "limits: { user: 2 }", "limits: { email: 1, anonymous: 1 }", "shared: [ p1, p2 ]",
		"limits: { anonymous: { most: 1, within: 20d } }", "priority: [ email, user ]", "blocked: [ d1, \"email:p2@example.com\", \"/^u[34]$/\" ]",
	}
	for name, fresh := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rounds := 3
			if name == "postgres" {
				rounds = 1 // each makes three databases
			}
			for range rounds {
				changeGuards(t, guards, fresh)
			}
		})
	}
}

func changeGuards(t *testing.T, guards []string, fresh func(testing.TB) *store.Store) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 11))
	first, then := guards[r.IntN(len(guards))], guards[r.IntN(len(guards))]
	story := randomStory(r, 60, true)
	t.Logf("seed %d: %s, then %s", seed, first, then)
	whole := func(plan string) string {
		l := guardedLab(t, fresh(t))
		l.guard(plan)
		l.tell("crm", story...)
		l.process()
		return l.people()
	}
	l := guardedLab(t, fresh(t))
	l.guard(first)
	l.tell("crm", story[:40]...)
	l.process()
	l.guard(then)
	l.tell("crm", story[40:]...)
	l.process()
	// What named nobody when it came is not there until it is told again, and
	// what was there before its values were blocked stays until then.
	again := func() {
		if strings.HasPrefix(first, "blocked") || strings.HasPrefix(then, "blocked") {
			l.replayAll()
			l.process()
		}
	}
	again()
	if diff := cmp.Diff(whole(then), l.people()); diff != "" {
		t.Fatalf("from the beginning they are others (-beginning +later):\n%s", diff)
	}
	l.guard(first)
	again()
	if diff := cmp.Diff(whole(first), l.people()); diff != "" {
		t.Fatalf("changed back they are others (-before +after):\n%s", diff)
	}
}

// TestBlockedHidesNothing: a value that is blocked once people are known by it
// takes away no event, and letting it through again gives what was before.
func TestBlockedHidesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := guardedLab(t, s)
		l.guard("most_keys: 150")
		l.tell("crm", randomStory(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 12)), 80, true)...)
		l.process()
		before, events := l.people(), l.events()
		l.guard("blocked: [ \"/^d/\", \"/^u[0-3]$/\", \"/@example/\" ]")
		if l.events() != events {
			t.Errorf("%d events are left of %d", l.events(), events)
		}
		if l.people() == before {
			t.Error("blocking changes nothing")
		}
		l.guard("most_keys: 150")
		if diff := cmp.Diff(before, l.people()); diff != "" {
			t.Errorf("let through again they are others (-before +after):\n%s", diff)
		}
	})
}

func guardedLab(t *testing.T, s *store.Store) *lab {
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{Enabled: true})
	return l
}

// guard publishes a plan with a line about identity and holds everybody
// against it.
func (l *lab) guard(line string) {
	l.t.Helper()
	l.publish(&jobs.Admin{Registry: l.registry}, guardedPlan(line))
	if err := l.processor.IdentifyAll(l.t.Context(), nil); err != nil {
		l.t.Fatal(err)
	}
	if done, err := l.processor.Identified(l.t.Context()); err != nil || !done {
		l.t.Fatalf("not everybody was held against the new guards: %v", err)
	}
}

// people is the snapshot without what a set is called in which nothing is
// disputed any more.
func (l *lab) people() string {
	return strings.NewReplacer(" contested true", "", " contested false", "").Replace(l.snapshot())
}

func (l *lab) events() int {
	l.t.Helper()
	n := 0
	for after := lifecycle.ProfileID(0); ; {
		all, err := l.store.Scan(l.t.Context(), after, 0, 100)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(all) == 0 {
			return n
		}
		for _, w := range all {
			n, after = n+len(w.Events), w.Person.ID
		}
	}
}
