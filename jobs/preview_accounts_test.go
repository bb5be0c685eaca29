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
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestPreviewOfAccountsIsWhatPublishingDoes: for random lives and random edits
// of the plan, for everybody or a share, what is foretold of accounts is exactly
// what publishing then does.
func TestPreviewOfAccountsIsWhatPublishingDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 4))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin, works := l.planned()
		l.tell("crm", companyStory(r, 120)...)
		l.process()
		for round := range 8 {
			draft := randomPlan(r, round) + randomAccounts(r)
			share := int64(store.WholeShare)
			if round%3 == 2 {
				share = int64(1+r.IntN(9)) * store.WholeShare / 10
			}
			got, err := admin.PreviewPlan(t.Context(), []byte(draft), jobs.PreviewOptions{Share: share})
			if err != nil {
				t.Fatalf("%v\n%s", err, draft)
			}
			was := l.accountPlaces()
			now, err := admin.Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := admin.RollOutPlan(t.Context(), now.Version, store.Versioned{Source: draft, Author: "ann"}, share); err != nil {
				t.Fatal(err)
			}
			l.finish(works)
			is := l.accountPlaces()
			if diff := cmp.Diff(accountMatrix(was, is), foretoldAccounts(t, got)); diff != "" {
				t.Fatalf("round %d, share %d: accounts (-done +foretold):\n%s\n%s", round, share, diff, draft)
			}
			if share != store.WholeShare {
				if _, err := admin.WithdrawRollout(t.Context(), "ann", ""); err != nil {
					t.Fatal(err)
				}
				l.finish(works)
				if diff := cmp.Diff(fmt.Sprint(was), fmt.Sprint(l.accountPlaces())); diff != "" {
					t.Fatalf("withdrawing does not restore accounts (-before +after):\n%s\n%s", diff, draft)
				}
			}
		}
	})
}

// randomAccounts draws an accounts section, or none.
func randomAccounts(r *rand.Rand) string {
	if r.IntN(6) == 0 {
		return ""
	}
	pool := []string{
		`any(seen("Demo:Requested"))`, `count(seen("Order:Completed")) >= 2`, `sum("Order:Completed", "EUR") >= 300`, `people >= 2`,
		`all(inactive("15d"))`, `any(was("Known"))`, `any(at_least("Order:Completed", 2, "20d"))`, `count(stage == "Known") >= 1`, `any(traits.company == "c1")`,
	}
	few := r.IntN(3) == 0 // so that plans come that differ in a number only
	pick := func() string {
		x := pool[r.IntN(len(pool))]
		if few {
			return fmt.Sprintf(`count(seen("Order:Completed")) >= %d`, 1+r.IntN(4))
		}
		switch r.IntN(4) {
		case 0:
			return x + " && " + pool[r.IntN(len(pool))]
		case 1:
			return "!(" + x + ")"
		}
		return x
	}
	var b strings.Builder
	fmt.Fprintf(&b, "accounts:\n  by: [%s]\n  stages:\n    - { name: Known }\n", []string{"group:crm, domain", "domain", "group", "trait:company"}[r.IntN(4)])
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "    - { name: Level %d, when: '%s' }\n", i, pick())
	}
	fmt.Fprintf(&b, "  segments:\n    some: '%s'\n", pick())
	return b.String()
}

// accountPlaces gives the stage and segments of every account.
func (l *lab) accountPlaces() map[string]standing {
	l.t.Helper()
	all, next, err := l.store.Accounts(l.t.Context(), store.AccountFilter{Limit: store.MaxPage})
	if err != nil || next != "" {
		l.t.Fatal(next, err)
	}
	places := map[string]standing{}
	for _, a := range all {
		places[a.Key] = standing{stage: a.Stage, segments: a.Segments}
	}
	return places
}

func accountMatrix(was, is map[string]standing) map[string]int64 {
	m := map[string]int64{}
	count := func(a, b standing) {
		m[fmt.Sprintf("%s -> %s", a.stage, b.stage)]++
		for _, name := range b.segments {
			if !slices.Contains(a.segments, name) {
				m["into "+string(name)]++
			}
		}
		for _, name := range a.segments {
			if !slices.Contains(b.segments, name) {
				m["out of "+string(name)]++
			}
		}
	}
	for key, a := range was {
		count(a, is[key])
	}
	for key, b := range is {
		if _, known := was[key]; !known {
			count(standing{}, b)
		}
	}
	return m
}

func foretoldAccounts(t *testing.T, p *jobs.PlanPreview) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	if p.Accounts == nil {
		return m
	}
	if !p.Accounts.Whole {
		t.Error("not all accounts were looked at")
	}
	for _, f := range p.Accounts.Flows {
		m[fmt.Sprintf("%s -> %s", f.From, f.To)] = f.Accounts
		if len(f.Sample) == 0 || !slices.IsSorted(f.Sample) {
			t.Errorf("samples: %v", f.Sample)
		}
	}
	for _, s := range p.Accounts.Segments {
		m["into "+string(s.Segment)], m["out of "+string(s.Segment)] = s.Gained, s.Lost
	}
	return dropZero(m)
}
