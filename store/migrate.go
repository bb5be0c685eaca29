package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. On PostgreSQL replicas that start
// together wait for each other.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	plain, err := s.migrations(db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Most starts find nothing to do, and then no lock is taken, so that a
	// process killed while it starts cannot leave one behind.
	pending, err := plain.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if !pending {
		return nil
	}
	var opts []goose.ProviderOption
	if s.d.postgres {
		// A lock in a table: session locks do not work through PgBouncer.
		locker, err := lock.NewPostgresTableLocker()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	p, err := s.migrations(db, opts...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) migrations(db *sql.DB, opts ...goose.ProviderOption) (*goose.Provider, error) {
	folder, kind := "migrations/sqlite", goose.DialectSQLite3
	if s.d.postgres {
		folder, kind = "migrations/postgres", goose.DialectPostgres
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(kind, db, files, opts...)
}
