package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// addAccounts keeps an account of one person for each key, every second one in
// the stage Client.
func addAccounts(t *testing.T, s *store.Store, keys ...string) {
	t.Helper()
	slices.Sort(keys)
	err := s.Derived(t.Context(), func(tx *store.Tx) error {
		locked, err := tx.LockAccountsTx(t.Context(), keys)
		if err != nil {
			return err
		}
		var all []*store.Account
		for i, key := range keys {
			a := locked[key]
			a.People, a.Stage, a.Name = 1, lifecycle.Stage([]string{"Client", "Known"}[i%2]), fmt.Sprint("Company ", i)
			all = append(all, a)
		}
		return tx.SaveAccountsTx(t.Context(), all)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSearchForAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		// In this order: 0 to 7.
		addAccounts(t, s, "domain:a.example.com", "domain:b.example.com", "domain:c.example.com", "domain:d.example.com",
			"domain:zebra.example.com", "group:crm:51", "group:crm:zebra/1", "trait:tenant:100%_x")
		for _, c := range []struct {
			name   string
			filter store.AccountFilter
			pages  []string // the last part of the keys of each page
		}{
			{"everybody", store.AccountFilter{Limit: 5}, []string{"a.example.com b.example.com c.example.com d.example.com zebra.example.com", "51 zebra/1 100%_x"}},
			{"a stage", store.AccountFilter{Stage: "Known", Limit: 3}, []string{"b.example.com d.example.com 51", "100%_x"}},
			{"a part, three at a time", store.AccountFilter{Search: "ZEBRA", Within: 3}, []string{"", "zebra.example.com", "zebra/1"}},
			{"a name", store.AccountFilter{Search: "company 5"}, []string{"51"}},
			{"signs that mean something", store.AccountFilter{Search: "%_"}, []string{"100%_x"}},
			{"a beginning comes first and once", store.AccountFilter{Search: "zebra", Begin: []string{"group:crm:zebra", "domain:zebra"}}, []string{"zebra/1 zebra.example.com"}},
			{"beginnings fill the page", store.AccountFilter{Search: "e", Begin: []string{"domain:zebra"}, Limit: 1}, []string{"zebra.example.com", "a.example.com", "b.example.com", "c.example.com", "d.example.com", "", "zebra/1", "100%_x"}},
			{"a beginning and a stage", store.AccountFilter{Search: "zebra", Stage: "Client", Begin: []string{"domain:", "group:crm:zebra"}}, []string{"a.example.com c.example.com zebra.example.com zebra/1"}},
			{"nothing", store.AccountFilter{Search: "nobody", Begin: []string{"domain:nobody", "", "a\x00"}}, []string{""}},
		} {
			f := c.filter
			var pages []string
			for range 20 {
				all, next, err := s.Accounts(t.Context(), f)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				var keys []string
				for _, a := range all {
					keys = append(keys, a.Key[strings.LastIndex(a.Key, ":")+1:])
				}
				pages = append(pages, strings.Join(keys, " "))
				if f.After = next; next == "" {
					break
				}
			}
			if !slices.Equal(pages, c.pages) {
				t.Errorf("%s: %q, want %q", c.name, pages, c.pages)
			}
		}
	})
}
