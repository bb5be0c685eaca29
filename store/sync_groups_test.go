package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func TestMessageForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "",
		"429 Too Many Requests":                "429 Too Many Requests",
		"contact 880314 does not exist":        "contact … does not exist",
		"Contact ann@example.com is invalid.":  "Contact … is invalid.",
		`  "bo@example.com"  (id 9f86d081)  x`: `"…" (id …) x`,
		"… stays":                              "… stays",
		"…, 12345":                             "…, …",
	} {
		got := store.MessageForm(text)
		if got != want || store.MessageForm(got) != got {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestSyncGroups groups failures by what is alike in the vendor's words, and
// counts and retries by that form.
func TestSyncGroups(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		first, err := s.PersonIDs(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		var people []lifecycle.ProfileID
		for i := range 5 {
			people = append(people, first+lifecycle.ProfileID(i))
		}
		fail := func(connection string, words func(i int) (state, message string)) {
			t.Helper()
			if err := s.Durable(ctx, func(t *store.Tx) error {
				return t.WantPushTx(ctx, slices.Repeat([]string{connection}, len(people)), people, 1)
			}); err != nil {
				t.Fatal(err)
			}
			leased, err := s.Lease(ctx, connection, 10, 1<<60, false)
			if err != nil || len(leased) != len(people) {
				t.Fatal(len(leased), err)
			}
			var back []store.WriteBack
			for i := range leased {
				x := leased[i].Sync
				x.State, x.Message = words(i)
				x.Reason, x.Due = "invalid", 0
				back = append(back, store.WriteBack{Sync: x})
			}
			if err := s.WriteBackAll(ctx, back, nil); err != nil {
				t.Fatal(err)
			}
		}
		fail("crm", func(i int) (string, string) {
			if i == 4 {
				return store.SyncFailed, "no permission"
			}
			return store.SyncFailed, fmt.Sprintf("address p%d@example.com is refused", i)
		})
		fail("mail", func(i int) (string, string) {
			if i < 4 {
				return store.SyncSynced, ""
			}
			return store.SyncFailed, "no permission"
		})
		groups, whole, err := s.SyncGroups(ctx, []string{"crm", "mail", "none"}, store.SyncFailed)
		if err != nil || !whole {
			t.Fatal(whole, err)
		}
		for i := range groups {
			if form := store.MessageForm(groups[i].Example); form != groups[i].Message {
				t.Errorf("the example %q is not of the form %q", groups[i].Example, groups[i].Message)
			}
			groups[i].Example = ""
		}
		want := []store.SyncGroup{
			{Connection: "crm", State: "failed", Reason: "invalid", Message: "address … is refused", People: 4},
			{Connection: "crm", State: "failed", Reason: "invalid", Message: "no permission", People: 1},
			{Connection: "mail", State: "failed", Reason: "invalid", Message: "no permission", People: 1},
		}
		if diff := cmp.Diff(want, groups); diff != "" {
			t.Error(diff)
		}
		f := store.SyncFilter{Connections: []string{"crm", "mail"}, State: store.SyncFailed, Message: "address … is refused"}
		page, err := s.SyncList(ctx, f)
		if err != nil || len(page.Rows) != 4 {
			t.Errorf("listed %d: %v", len(page.Rows), err)
		}
		for _, c := range []struct {
			dry  bool
			want int64
		}{{true, 4}, {false, 4}, {true, 0}} {
			if n, err := s.RetrySync(ctx, f, c.dry); err != nil || n != c.want {
				t.Errorf("retry, dry %v: %d, want %d: %v", c.dry, n, c.want, err)
			}
		}
		if groups, whole, err = s.SyncGroups(ctx, nil, store.SyncFailed); err != nil || !whole || len(groups) != 0 {
			t.Error(groups, whole, err)
		}
	})
}
