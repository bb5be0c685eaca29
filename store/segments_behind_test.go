package store_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestSegmentsBehind counts members who wait or failed, each once, by segment
// and connection.
func TestSegmentsBehind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		first, err := s.PersonIDs(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		var people []lifecycle.ProfileID
		var members []store.Membership
		for i := range lifecycle.ProfileID(4) {
			people = append(people, first+i)
			members = append(members, store.Membership{Segment: "vip", Person: first + i})
		}
		members = append(members, store.Membership{Segment: "new", Person: first}, store.Membership{Segment: "other", Person: first + 1})
		if err := s.Durable(ctx, func(t *store.Tx) error {
			if err := t.ChangeMembershipsTx(ctx, members, nil); err != nil {
				return err
			}
			if err := t.WantPushTx(ctx, slices.Repeat([]string{"crm"}, 4), people, 1); err != nil {
				return err
			}
			return t.WantPushTx(ctx, slices.Repeat([]string{"mail"}, 4), people, 1)
		}); err != nil {
			t.Fatal(err)
		}
		leased, err := s.Lease(ctx, "crm", 10, 1<<60, false)
		if err != nil || len(leased) != 4 {
			t.Fatal(len(leased), err)
		}
		var back []store.WriteBack
		for i := range leased {
			x := leased[i].Sync
			x.State, x.Due = store.SyncSynced, 0
			if x.Person == first {
				x.State = store.SyncFailed
			}
			back = append(back, store.WriteBack{Sync: x})
		}
		if err := s.WriteBackAll(ctx, back, nil); err != nil {
			t.Fatal(err)
		}
		got, whole, err := s.SegmentsBehind(ctx, []string{"crm", "mail", "none"}, []lifecycle.Segment{"vip", "new", "empty"})
		if err != nil || !whole {
			t.Fatal(whole, err)
		}
		want := map[lifecycle.Segment]map[string]int64{"vip": {"crm": 1, "mail": 4}, "new": {"crm": 1, "mail": 1}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
