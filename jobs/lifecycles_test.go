package jobs_test

import (
	"errors"
	"fmt"
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

// randomLifecycle draws a lifecycle beside the stages of a plan, or none.
func randomLifecycle(r *rand.Rand, pick func() string) string {
	if r.IntN(3) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("  outside: stage_of(\"course\") == \"Open\"\nlifecycles:\n  course:\n    stages:\n      - name: Open\n")
	for _, name := range []string{"Known", "Deep"}[:r.IntN(3)] {
		fmt.Fprintf(&b, "      - name: %s\n        when: |\n          %s\n", name, pick())
	}
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "      - name: Aside\n        side: true\n        stay: %dd\n        when: |\n          %s && stage_of(\"main\") != \"Start\"\n", 1+r.IntN(20), pick())
	}
	fmt.Fprintf(&b, "    segments:\n      d: |\n        stage == \"Open\" || %s\n", pick())
	return b.String()
}

const coursePlan = `
name: course
stages:
  - { name: Visit }
  - { name: Buyer, when: 'seen("Order:Completed")' }
segments:
  both: stage == "Buyer" && stage_of("course") == "Student"
lifecycles:
  course:
    events: ['Newsletter:*', 'Demo:*']
    stages:
      - { name: Reader }
      - { name: Student, when: 'seen("Demo:Requested")' }
      - { name: Gone, side: true, when: 'idle("Demo:Requested", "20d")' }
  care:
    stages:
      - { name: Calm }
      - { name: Busy, when: 'count("Order:Completed") >= 2 && stage_of("course") != "Student"' }
`

// Whatever order events come in, everybody stands in the same place in every
// lifecycle, and the table, the counts and the profiles say the same.
func TestLifecyclesInAnyOrder(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := rand.New(rand.NewPCG(seed, 3))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin := &jobs.Admin{Registry: l.registry}
		l.publish(admin, coursePlan)
		events := randomStory(r, 80, true)
		l.tell("crm", events...)
		l.process()
		want := l.snapshot()
		l.checkStandings()
		for range 2 { // told again in another order, everything is derived from the same events
			shuffled := slices.Clone(events)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			o := newLab(t, storetest.SQLite(t))
			o.connect("crm", connectors.PushConfig{Enabled: true})
			o.publish(&jobs.Admin{Registry: o.registry}, coursePlan)
			for len(shuffled) > 0 {
				n := 1 + r.IntN(min(25, len(shuffled)))
				o.tell("crm", shuffled[:n]...)
				o.process()
				shuffled = shuffled[n:]
			}
			if diff := cmp.Diff(want, o.snapshot()); diff != "" {
				t.Fatalf("another order gives other people (-one batch +shuffled):\n%s", diff)
			}
			o.checkStandings()
		}
		l.publish(admin, "name: plain\nstages: [ { name: Visit } ]\n")
		l.checkStandings()
	})
}

// checkStandings compares the table and the counts with the profiles.
func (l *lab) checkStandings() {
	l.t.Helper()
	want := map[string]int64{}
	err := l.store.EachPerson(l.t.Context(), func(p *store.Person) error {
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return err
		}
		for at := range prof.Lifecycles() {
			if at.Stage != "" {
				want[at.ID+":"+string(at.Stage)]++
			}
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	got, counted := map[string]int64{}, map[string]int64{}
	for _, stages := range [][]string{{"course", "Reader", "Student", "Gone"}, {"care", "Calm", "Busy"}} {
		for _, stage := range stages[1:] {
			f := store.PeopleFilter{Lifecycle: stages[0], Stage: lifecycle.Stage(stage), Limit: store.MaxPage}
			page, err := l.store.People(l.t.Context(), f)
			if err != nil {
				l.t.Fatal(err)
			}
			if n := len(page.People); n > 0 {
				got[stages[0]+":"+stage] = int64(n)
			}
		}
	}
	counters, err := l.store.Counters(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for name, n := range counters[""] {
		if rest, ok := strings.CutPrefix(name, store.LifecycleCounter); ok && n != 0 {
			counted[rest] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("the table differs (-profiles +table):\n%s", diff)
	}
	if diff := cmp.Diff(want, counted); diff != "" {
		l.t.Errorf("the counts differ (-profiles +counts):\n%s", diff)
	}
}

// The stage in a further lifecycle arrives as a field, is translated, left alone
// where nothing is said of it, and cleared.
func TestLifecyclePush(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true, Segments: "none", Lifecycles: map[string]connectors.LifecyclePush{
			"course": {Field: "course_stage", Stages: map[string]string{"Reader": "reads", "Gone": "gone"}}, "care": {}}})
		admin := &jobs.Admin{Registry: l.registry}
		l.publish(admin, coursePlan)
		held := func() string {
			t.Helper()
			l.process()
			if err := l.processor.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := l.push("crm"); err != nil {
				t.Fatal(err)
			}
			state := l.vendor.held["ann@example.com"]
			return fmt.Sprint(state.Stage, " ", state.Traits)
		}
		step := func(what, want string) {
			t.Helper()
			if got := held(); got != want {
				t.Errorf("%s: holds %s, want %s", what, got, want)
			}
		}
		begin := l.now
		l.tell("crm", told{"order", begin, `{"email":"ann@example.com","order":"1","amount":"5"}`})
		step("not in the course", "Buyer map[course_stage:<nil> sb_stage_care:Calm]")
		l.tell("crm", told{"news", begin, `{"email":"ann@example.com"}`})
		step("in its first stage", "Buyer map[course_stage:reads sb_stage_care:Calm]")
		l.tell("crm", told{"order", begin, `{"email":"ann@example.com","order":"2","amount":"5"}`})
		step("another lifecycle moves", "Buyer map[course_stage:reads sb_stage_care:Busy]")
		row, _ := l.person("email:ann@example.com")
		id := row.ID
		l.now = l.now.Add(time.Minute)
		if err := admin.Pin(t.Context(), id, jobs.PinInput{Lifecycle: "course", Stage: "Gone", Author: "kim"}); err != nil {
			t.Fatal(err)
		}
		step("pinned", "Buyer map[course_stage:gone sb_stage_care:Busy]")
		var wrong *jobs.Invalid
		if err := admin.Pin(t.Context(), id, jobs.PinInput{Lifecycle: "nowhere", Stage: "Gone"}); !errors.As(err, &wrong) {
			t.Errorf("a lifecycle that is not there: %v", err)
		}
		if err := admin.Pin(t.Context(), id, jobs.PinInput{Lifecycle: "course", Stage: "Buyer"}); !errors.As(err, &wrong) {
			t.Errorf("a stage of another lifecycle: %v", err)
		}
		if err := admin.Unpin(t.Context(), id, "course", "enough", "kim"); err != nil {
			t.Fatal(err)
		}
		step("released", "Buyer map[course_stage:reads sb_stage_care:Busy]")
		l.now = l.now.AddDate(0, 0, 1)
		l.publish(admin, "name: plain\nstages: [ { name: Visit } ]\n")
		step("no lifecycles any more", "Visit map[course_stage:<nil> sb_stage_care:<nil>]")
		l.publish(admin, coursePlan)
		step("back again", "Buyer map[course_stage:reads sb_stage_care:Busy]")
		l.checkStandings()
		items, _, err := l.store.Timeline(t.Context(), id, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var moves []string
		for _, it := range items {
			if it.Move != nil && it.Move.History && it.Move.Lifecycle == "care" {
				moves = append(moves, string(it.Move.From+">"+it.Move.To))
			}
		}
		if diff := cmp.Diff([]string{">Calm", "Calm>Busy"}, sorted(moves)); diff != "" {
			t.Errorf("moves of one lifecycle (-want +got):\n%s", diff)
		}
	})
}

func sorted(list []string) []string { slices.Sort(list); return list }
