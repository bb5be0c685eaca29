package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const claimedRules = `
rules:
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", identity: { email: body.email, user: body.user }, stage: body.stage } }
  - { name: order, type: order, emit: { event: "Order:Completed", identity: { email: body.email, user: body.user } } }
`

// conflictsAfter tells batches to two connections and gives the list of
// conflicts of each person as it is stored, by key.
func conflictsAfter(t *testing.T, s *store.Store, batches [][]told) map[string][]string {
	t.Helper()
	l := newLab(t, s)
	l.now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	if _, err := s.PublishPlan(t.Context(), 0, store.Versioned{Source: `
name: claims
stages: [ { name: Lead }, { name: Customer, when: 'seen("Order:Completed")' }, { name: Fan, when: 'count("Order:Completed") >= 3' } ]
claims: { crm: { mode: hold, for: 5d }, shop: advance }
back: [ { from: Fan, policy: after 3d } ]
`}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"crm", "shop"} {
		l.connect(id, connectors.PushConfig{})
		if _, err := s.PublishRules(t.Context(), id, 0, store.Versioned{Source: claimedRules}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		l.tell([]string{"crm", "shop"}[i%2], b...)
		l.process()
	}
	lists, people := map[string][]string{}, map[lifecycle.ProfileID]string{}
	err := s.EachPerson(t.Context(), func(p *store.Person) error {
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return err
		}
		page, err := s.Conflicts(t.Context(), store.ConflictFilter{Person: p.ID})
		if err != nil {
			return err
		}
		people[p.ID] = p.Keys[0]
		var kept []lifecycle.Conflict
		for _, c := range slices.Backward(page.Conflicts) {
			kept = append(kept, c.Conflict)
			lists[p.Keys[0]] = append(lists[p.Keys[0]], fmt.Sprintf("%d %s %s %s %s %s", c.At, c.Connection, c.Stage, c.Reason, c.Won, c.By))
		}
		if diff := cmp.Diff(slices.Collect(prof.Conflicts()), kept); diff != "" {
			t.Errorf("person %d (-profile +list):\n%s", p.ID, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checkByConnection(t, s, people)
	return lists
}

// checkByConnection pages through a connection's conflicts: the newest first,
// each once, and of nobody who is no more.
func checkByConnection(t *testing.T, s *store.Store, people map[lifecycle.ProfileID]string) {
	t.Helper()
	total := 0
	for _, connection := range []string{"crm", "shop"} {
		f := store.ConflictFilter{Connection: connection, Limit: 3}
		for last := lifecycle.Instant(1 << 62); ; {
			page, err := s.Conflicts(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Conflicts {
				if c.At > last || c.Connection != connection || people[c.Person] == "" {
					t.Errorf("out of place: %+v", c)
				}
				last = c.At
				total++
			}
			if f.After = page.Next; f.After == "" {
				break
			}
		}
	}
	want := 0
	for id := range people {
		page, err := s.Conflicts(t.Context(), store.ConflictFilter{Person: id})
		if err != nil {
			t.Fatal(err)
		}
		want += len(page.Conflicts)
	}
	if total != want {
		t.Errorf("%d conflicts by connection, %d by person", total, want)
	}
}

// The list of conflicts is the same in any order of arrival, with merges and
// more claims than a person remembers.
func TestConflictsInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkConflicts(t, open)
		})
	}
}

func checkConflicts(t *testing.T, open func(testing.TB) *store.Store) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var batches [][]told
	for range 14 {
		var b []told
		for range 1 + r.IntN(5) {
			who := r.IntN(3)
			keys := []string{fmt.Sprintf(`"email":"p%d@example.com"`, who), fmt.Sprintf(`"user":"u%d"`, who)}[r.IntN(2)]
			if r.IntN(12) == 0 {
				keys = fmt.Sprintf(`"email":"p%d@example.com","user":"u%d"`, who, who)
			}
			kind := []string{"claim", "claim", "claim", "order"}[r.IntN(4)]
			stage := []string{"Lead", "Customer", "Fan", "Nobody"}[r.IntN(4)]
			b = append(b, told{kind, start.Add(time.Duration(r.IntN(600)) * time.Hour), fmt.Sprintf(`{%s,"stage":%q}`, keys, stage)})
		}
		batches = append(batches, b)
	}
	want := conflictsAfter(t, open(t), batches)
	if len(want) == 0 {
		t.Fatal("nobody has a conflict")
	}
	shuffled := make([][]told, len(batches))
	for i, at := range r.Perm(len(batches) / 2) {
		shuffled[2*i], shuffled[2*i+1] = batches[2*at], batches[2*at+1] // each to its own connection
	}
	if diff := cmp.Diff(want, conflictsAfter(t, open(t), shuffled)); diff != "" {
		t.Errorf("another order gives other conflicts (-one +other):\n%s", diff)
	}
}
