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

const accountsPlan = `
name: companies
stages:
  - { name: Visit }
  - { name: Lead, when: 'seen("Demo:Requested")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
accounts:
  by: [group:crm, domain]
  stages:
    - { name: Known }
    - { name: Interested, when: 'any(within("Demo:Requested", "20d"))' }
    - { name: Client, when: 'count(stage == "Customer") >= 2 || sum("Order:Completed", "EUR") >= 300' }
    - { name: Quiet, when: 'all(inactive("30d"))' }
  segments:
    two_or_more: people >= 2
    client_without_news: 'stage == "Client" && !any(seen("Newsletter:Subscribed"))'
`

// TestAccountsFollowTheirPeople: whatever is told in whatever order, in any
// batches and again, with people who join, part, move to another company and
// are taken back, each account is what all its people together make of it.
func TestAccountsFollowTheirPeople(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for round := range 2 {
			seed := uint64(time.Now().UnixNano())
			t.Logf("round %d, seed %d", round, seed)
			r := rand.New(rand.NewPCG(seed, 1))
			events := companyStory(r, 60+r.IntN(60))
			if round > 0 { // the same people on the same store would be others
				s = storetest.SQLite(t)
			}
			l := newLab(t, s)
			l.put(accountsPlan)
			l.connect("crm", connectors.PushConfig{Enabled: true})
			for _, batch := range cutUp(r, events) {
				l.tell("crm", batch...)
				l.process()
				l.checkAccounts()
			}
			l.shake(r)
			want := l.accounts()

			other := newLab(t, storetest.SQLite(t))
			other.connect("crm", connectors.PushConfig{Enabled: true})
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			half := len(events) / 2
			other.tell("crm", events[:half]...)
			other.process()
			other.put(accountsPlan) // whoever is there already is measured by publishing
			other.tell("crm", events[half:]...)
			other.process()
			other.now = l.now
			other.tick()
			other.checkAccounts()
			if diff := cmp.Diff(want, other.accounts()); diff != "" {
				t.Fatalf("another order gives other accounts (-first +other):\n%s", diff)
			}
		}
	})
}

// shake lets time pass, replays everything, and publishes plans without and
// with accounts; each leaves accounts what their people make of them.
func (l *lab) shake(r *rand.Rand) {
	l.t.Helper()
	for range 3 {
		l.now = l.now.Add(time.Duration(1+r.IntN(25)) * 24 * time.Hour)
		l.tick()
		l.checkAccounts()
	}
	before := l.accounts()
	l.replayAll()
	l.process()
	l.checkAccounts()
	l.put(strings.Split(accountsPlan, "accounts:")[0])
	if left := l.accounts(); left != "" {
		l.t.Fatalf("a plan without accounts leaves\n%s", left)
	}
	l.put(accountsPlan)
	l.checkAccounts()
	if diff := cmp.Diff(before, l.accounts()); diff != "" {
		l.t.Fatalf("accounts are others after a replay and two plans:\n%s", diff)
	}
}

// put publishes a plan and brings everybody to it.
func (l *lab) put(source string) {
	l.t.Helper()
	l.publish(&jobs.Admin{Registry: l.registry}, source)
}

func (l *lab) tick() {
	l.t.Helper()
	if err := l.processor.Tick(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// everybody gives all people with their profiles.
func (l *lab) everybody() []*lifecycle.Profile {
	l.t.Helper()
	var all []*lifecycle.Profile
	for after := ""; ; {
		page, err := l.store.People(l.t.Context(), store.PeopleFilter{After: after, Limit: 200})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, p := range page.People {
			prof, err := lifecycle.DecodeProfile(p.State)
			if err != nil {
				l.t.Fatal(err)
			}
			all = append(all, prof)
		}
		if after = page.Next; after == "" {
			return all
		}
	}
}

// checkAccounts makes every account of all people at once, as they are, and
// compares.
func (l *lab) checkAccounts() {
	l.t.Helper()
	plan, now := l.registry.Config().Plan, lifecycle.At(l.now)
	type account struct {
		people int64
		tally  lifecycle.Tally
		name   lifecycle.Member
	}
	made := map[string]*account{}
	for _, prof := range l.everybody() {
		m := plan.Member(prof, now)
		if m.Account == "" {
			continue
		}
		a := made[m.Account]
		if a == nil {
			a = &account{}
			made[m.Account] = a
		}
		a.people, a.tally = a.people+1, a.tally.Plus(m.Tally, 1)
		if m.Company != "" && m.Newer(a.name.Company, a.name.Since) {
			a.name = m
		}
	}
	var want []string
	for key, a := range made {
		state, settled := plan.AccountState(a.people, a.tally)
		want = append(want, fmt.Sprintf("%s: %d people, %s %v, %v, %q", key, a.people, state.Stage, state.Segments, settled, a.name.Company))
	}
	slices.Sort(want)
	if diff := cmp.Diff(strings.Join(want, "\n"), l.accounts()); diff != "" {
		l.t.Fatalf("accounts are not what their people make of them (-people +kept):\n%s", diff)
	}
}

func (l *lab) accounts() string {
	l.t.Helper()
	all, _, err := l.store.Accounts(l.t.Context(), store.AccountFilter{Limit: 200})
	if err != nil {
		l.t.Fatal(err)
	}
	var lines []string
	for _, a := range all {
		tally, err := lifecycle.DecodeTally(a.Tally)
		if err != nil {
			l.t.Fatal(err)
		}
		_, settled := l.registry.Config().Plan.AccountState(a.People, tally)
		lines = append(lines, fmt.Sprintf("%s: %d people, %s %v, %v, %q", a.Key, a.People, a.Stage, a.Segments, settled, a.Name))
		moves, err := l.store.AccountMoves(l.t.Context(), a.Key, 0, 1)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(moves) != 1 || moves[0].To != a.Stage || moves[0].Seq != a.Moves {
			l.t.Errorf("%s is %s after %d moves, the last of which is %+v", a.Key, a.Stage, a.Moves, moves)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// companyStory is about ten people of three domains and three companies, some
// of whom turn out to be one.
func companyStory(r *rand.Rand, n int) []told {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	types := []string{"signup", "news", "demo", "order", "employer", "employer"}
	domains := []string{"a.example.com", "b.example.com", "gmail.com"}
	all := make([]told, n)
	for i := range all {
		at := start.Add(time.Duration(r.IntN(58*24)) * time.Hour)
		who := r.IntN(10)
		user, email, group := fmt.Sprintf(`"u%d"`, who), fmt.Sprintf(`"p%d@%s"`, who, domains[who%3]), fmt.Sprintf(`%d`, r.IntN(3))
		switch r.IntN(5) {
		case 0:
			user = "null"
		case 1:
			email = "null"
		case 2:
			email = fmt.Sprintf(`"p%d@%s"`, who, domains[r.IntN(3)])
		}
		if r.IntN(3) == 0 {
			group = "null"
		}
		all[i] = told{types[r.IntN(len(types))], at, fmt.Sprintf(`{"user":%s,"email":%s,"group":%s,"order":"o%d","amount":"%d.50","score":1,"company":"c%d"}`,
			user, email, group, r.IntN(20), r.IntN(200), r.IntN(4))}
	}
	return all
}

func cutUp(r *rand.Rand, events []told) (batches [][]told) {
	for len(events) > 0 {
		n := min(1+r.IntN(25), len(events))
		batches, events = append(batches, events[:n]), events[n:]
	}
	return batches
}

// An account's moves tell who and what caused them, and its name is that told
// last of anybody who is still in it.
func TestAccountMovesAndName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{})
		at := l.now.Add(-48 * time.Hour)
		l.tell("crm", told{"employer", at, `{"user":"ann","email":"ann@a.example.com","company":"Acme"}`})
		l.process()
		l.tell("crm", told{"demo", at.Add(time.Hour), `{"user":"ann"}`}, told{"employer", at.Add(2 * time.Hour), `{"user":"bo","email":"bo@a.example.com","company":"Acme Ltd"}`})
		l.process()
		a, err := s.Account(t.Context(), "domain:a.example.com")
		if err != nil {
			t.Fatal(err)
		}
		if a.Name != "Acme Ltd" || a.People != 2 || a.Stage != "Interested" {
			t.Errorf("the account is %+v", a)
		}
		moves, err := s.AccountMoves(t.Context(), a.Key, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(moves) != 2 || moves[1].To != "Known" || moves[0].From != "Known" || moves[0].To != "Interested" || moves[0].Cause.Entered[0] != "two_or_more" {
			t.Fatalf("moves: %+v", moves)
		}
		ann, _ := l.person("user:ann")
		if moves[1].Person != ann.ID || moves[1].At != lifecycle.At(at) {
			t.Errorf("the first move is put down to person %d at %d: %+v", ann.ID, lifecycle.At(at), moves[1])
		}
		l.tell("crm", told{"employer", at.Add(3 * time.Hour), `{"user":"bo","group":"77","company":"Acme Ltd"}`})
		l.process()
		if a, err = s.Account(t.Context(), a.Key); err != nil || a.Name != "Acme" || a.People != 1 {
			t.Errorf("after one left: %+v, %v", a, err)
		}
		people, more, err := s.AccountPeople(t.Context(), "group:crm:77", 0, 10)
		if err != nil || more || len(people) != 1 || people[0].Keys[0] != "user:bo" {
			t.Errorf("people of the other account: %v, %v, %v", people, more, err)
		}
		if key, err := s.AccountOf(t.Context(), ann.ID); err != nil || key != a.Key {
			t.Errorf("ann belongs to %q, %v", key, err)
		}
	})
}
