package summary

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const testNow = lifecycle.Instant(1_800_000_000_000_000)

// numbers of people are around the ends of blocks, and far from each other.
func numbers() []int64 { return []int64{1, 2, 1022, 1023, 1024, 1025, 3000} }

// world is a store and what is in it.
type world struct {
	t      *rapid.T
	tb     *testing.T
	s      *store.Store
	plan   *lifecycle.Plan
	keeper *Keeper
	events map[lifecycle.ProfileID][]lifecycle.Event // of live people
	n      int
}

// twoLifecycles is the plan classic with a further lifecycle.
var twoLifecycles = sync.OnceValue(func() *lifecycle.Plan {
	source, _ := plans.Source("classic")
	plan, err := lifecycle.ParsePlan("plan.yaml", append(source, `
lifecycles:
  care:
    events: ['Ticket:*', 'Survey:*']
    stages:
      - { name: Calm }
      - { name: Heard, when: 'seen("Survey:Answered")' }
      - { name: Quiet, side: true, when: 'inactive("300d")' }
`...), plans.Vocabulary())
	if err != nil {
		panic(err)
	}
	return plan
})

func newWorld(tb *testing.T, s *store.Store, t *rapid.T) *world {
	plan := twoLifecycles()
	planOf := func(lifecycle.ProfileID) *lifecycle.Plan { return plan }
	return &world{t: t, tb: tb, s: s, plan: plan, events: map[lifecycle.ProfileID][]lifecycle.Event{},
		keeper: &Keeper{Store: s, Plans: func() PlanOf { return planOf }, Now: func() lifecycle.Instant { return testNow }}}
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

// live draws somebody who is there.
func (w *world) live(label string) lifecycle.ProfileID {
	var ids []lifecycle.ProfileID
	for id := range w.events {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return rapid.SampledFrom(ids).Draw(w.t, label)
}

// save writes people as the plan derives them from their events.
func (w *world) save(tx *store.Tx, ids ...lifecycle.ProfileID) error {
	for _, id := range ids {
		prof, _ := w.plan.Derive(id, w.events[id], testNow)
		state, err := prof.AppendBinary(nil)
		if err != nil {
			return err
		}
		if err := tx.SavePeopleTx(w.tb.Context(), []*store.Person{{ID: id, State: state, Stage: prof.Stage}}); err != nil {
			return err
		}
	}
	return nil
}

// add tells something of somebody, who may be new.
func (w *world) add() {
	id := lifecycle.ProfileID(rapid.SampledFrom(numbers()).Draw(w.t, "person"))
	if _, there := w.events[id]; !there {
		people, err := w.s.PeopleByID(w.tb.Context(), []lifecycle.ProfileID{id})
		w.must(err)
		if len(people) > 0 {
			return // was merged into somebody else
		}
	}
	w.n++
	e := lifecycle.Event{
		ID: lifecycle.NewEventID("crm", []byte{byte(w.n), byte(w.n >> 8)}, 0), Connection: rapid.SampledFrom([]string{"crm", "shop"}).Draw(w.t, "connection"), Inbox: int64(w.n),
		Name:     lifecycle.EventName(rapid.SampledFrom([]string{"Order:Completed", "Newsletter:Subscribed", "Ticket:Opened", "Survey:Answered"}).Draw(w.t, "name")),
		At:       testNow - lifecycle.Instant(rapid.Int64Range(1, 1e15).Draw(w.t, "ago")),
		Identity: []lifecycle.Key{{Namespace: "user", Value: "u"}}, BusinessKey: rapid.SampledFrom([]string{"", "a", "b"}).Draw(w.t, "key"),
		Properties: map[string]any{"score": int64(w.n), "url": "https://example.com"},
		Traits:     []lifecycle.Trait{{Name: "company", Value: "Acme", At: testNow - 5}, {Name: "email", Value: "ann@example.com", At: testNow - 5}, {Name: "lead_score", Value: int64(w.n), At: testNow - 5}},
	}
	if rapid.Bool().Draw(w.t, "money") {
		e.Value = &lifecycle.Money{Micros: int64(w.n) * 10_000, Currency: "EUR"}
	}
	w.events[id] = append(w.events[id], e)
	w.must(w.s.Derived(w.tb.Context(), func(tx *store.Tx) error {
		if err := tx.AddEventsTx(w.tb.Context(), []store.Stored{{Person: id, Event: e}}); err != nil {
			return err
		}
		return w.save(tx, id)
	}))
}

func (w *world) merge() {
	if len(w.events) < 2 {
		return
	}
	loser, survivor := w.live("loser"), w.live("survivor")
	if loser == survivor {
		return
	}
	w.events[survivor] = append(w.events[survivor], w.events[loser]...)
	delete(w.events, loser)
	w.must(w.s.Derived(w.tb.Context(), func(tx *store.Tx) error {
		ids := func(id lifecycle.ProfileID) []lifecycle.ProfileID { return []lifecycle.ProfileID{id} }
		if err := tx.MergeTx(w.tb.Context(), ids(loser), ids(survivor), []lifecycle.Instant{testNow}, make([]lifecycle.EventID, 1), []int64{0}); err != nil {
			return err
		}
		if err := tx.SavePeopleTx(w.tb.Context(), []*store.Person{{ID: loser, Merged: survivor}}); err != nil {
			return err
		}
		return w.save(tx, survivor)
	}))
}

// split gives the newest event of one person to another.
func (w *world) split() {
	if len(w.events) < 2 {
		return
	}
	from, to := w.live("from"), w.live("to")
	last := len(w.events[from]) - 1
	if from == to || last < 1 {
		return
	}
	e := w.events[from][last]
	w.events[from], w.events[to] = w.events[from][:last:last], append(w.events[to], e)
	w.must(w.s.Derived(w.tb.Context(), func(tx *store.Tx) error {
		if err := tx.MoveEventsTx(w.tb.Context(), []store.MovedEvent{{From: from, To: to, At: e.At, ID: e.ID}}); err != nil {
			return err
		}
		return w.save(tx, from, to)
	}))
}

// erase takes somebody out of the store.
func (w *world) erase(id lifecycle.ProfileID) {
	inbox := make([]int64, 0, len(w.events[id]))
	for i := range w.events[id] {
		inbox = append(inbox, w.events[id][i].Inbox)
	}
	delete(w.events, id)
	w.must(w.s.Derived(w.tb.Context(), func(tx *store.Tx) error {
		if _, err := tx.RetractTx(w.tb.Context(), inbox); err != nil {
			return err
		}
		return tx.DropPeopleTx(w.tb.Context(), []lifecycle.ProfileID{id})
	}))
}

// told is what readers are given.
func (w *world) told() []*Person {
	var all []*Person
	fresh, err := Each(w.tb.Context(), w.s, w.keeper.Plans(), testNow, All(), func(p *Person) error {
		c := *p
		c.Segments, c.Moves, c.Traits, c.Events = slices.Clone(p.Segments), slices.Clone(p.Moves), slices.Clone(p.Traits), slices.Clone(p.Events)
		c.Courses = slices.Clone(p.Courses)
		for i := range c.Courses {
			c.Courses[i].Moves = slices.Clone(c.Courses[i].Moves)
		}
		for i := range c.Events {
			c.Events[i].Properties = slices.Clone(c.Events[i].Properties)
		}
		all = append(all, &c)
		return nil
	})
	if err != nil || fresh.AsOf != testNow || fresh.Waiting != 0 {
		w.t.Fatalf("%+v, %v", fresh, err)
	}
	return all
}

// truth sums everybody up from what is stored.
func (w *world) truth() []*Person {
	people, err := w.s.Scan(w.tb.Context(), 0, 0, 1000)
	w.must(err)
	all, err := sumUp(NewMaker(w.keeper.Plans()), people, testNow, nil)
	w.must(err)
	return all
}

func (w *world) same(what string) {
	if diff := cmp.Diff(w.truth(), w.told(), cmpopts.EquateEmpty()); diff != "" {
		w.t.Fatalf("%s (-stored +told):\n%s", what, diff)
	}
}

// postgresChecks bounds the histories on PostgreSQL, where each takes the way
// over the network; what it does differently shows in a few.
const postgresChecks = 15

// TestKept: whatever happens to people, and whenever summaries follow, readers
// are told the same as though everybody were summed up anew.
func TestKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		checks := 0
		rapid.Check(t, func(rt *rapid.T) {
			if checks++; s.Postgres() && checks > postgresChecks {
				return
			}
			w := newWorld(t, s, rt)
			w.clear()
			if rapid.Bool().Draw(rt, "built first") {
				w.must(w.keeper.Build(t.Context(), nil))
			}
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				switch rapid.IntRange(0, 9).Draw(rt, "step") {
				case 0:
					w.merge()
				case 1:
					w.split()
				case 2:
					if len(w.events) > 0 {
						w.erase(w.live("erased"))
					}
				case 3:
					_, err := w.keeper.Fold(t.Context(), rapid.IntRange(1, 5).Draw(rt, "most"))
					w.must(err)
				case 4:
					w.same("on the way")
				default:
					w.add()
				}
			}
			w.same("at the end")
			w.must(w.keeper.Build(t.Context(), nil))
			w.same("built")
			for n := 1; n > 0; {
				var err error
				n, err = w.keeper.Fold(t.Context(), 3)
				w.must(err)
			}
			w.same("folded")
			w.must(s.NoteSummaries(t.Context(), 0, 0))
			w.must(w.keeper.Build(t.Context(), nil))
			w.same("rebuilt")
		})
	})
}

// clear begins a check with nobody, and with summaries that are yet to be made.
func (w *world) clear() {
	people, err := w.s.Scan(w.tb.Context(), 0, 0, 1000)
	w.must(err)
	for i := range people {
		w.events[people[i].Person.ID] = people[i].Events
		w.erase(people[i].Person.ID)
	}
	for _, id := range numbers() {
		w.erase(lifecycle.ProfileID(id)) // who was merged
	}
	w.must(w.s.NoteSummaries(w.tb.Context(), 0, 0))
}
