package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestHomes does the same to two stores, one of which moves every past and one
// that leaves all but the shortest where they stand: nobody who reads may see a
// difference.
func TestHomes(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.NewDatabase(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			t.Log("seed", seed)
			var pasts [2]*past
			for i, most := range []int{1_000_000, 1} {
				o := options(t)
				o.MovedAtMost = most
				pasts[i] = newPast(t, storetest.Open(t, o))
			}
			random := rand.New(rand.NewPCG(seed, 0))
			for n := range 30 {
				do := pasts[0].choose(random)
				if n == 0 {
					do = merges
				}
				var told [2]string
				for i, p := range pasts {
					told[i] = do(p)
				}
				if diff := cmp.Diff(told[0], told[1]); diff != "" {
					t.Fatalf("(-moved +left) %s", diff)
				}
			}
			if diff := cmp.Diff(pasts[0].everything(), pasts[1].everything()); diff != "" {
				t.Fatalf("(-moved +left) %s", diff)
			}
			if pasts[1].left() == 0 || pasts[0].left() > 0 {
				t.Errorf("%d and %d numbers with the events of others: the test tries nothing", pasts[0].left(), pasts[1].left())
			}
		})
	}
}

// past is a store with people who have events, and what was done to them.
type past struct {
	*testing.T
	s      *store.Store
	people []lifecycle.ProfileID // who is still somebody
	all    []lifecycle.ProfileID
	next   byte
	of     map[byte]lifecycle.ProfileID // whose each event is
}

// merges joins two who have a past, and the one of them to a third, and takes
// and moves away what stands where it stood first.
func merges(p *past) string {
	first, second, third := p.people[0], p.people[1], p.people[2]
	told := p.add(third, 4) + p.add(second, 3)
	return told + p.merge(second, third) + p.merge(first, second) + p.remove(0) + p.move(1, p.people[1])
}

func newPast(t *testing.T, s *store.Store) *past {
	p := &past{T: t, s: s, of: map[byte]lifecycle.ProfileID{}}
	first, err := s.PersonIDs(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*store.Person
	for id := first; id < first+8; id++ {
		p.people, p.all = append(p.people, id), append(p.all, id)
		rows = append(rows, &store.Person{ID: id, State: []byte{1}, Stage: "Visit"})
	}
	p.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePeopleTx(ctx, rows) })
	return p
}

func (p *past) write(fn func(context.Context, *store.Tx) error) {
	p.Helper()
	if err := p.s.Derived(p.Context(), func(tx *store.Tx) error { return fn(p.Context(), tx) }); err != nil {
		p.Fatal(err)
	}
}

func at(n byte) lifecycle.Instant { return lifecycle.Instant(100 + n/3) } // some at the same moment

func numbered(n byte) lifecycle.Event {
	return lifecycle.Event{ID: lifecycle.EventID{n * 37, n}, At: at(n), Name: "Order:Completed", Connection: "crm", Inbox: int64(n/2) + 1, BusinessKey: fmt.Sprint("o", n%5)}
}

// choose draws what happens next; the numbers it names are the same for both.
func (p *past) choose(random *rand.Rand) func(*past) string {
	a, b := random.IntN(len(p.people)), random.IntN(len(p.people))
	number := byte(random.IntN(int(p.next) + 1))
	switch kind := random.IntN(10); {
	case kind < 5:
		n := 1 + random.IntN(4)
		return func(p *past) string { return p.add(p.people[a], n) }
	case kind < 7 && a != b && len(p.people) > 3:
		return func(p *past) string { return p.merge(p.people[min(a, b)], p.people[max(a, b)]) }
	case kind < 8:
		return func(p *past) string { return p.move(number, p.people[b]) }
	case kind < 9:
		return func(p *past) string { return p.retract(int64(number/2) + 1) }
	}
	return func(p *past) string { return p.remove(number) }
}

func (p *past) add(to lifecycle.ProfileID, n int) string {
	var all []store.Stored
	for range n {
		if p.next == 200 {
			break
		}
		p.of[p.next] = to
		all = append(all, store.Stored{Person: to, Event: numbered(p.next)})
		p.next++
	}
	p.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddEventsTx(ctx, all) })
	return p.everything()
}

func (p *past) merge(survivor, loser lifecycle.ProfileID) string {
	p.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.MergeTx(ctx, []lifecycle.ProfileID{loser}, []lifecycle.ProfileID{survivor}, []lifecycle.Instant{1}, []lifecycle.EventID{{1}}, []int64{1}); err != nil {
			return err
		}
		return tx.SavePeopleTx(ctx, []*store.Person{{ID: loser, Merged: survivor}})
	})
	p.people = slices.DeleteFunc(p.people, func(id lifecycle.ProfileID) bool { return id == loser })
	for n, of := range p.of {
		if of == loser {
			p.of[n] = survivor
		}
	}
	return p.everything()
}

func (p *past) move(n byte, to lifecycle.ProfileID) string {
	from, ok := p.of[n]
	if !ok || from == to {
		return ""
	}
	p.of[n] = to
	p.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.MoveEventsTx(ctx, []store.MovedEvent{{From: from, To: to, At: at(n), ID: numbered(n).ID}})
	})
	return p.everything()
}

func (p *past) remove(n byte) string {
	of, ok := p.of[n]
	if !ok {
		return ""
	}
	delete(p.of, n)
	p.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.RemoveEventsTx(ctx, []store.Stored{{Person: of, Event: numbered(n)}})
	})
	return p.everything()
}

func (p *past) retract(inbox int64) string {
	var whose []lifecycle.ProfileID
	p.write(func(ctx context.Context, tx *store.Tx) (err error) {
		whose, err = tx.RetractTx(ctx, []int64{inbox})
		return err
	})
	slices.Sort(whose)
	maps.DeleteFunc(p.of, func(n byte, _ lifecycle.ProfileID) bool { return numbered(n).Inbox == inbox })
	return fmt.Sprintln("retracted of", whose) + p.everything()
}

// left counts the numbers under which events of others stand.
func (p *past) left() int64 {
	_, rows, err := p.s.Ask(p.Context(), "select count(*) as n from homes")
	if err != nil {
		p.Fatal(err)
	}
	return rows[0]["n"].(int64)
}

// everything is what all who read events are told.
func (p *past) everything() string {
	p.Helper()
	ctx, s := p.Context(), p.s
	var b strings.Builder
	must := func(what string, v any, err error) {
		p.Helper()
		if err != nil {
			p.Fatal(what, err)
		}
		fmt.Fprintln(&b, what, v)
	}
	scanned, err := s.Scan(ctx, 0, 0, 100)
	must("scan", "", err)
	byID, err := s.PeopleByID(ctx, p.all)
	must("by id", "", err)
	for _, whole := range append(scanned, byID...) {
		fmt.Fprintln(&b, whole.Person.ID, whole.Person.Merged, short(whole.Events))
	}
	lean := map[lifecycle.ProfileID]string{}
	must("history", lean, s.EachHistory(ctx, p.people, func(id lifecycle.ProfileID, events []lifecycle.Event) error {
		lean[id] = short(events)
		return nil
	}))
	fmt.Fprintln(&b, lean)
	rows, err := s.EventsOfRows(ctx, []int64{1, 2, 3, 5, 8, 13, 21, 34, 55, 89})
	for inbox, events := range rows {
		slices.SortFunc(events, func(a, b store.Stored) int { return int(a.Event.ID[1]) - int(b.Event.ID[1]) })
		rows[inbox] = events
	}
	must("rows", rows, err)
	for _, id := range p.people {
		holdings, err := s.Holdings(ctx, id)
		must("holdings", holdings, err)
		for cursor, more := "", true; more; more = cursor != "" {
			var items []store.TimelineItem
			if items, cursor, err = s.Timeline(ctx, id, cursor, 3); err != nil {
				p.Fatal(err)
			}
			for _, it := range items {
				fmt.Fprint(&b, it.Event.ID[1], " ")
			}
		}
		for n := range p.next {
			if e, err := s.PersonEvent(ctx, id, numbered(n).ID); err == nil {
				fmt.Fprint(&b, "has ", e.ID[1])
			} else if !errors.Is(err, store.ErrNotFound) {
				p.Fatal(err)
			}
		}
	}
	p.write(func(ctx context.Context, tx *store.Tx) error {
		stored, err := tx.EventsTx(ctx, p.people)
		must("events", len(stored), err)
		var ask []store.Evidence
		for _, id := range p.people {
			fmt.Fprintln(&b, id, short(stored[id]))
			for n := range 5 {
				ask = append(ask, store.Evidence{Person: id, Name: "Order:Completed", Key: fmt.Sprint("o", n)})
			}
		}
		found, err := tx.EvidenceTx(ctx, ask)
		for _, a := range ask {
			fmt.Fprint(&b, found[a].ID[1], " ")
		}
		must("evidence", len(found), err)
		counts, err := tx.CountEventsTx(ctx, p.people)
		must("counts", counts, err)
		return err
	})
	_, explored, err := s.Ask(ctx, "select person_id, event_id from explore_events order by 1, 2")
	must("explored", explored, err)
	return b.String()
}

// short is the numbers of events.
func short(events []lifecycle.Event) string {
	var b strings.Builder
	for i := range events {
		fmt.Fprint(&b, events[i].ID[1], "@", events[i].At, " ")
	}
	return b.String()
}
