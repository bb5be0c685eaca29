package store_test

import (
	"testing"

	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestConformance holds both databases to one behaviour.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); storetest.Run(t, storetest.SQLite) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); storetest.Run(t, storetest.Postgres) })
}

// TestConcurrency lets both do many things at once.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); storetest.RunConcurrent(t, storetest.SQLite) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); storetest.RunConcurrent(t, storetest.Postgres) })
}
