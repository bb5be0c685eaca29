package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func savePeople(t *testing.T, s *store.Store, ids ...lifecycle.ProfileID) {
	t.Helper()
	err := s.Derived(t.Context(), func(tx *store.Tx) error {
		for _, id := range ids { // in any order, and more than once
			if err := tx.SavePeopleTx(t.Context(), []*store.Person{{ID: id, State: []byte{}}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangesTellWhoChanged: whatever changes people leaves their numbers, and
// what was read is taken away without what came after.
func TestChangesTellWhoChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		savePeople(t, s, 9, 2, 9, 500_000)
		savePeople(t, s, 2, 3)
		if people, since, err := s.ChangesWaiting(ctx); people != 5 || since == 0 || err != nil {
			t.Errorf("waiting: %d since %d, %v", people, since, err)
		}
		first, err := s.Changes(ctx, 3)
		if diff := cmp.Diff([]lifecycle.ProfileID{2, 9, 500_000}, first.People); diff != "" || len(first.Rows) != 1 || !first.More || err != nil {
			t.Errorf("the first row: %+v, %v\n%s", first, err, diff)
		}
		all, err := s.Changes(ctx, 100)
		if diff := cmp.Diff([]lifecycle.ProfileID{2, 3, 9, 500_000}, all.People); diff != "" || all.More || err != nil {
			t.Errorf("all rows: %+v, %v\n%s", all, err, diff)
		}
		err = s.Derived(ctx, func(tx *store.Tx) error { return tx.DropPeopleTx(ctx, []lifecycle.ProfileID{9}) })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.DropChanges(ctx, all.Rows); err != nil {
			t.Fatal(err)
		}
		err = s.Snapshot(ctx, func(n *store.Snapshot) error {
			savePeople(t, s, 4) // behind the back of nobody: the snapshot may or may not have begun
			left, err := n.Changes(ctx, 100)
			if err != nil {
				return err
			}
			savePeople(t, s, 5)
			again, err := n.Changes(ctx, 100)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(left, again); diff != "" || len(left.People) == 0 || left.People[len(left.People)-1] != 9 {
				t.Errorf("one moment, two answers: %+v\n%s", left, diff)
			}
			people, err := n.People(ctx, []lifecycle.ProfileID{2, 9})
			if len(people) != 1 || people[0].Person.ID != 2 {
				t.Errorf("people: %+v", people)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestSummaryBlocks: who read an older revision than is there writes nothing.
func TestSummaryBlocks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		one, two := store.SummaryBlock{Number: 1, AsOf: 5, Body: []byte("one")}, store.SummaryBlock{Number: 2, AsOf: 6, Body: []byte("two")}
		if err := s.SaveSummaryBlocks(ctx, []store.SummaryBlock{one}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSummaryBlocks(ctx, []store.SummaryBlock{one, two}); !errors.Is(err, store.ErrStale) {
			t.Errorf("a block that is there already: %v", err)
		}
		one.Revision, one.Body = 1, []byte("one again")
		if err := s.SaveSummaryBlocks(ctx, []store.SummaryBlock{one, two}); err != nil {
			t.Fatal(err)
		}
		one.Revision, two.Revision = 2, 1
		got, err := s.SummaryBlocks(ctx, []int64{1, 2, 3})
		if diff := cmp.Diff(map[int64]store.SummaryBlock{1: one, 2: two}, got); diff != "" || err != nil {
			t.Errorf("blocks: %v\n%s", err, diff)
		}
		var bodies []string
		err = s.Snapshot(ctx, func(n *store.Snapshot) error {
			return n.EachSummaryBlock(ctx, func(b store.SummaryBlock) error { bodies = append(bodies, string(b.Body)); return nil })
		})
		if diff := cmp.Diff([]string{"one again", "two"}, bodies); diff != "" || err != nil {
			t.Errorf("each: %v\n%s", err, diff)
		}
		savePeople(t, s, 8)
		for range 2 { // the second time it was begun already
			if err := s.StartSummaries(ctx, 3); err != nil {
				t.Fatal(err)
			}
			if people, _, err := s.ChangesWaiting(ctx); people != 0 || err != nil {
				t.Errorf("%d people changed before the beginning, %v", people, err)
			}
			if err := s.NoteSummaries(ctx, 3, 17); err != nil {
				t.Fatal(err)
			}
		}
		if version, next, err := s.SummariesBuilt(ctx); version != 3 || next != 17 || err != nil {
			t.Errorf("built: %d, %d, %v", version, next, err)
		}
	})
}
