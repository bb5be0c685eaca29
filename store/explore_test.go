package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/explore"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestExploreViewsAreAsDescribed holds the views of both databases against
// their description.
func TestExploreViewsAreAsDescribed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, v := range explore.Views() {
			columns, _, err := s.Ask(t.Context(), "select * from "+v.Name+" limit 0")
			if err != nil {
				t.Errorf("%s: %v", v.Name, err)
				continue
			}
			var want []string
			for _, c := range v.Columns {
				want = append(want, c.Name)
			}
			if diff := cmp.Diff(want, columns); diff != "" {
				t.Errorf("%s (-described +there):\n%s", v.Name, diff)
			}
		}
	})
}

// TestExploreViewsTell asks them about one person's life.
func TestExploreViewsTell(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		day := func(n int) lifecycle.Instant { return lifecycle.At(time.Date(2026, 3, n, 12, 0, 0, 0, time.UTC)) }
		err := s.Derived(ctx, func(tx *store.Tx) error {
			ann := &store.Person{ID: 1, Stage: "Customer", Since: day(5), LastSeen: day(6), Keys: []string{"anonymous:d:1", "email:ann@example.com", "email:z@example.com", "user:u1"}}
			gone := &store.Person{ID: 2, Merged: 1, Stage: "Lead"}
			if err := tx.SavePeopleTx(ctx, []*store.Person{ann, gone}); err != nil {
				return err
			}
			if err := tx.ClaimKeysTx(ctx, ann.Keys, []lifecycle.ProfileID{1, 1, 1, 1}); err != nil {
				return err
			}
			return tx.AddTransitionsTx(ctx, []store.Transition{
				{Person: 1, Seq: 1, History: true, To: "Lead", Kind: "forward", At: day(1), Decided: day(1)},
				{Person: 1, Seq: 2, From: "Lead", To: "Advocate", Kind: "skip", At: day(2), Decided: day(2)}, // no longer history
				{Person: 1, Seq: 3, History: true, From: "Lead", To: "Lead", Kind: "forward", At: day(3), Decided: day(3)},
				{Person: 1, Seq: 4, History: true, From: "Lead", To: "Customer", Kind: "forward", At: day(5), Decided: day(6)},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for question, want := range map[string]string{
			"select email, user_id, stage from explore_people":                                                    "ann@example.com u1 Customer",
			"select namespace, identifier from explore_identifiers order by namespace, identifier":                "anonymous d:1, email ann@example.com, email z@example.com, user u1",
			"select from_stage, to_stage, kind from explore_moves order by move":                                  "<nil> Lead forward, Lead Customer forward",
			"select stage, round(days) as days from explore_visits where left_at is not null":                     "Lead 4",
			"select stage, case when is_current then 'yes' end as c from explore_visits where stage = 'Customer'": "Customer yes",
		} {
			columns, rows, err := s.Ask(ctx, question)
			if err != nil {
				t.Errorf("%s: %v", question, err)
				continue
			}
			var got []string
			for _, row := range rows {
				var values []string
				for _, c := range columns {
					values = append(values, strings.TrimSuffix(fmt.Sprint(row[c]), ".0"))
				}
				got = append(got, strings.Join(values, " "))
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("%s\ngives %s\nwant  %s", question, text, want)
			}
		}
	})
}
