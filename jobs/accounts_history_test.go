package jobs_test

import (
	"fmt"
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

// accountMoves gives an account's moves, the oldest first.
func (l *lab) accountMoves(key string) []string {
	l.t.Helper()
	moves, err := l.store.AccountMoves(l.t.Context(), key, 0, 200)
	if err != nil {
		l.t.Fatal(err)
	}
	lines := make([]string, len(moves))
	for i, m := range moves {
		if m.Seq != int64(len(moves)-i) {
			l.t.Errorf("move %d of %d has the number %d", len(moves)-i, len(moves), m.Seq)
		}
		lines[len(moves)-1-i] = fmt.Sprintf("%s>%s %s %v", m.From, m.To, m.Cause.Kind, m.Cause.Skipped)
	}
	return lines
}

// TestAccountMovesHaveKinds: each move of an account says of what kind it is, and
// the moves outlive an account that everybody has left, until somebody comes back.
func TestAccountMovesHaveKinds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{})
		start := l.now.AddDate(0, 0, -100)
		hear := func(day int, kind, body string, at int) {
			l.now = start.AddDate(0, 0, day)
			l.tell("crm", told{kind, start.AddDate(0, 0, at), body})
			l.process()
		}
		const key = "domain:acme.example.com"
		hear(0, "signup", `{"user":"ann","email":"ann@acme.example.com"}`, 0)
		hear(1, "order", `{"user":"ann","order":"1","amount":"400"}`, 1)
		hear(2, "signup", `{"user":"bo","email":"bo@acme.example.com"}`, 2)
		l.now = start.AddDate(0, 0, 50)
		l.tick()
		hear(51, "signup", `{"user":"bo"}`, 51)
		hear(52, "demo", `{"user":"bo"}`, 0)
		if diff := cmp.Diff([]string{
			">Known forward []", "Known>Client skip [Interested]", "Client>Client segments []", "Client>Quiet forward []", "Quiet>Client back []",
		}, l.accountMoves(key)); diff != "" {
			t.Fatalf("moves (-want +got):\n%s", diff)
		}
		l.put(strings.Replace(accountsPlan, ">= 300", ">= 500", 1))
		hear(53, "order", `{"user":"bo","order":"2","amount":"90"}`, 20)
		for i, who := range []string{"ann", "bo"} {
			hear(54+i, "employer", fmt.Sprintf(`{"user":%q,"group":"9"}`, who), 54+i)
		}
		if a, err := s.Account(t.Context(), key); err == nil {
			t.Fatalf("there is still %+v", a)
		}
		hear(60, "signup", `{"user":"cy","email":"cy@acme.example.com"}`, 60)
		if diff := cmp.Diff([]string{
			"Client>Known publish []", "Known>Client correction []", "Client>Known back []", "Known> emptied []", ">Known re-entry []",
		}, l.accountMoves(key)[5:]); diff != "" {
			t.Errorf("later moves (-want +got):\n%s", diff)
		}
	})
}

// TestRollBackRestoresAccounts: going back to an earlier plan gives every account
// the stage and segments it had under it, and its moves say so.
func TestRollBackRestoresAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLab(t, s)
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{})
		l.tell("crm", companyStory(r, 60)...)
		l.process()
		first, err := (&jobs.Admin{Registry: l.registry}).Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{
			strings.NewReplacer("- { name: Known }", "- { name: Seen }\n    - { name: Crowd, when: 'people >= 2' }", "two_or_more: people >= 2", "anybody: people >= 1").Replace(accountsPlan),
			strings.Split(accountsPlan, "accounts:")[0],
		} {
			before := l.accounts()
			l.put(other)
			if l.accounts() == before {
				t.Error("another plan changes nothing")
			}
			admin, works := l.planned()
			if _, _, err := admin.RollBack(t.Context(), first.Version, "ann", ""); err != nil {
				t.Fatal(err)
			}
			l.finish(works)
			l.checkAccounts()
			if diff := cmp.Diff(before, l.accounts()); diff != "" {
				t.Errorf("going back does not restore (-before +after):\n%s", diff)
			}
		}
		all, _, err := s.Accounts(t.Context(), store.AccountFilter{Limit: 200})
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		for _, a := range all {
			moves := l.accountMoves(a.Key)
			if last := moves[len(moves)-1]; !strings.Contains(last, string(lifecycle.KindRollback)) {
				t.Errorf("%s: the last move is %s", a.Key, last)
			}
		}
	})
}

// TestAccountsAreToldAlikeInAnyOrder: what a vendor holds of accounts at the end
// does not depend on the order of arrival.
func TestAccountsAreToldAlikeInAnyOrder(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	events := companyStory(r, 60)
	told := func() map[string]connectors.State {
		l := newLab(t, storetest.SQLite(t))
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{Enabled: true, Segments: "none", Accounts: &connectors.PushConfig{Enabled: true, Create: true, Segments: "all"}})
		for _, batch := range cutUp(r, events) {
			l.tell("crm", batch...)
			l.process()
		}
		l.tick()
		l.now = time.Now().Add(time.Minute) // due times are those of the database
		if err := l.push("crm"); err != nil {
			t.Fatal(err)
		}
		all, _, err := l.store.Accounts(t.Context(), store.AccountFilter{Limit: 200})
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		held := map[string]connectors.State{}
		for _, a := range all {
			held[a.Key] = l.vendor.accounts[a.Key].Want
		}
		return held
	}
	want := told()
	r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	if diff := cmp.Diff(want, told()); diff != "" {
		t.Errorf("another order tells a vendor something else (-first +other):\n%s", diff)
	}
}
