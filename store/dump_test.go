package store_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestDatabasesHaveTheSameTables is what lets a dump of one be loaded into the
// other.
func TestDatabasesHaveTheSameTables(t *testing.T) {
	t.Parallel()
	tables := func(s *store.Store) []store.DumpTable {
		t.Helper()
		var all []store.DumpTable
		err := s.Snapshot(t.Context(), func(n *store.Snapshot) error {
			var err error
			all, err = n.Tables(t.Context())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	sqlite := tables(storetest.SQLite(t))
	var names []string
	for _, x := range sqlite {
		names = append(names, x.Name)
	}
	for _, name := range []string{"inbox", "profiles", "events", "connections", "plans", "state", "sync"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not in dumps", name)
		}
	}
	for _, name := range []string{"sessions", "summaries", "changes", "dedupes", "goose_db_version"} {
		if slices.Contains(names, name) {
			t.Errorf("%s is in dumps", name)
		}
	}
	if diff := cmp.Diff(sqlite, tables(storetest.Postgres(t))); diff != "" {
		t.Errorf("tables (-sqlite +postgresql):\n%s", diff)
	}
}
