package jobs_test

import (
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

// moves gives all moves of a person's timeline, the newest first.
func (l *lab) moves(id lifecycle.ProfileID) []store.Transition {
	l.t.Helper()
	var all []store.Transition
	for after := ""; ; {
		items, next, err := l.store.Timeline(l.t.Context(), id, after, 7)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, it := range items {
			if it.Move != nil {
				all = append(all, *it.Move)
			}
		}
		if after = next; after == "" {
			return all
		}
	}
}

// TestBothTimesReachTheReader: after late events, a join, a plan and its taking
// back, the timeline has what was true, with the time at which each move was
// found first, and beside it what was decided and told on the way.
func TestBothTimesReachTheReader(t *testing.T) {
	t.Parallel()
	eachClock(t, func(t *testing.T, open func(testing.TB, func() time.Time) *store.Store) {
		l, at := timedLab(t, kindsPlan, open)
		l.connect("crm", connectors.PushConfig{})
		l.rules("crm", kindsRules)
		admin := &jobs.Admin{Registry: l.registry}
		start := l.now
		day := func(n int) time.Time { return start.AddDate(0, 0, n) }
		hear := func(now int, kind, body string, when int) {
			at(day(now))
			l.tell("crm", told{kind, day(when), body})
			l.process()
		}
		check := func(when string, want ...string) {
			t.Helper()
			p, _ := l.person("email:ann@example.com")
			var got []string
			for _, m := range l.moves(p.ID) {
				text := fmt.Sprintf("%s>%s %s of %d found %d", m.From, m.To, m.Kind, m.At.Time().Day(), m.Decided.Time().Day())
				switch {
				case m.Overruled():
					text += " and not so"
				case !m.History:
					text += " then"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-want +shown):\n%s", when, diff)
			}
		}
		const ann = `{"email":"ann@example.com"}`
		hear(0, "seen", ann, 0)
		hear(3, "trial", ann, 3)
		hear(5, "order", ann, 5)
		check("in order", "Trial>Customer forward of 6 found 6", "Lead>Trial forward of 4 found 4", ">Lead forward of 1 found 1")
		hear(8, "order", ann, 2)
		check("an order that came late: there was no trial in between",
			"Trial>Customer forward of 6 found 6 and not so", "Lead>Trial forward of 4 found 4 and not so",
			"Lead>Customer skip of 3 found 9", ">Lead forward of 1 found 1")
		hear(10, "order", ann, 1)
		check("one from still earlier",
			"Customer>Fan correction of 6 found 11 then", "Trial>Customer forward of 6 found 6 and not so", "Customer>Fan forward of 6 found 11", "Lead>Trial forward of 4 found 4 and not so",
			"Lead>Customer skip of 2 found 11", ">Lead forward of 1 found 1")
		at(day(12))
		l.publish(admin, strings.Replace(kindsPlan, ">= 3", ">= 4", 1))
		check("another plan", "Fan>Customer publish of 2 found 13 then", "Customer>Fan correction of 6 found 11 then",
			"Trial>Customer forward of 6 found 6 and not so", "Lead>Trial forward of 4 found 4 and not so",
			"Lead>Customer skip of 2 found 11", ">Lead forward of 1 found 1")
		at(day(13))
		l.publish(admin, kindsPlan)
		hear(14, "seen", `{"user":"ann"}`, 0)
		hear(15, "seen", `{"user":"ann","email":"ann@example.com"}`, 15)
		check("the plan taken back, and a join",
			"Customer>Fan rollback of 6 found 14 then", "Fan>Customer publish of 2 found 13 then", "Customer>Fan correction of 6 found 11 then",
			"Trial>Customer forward of 6 found 6 and not so", "Customer>Fan forward of 6 found 11", "Lead>Trial forward of 4 found 4 and not so",
			"Lead>Customer skip of 2 found 11", ">Lead forward of 1 found 1")
	})
}

// TestHistoryInAnyOrder: in whatever order and batches events arrive, each
// person's history is the same but for the times at which moves were found; and
// a move that stays goes on to say when that was first.
func TestHistoryInAnyOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		events := randomStory(r, 40+r.IntN(40), r.IntN(2) == 0)
		want := histories(t, storetest.SQLite(t), [][]told{events})
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if diff := cmp.Diff(want, histories(t, s, cutUp(r, events))); diff != "" {
			t.Fatalf("another order gives other histories (-one batch +shuffled):\n%s", diff)
		}
	})
}

// histories tells batches an hour apart and gives what everybody went through.
func histories(t *testing.T, s *store.Store, batches [][]told) string {
	t.Helper()
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{})
	last := l.now.Add(100 * time.Hour)
	known := map[store.MoveName]lifecycle.Instant{} // the history of everybody
	ever := map[lifecycle.Instant]bool{}
	var lines []string
	for _, b := range append(batches, nil) {
		if l.now = l.now.Add(time.Hour); b == nil {
			l.now = last
			l.tick()
		} else {
			l.tell("crm", b...)
			l.process()
		}
		ever[lifecycle.At(l.now)] = true
		next := map[store.MoveName]lifecycle.Instant{}
		lines = lines[:0]
		for _, p := range l.everyone() {
			line := fmt.Sprint(p.Keys)
			for _, m := range l.moves(p.ID) {
				if !m.History {
					continue
				}
				before, stays := known[m.Name()]
				if stays && m.Decided > before {
					t.Errorf("%+v was found at %d, and is now at %d", m, before, m.Decided)
				}
				if !ever[m.Decided] {
					t.Errorf("%+v was found when nothing was looked at", m)
				}
				next[m.Name()] = m.Decided
				line += fmt.Sprintf(" | %s>%s %s %d %s %v", m.From, m.To, m.Kind, m.At, m.Cause.Event, m.Cause.Entered)
			}
			lines = append(lines, line)
		}
		known = next
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// everyone gives all people's rows.
func (l *lab) everyone() (all []*store.Person) {
	l.t.Helper()
	for after := ""; ; {
		page, err := l.store.People(l.t.Context(), store.PeopleFilter{After: after, Limit: 200})
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, page.People...)
		if after = page.Next; after == "" {
			return all
		}
	}
}
