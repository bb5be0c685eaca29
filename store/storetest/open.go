// Package storetest opens stores for tests and holds both databases to one
// behaviour.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/stagebridge/stagebridge/store"
)

// Variables that switch the PostgreSQL tests on, and forbid to skip them.
const (
	PostgresURL = "STAGEBRIDGE_TEST_POSTGRES_URL"
	Require     = "STAGEBRIDGE_TEST_REQUIRE"
)

// Data names the folder of data sets that are not ours to publish.
const Data = "STAGEBRIDGE_TEST_DATA"

// DataFolder gives the folder of data sets. It skips the test where none is named,
// and fails it where Require has the word data.
func DataFolder(t testing.TB) string {
	t.Helper()
	folder := os.Getenv(Data)
	if folder == "" {
		if strings.Contains(os.Getenv(Require), "data") {
			t.Fatalf("%s is not set, and %s asks for the data sets", Data, Require)
		}
		t.Skipf("skipped without data sets (set %s)", Data)
	}
	return folder
}

// Each runs fn on an empty store of each database.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); fn(t, Postgres(t)) })
}

// EachB is Each for benchmarks.
func EachB(b *testing.B, fn func(b *testing.B, s *store.Store)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { fn(b, SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { fn(b, Postgres(b)) })
}

// SQLite opens an empty store in a folder that the test removes.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Options{Dir: t.TempDir()})
}

// Postgres opens an empty store in a database of its own, or skips the test
// when no server is named.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Options{URL: NewDatabase(t)})
}

// NewDatabase makes an empty PostgreSQL database that the test drops, and
// gives its address; it skips the test when no server is named.
func NewDatabase(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresURL)
	if server == "" {
		if strings.Contains(os.Getenv(Require), "postgres") {
			t.Fatalf("%s is not set, and %s asks for PostgreSQL", PostgresURL, Require)
		}
		t.Skipf("skipped without a service: PostgreSQL (set %s)", PostgresURL)
	}
	var raw [6]byte
	if _, err := rand.Read(raw[:]); err != nil {
		t.Fatal(err)
	}
	name := "test_" + hex.EncodeToString(raw[:])
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ExecContext(t.Context(), "create database "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := admin.ExecContext(ctx, "drop database "+name+" with (force)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// movedAtMost is so low that most people who are merged in a test leave their
// events where they stand, and some do not; see store.Options.
const movedAtMost = 2

// Open opens a store that the test closes.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	if o.MovedAtMost == 0 {
		o.MovedAtMost = movedAtMost
	}
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
