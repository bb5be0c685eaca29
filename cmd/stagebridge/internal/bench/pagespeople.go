package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// peopleRows are what a transaction stores of some people.
type peopleRows struct {
	people      []*store.Person
	keys        []string
	owners      []lifecycle.ProfileID
	events      []store.Stored
	moves       []store.Transition
	memberships []store.Membership
	counts      map[string]int64
	err         error
}

// FillPeople stores people under a plan with their keys, events, moves and
// memberships, as processing would have left them. It answers how many events
// there are.
func FillPeople(ctx context.Context, s *store.Store, plan *lifecycle.Plan, z PagesSize, now time.Time, told func(format string, args ...any)) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	starts, made := make(chan int), make(chan *peopleRows)
	var workers sync.WaitGroup
	for range pagesWorkers() {
		workers.Go(func() {
			for from := range starts {
				select {
				case made <- z.derive(plan, from, lifecycle.At(now)):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		defer close(made)
		defer workers.Wait()
		defer close(starts)
		for from := 1; from <= z.People; from += peoplePerTx {
			select {
			case starts <- from:
			case <-ctx.Done():
				return
			}
		}
	}()
	var events, people int64
	began := time.Now()
	for rows := range made {
		if err := errors.Join(rows.err, ctx.Err()); err != nil {
			return events, err
		}
		if err := s.Derived(ctx, func(t *store.Tx) error { return rows.store(ctx, t) }); err != nil {
			return events, err
		}
		events, people = events+int64(len(rows.events)), people+int64(len(rows.people))
		if people%100_000 == 0 {
			told("people: %d of %d, %.0f a second", people, z.People, float64(people)/time.Since(began).Seconds())
		}
	}
	return events, ctx.Err()
}

func (r *peopleRows) store(ctx context.Context, t *store.Tx) error {
	for _, err := range []error{t.SavePeopleTx(ctx, r.people), t.ClaimKeysTx(ctx, r.keys, r.owners), t.AddEventsTx(ctx, r.events),
		t.AddTransitionsTx(ctx, r.moves), t.ChangeMembershipsTx(ctx, r.memberships, nil)} {
		if err != nil {
			return err
		}
	}
	for name, n := range r.counts {
		t.CountTx("", name, n)
	}
	return nil
}

// derive makes the rows of the people from one number on.
func (z PagesSize) derive(plan *lifecycle.Plan, from int, now lifecycle.Instant) *peopleRows {
	r := &peopleRows{counts: map[string]int64{}}
	for id := lifecycle.ProfileID(from); id < lifecycle.ProfileID(min(from+peoplePerTx, z.People+1)); id++ {
		events := z.lifeOf(id, now)
		prof, moves := plan.Derive(id, events, now)
		state, err := prof.AppendBinary(nil)
		if err != nil {
			r.err = fmt.Errorf("bench: person %d: %w", id, err)
			return r
		}
		keys := []string{fmt.Sprintf("email:person%d@example.com", id), fmt.Sprintf("user:u%d", id)}
		r.people = append(r.people, &store.Person{ID: id, Keys: keys, State: state, Stage: prof.Stage, Since: prof.Since, NextCheck: prof.NextCheck, LastSeen: prof.LastSeen})
		r.keys, r.owners = append(r.keys, keys...), append(r.owners, id, id)
		r.counts["stage:"+string(prof.Stage)]++
		for _, m := range prof.Segments {
			r.memberships = append(r.memberships, store.Membership{Segment: m.Name, Person: id, Since: m.Since})
			r.counts["segment:"+string(m.Name)]++
		}
		for _, e := range events {
			r.events = append(r.events, store.Stored{Person: id, Event: e})
		}
		for _, m := range moves {
			r.moves = append(r.moves, store.Transition{Person: id, Seq: m.Seq, Lifecycle: m.Lifecycle, History: true, Announce: true, From: m.From, To: m.To,
				Kind: string(m.Kind), At: m.At, Decided: m.Decided,
				Cause: store.Cause{Event: m.Event.String(), Inbox: m.Inbox, Condition: m.Condition, Plan: m.PlanVersion, Entered: m.Entered, Exited: m.Exited, Skipped: m.Skipped}})
		}
	}
	r.sort()
	return r
}

// sort brings the keys into their order, which claiming asks for.
func (r *peopleRows) sort() {
	order := make([]int, len(r.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(r.keys[a], r.keys[b]) })
	keys, owners := make([]string, len(order)), make([]lifecycle.ProfileID, len(order))
	for i, at := range order {
		keys[i], owners[i] = r.keys[at], r.owners[at]
	}
	r.keys, r.owners = keys, owners
}

// lifeOf is somebody's life with the raw events behind it; some people's
// differ: the longest past, and those that the raw event of many tells of.
func (z PagesSize) lifeOf(id lifecycle.ProfileID, now lifecycle.Instant) []lifecycle.Event {
	events := life(int64(id), now)
	first := (int64(id)-1)*int64(z.perPerson()) + 1
	for i := range events {
		events[i].Inbox = first + int64(min(i, z.perPerson()-1))
	}
	t := &teller{id: int64(id), events: events}
	if id == z.longest() {
		for i := range longLife {
			t.at = now.Add(-time.Duration(i+1) * time.Hour)
			t.tell("site", "Page:Viewed", "", 0, map[string]any{"path": fmt.Sprint("/pricing/", i)})
		}
	}
	if id <= crowded {
		t.at = now.Add(-time.Hour)
		t.tell("crm", "Lead:Contacted", "", 0, map[string]any{"channel": "mail"})
		t.events[len(t.events)-1].Inbox = z.crowded()
	}
	return t.events
}
